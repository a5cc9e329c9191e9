import type { ExportedBatch } from '../backend/backend.js';
import { SemanticIndexError } from '../errors.js';
import type { CatalogClient } from './writer/catalog-client.js';

/** All documents with their vectors. @param isOnePoint whether the catalog is read at one point in time. */
export async function* exportBatches(
  catalog: CatalogClient,
  size: number,
  isOnePoint: boolean,
): AsyncGenerator<ExportedBatch> {
  const total = await catalog.documents.count();
  const space = await catalog.catalog.space();
  if (space === undefined) {
    if (total > 0) throw missingRows(total);
    return;
  }
  for (let after = 0, done = 0; ; ) {
    const batch = await catalog.documents.exportAfter(after, size);
    const last = batch.documents.at(-1);
    if (last === undefined) {
      if (isOnePoint && done < total) throw missingRows(total - done);
      return;
    }
    after = last.key;
    done += batch.documents.length;
    yield { ...batch, total, space };
  }
}

function missingRows(count: number): SemanticIndexError {
  return new SemanticIndexError('CORRUPT', `The texts or vectors of ${count} documents are missing in index.db`, {
    hint: 'Restore a backup, or save the rest with `salvage(from, to)`.',
  });
}
