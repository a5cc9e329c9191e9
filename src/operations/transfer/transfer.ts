import { fingerprintDifferences } from '../../embed/fingerprint.js';
import { SemanticIndexError } from '../../errors.js';
import { type AddOptions, addDefaults, type ImportOptions } from '../../options.js';
import { contentHash } from '../../store/catalog/content-hash.js';
import { parseMetadata } from '../../store/catalog/stored-json.js';
import {
  type ExportedBatch,
  type ExportManifest,
  readExportManifest,
  writeExport,
} from '../../store/salvage/export-folder.js';
import { SalvagedDocuments } from '../../store/salvage/salvaged-documents.js';
import { fromSqliteError } from '../../store/sqlite/sqlite-error.js';
import type { Store } from '../../store/store.js';
import type {
  AddResult,
  DocumentInput,
  ExportedDocument,
  ExportResult,
  IndexEvent,
  LongWorkOptions,
  Metadata,
} from '../../types.js';
import { AddJourney } from '../add/add-documents.js';
import type { EmbeddingSpace } from '../embedding-space.js';
import { checkExport, checkedRows } from './checked-export.js';
import { SalvagedExport } from './salvaged-export.js';

const documentsPerReading = 512;

/** The way of whole indexes out into files of common formats, and back in without the model. */
export class TransferJourney {
  readonly #store: Store;
  readonly #space: EmbeddingSpace;

  readonly #index: ExportedIndex;

  constructor(
    store: Store,
    space: EmbeddingSpace,
    index: ExportedIndex = { directory: undefined, onEvent: undefined },
  ) {
    this.#store = store;
    this.#space = space;
    this.#index = index;
  }

  /** All documents with their vectors, in batches, as they are at one moment. */
  #batches(): AsyncGenerator<ExportedBatch & { readonly total: number }> {
    // In memory what is written meanwhile shows.
    const isOneMoment = this.#index.directory !== undefined;
    return this.#store.consistentRead(async function* (catalog) {
      const total = await catalog.documents.count();
      for (let after = 0, done = 0; ; ) {
        const batch = await catalog.documents.exportAfter(after, documentsPerReading);
        const last = batch.documents.at(-1);
        if (last === undefined) {
          if (isOneMoment && done < total) throw missingRows(total - done);
          return;
        }
        after = last.key;
        done += batch.documents.length;
        yield { ...batch, total };
      }
    });
  }

  async *documents<M extends Metadata>(): AsyncGenerator<ExportedDocument<M>> {
    for await (const { documents, vectors } of this.#batches()) {
      const dimensions = vectors.length / documents.length;
      for (const [row, { id, text, metadata }] of documents.entries()) {
        const vector = vectors.slice(row * dimensions, (row + 1) * dimensions);
        yield { id, text, metadata: parseMetadata(metadata, id) as M, vector };
      }
    }
  }

  /** Writes an export. Of an index whose catalog is damaged it has what can be read. */
  async exportTo(target: string, options: LongWorkOptions): Promise<ExportResult> {
    let damage: SemanticIndexError | undefined;
    try {
      const documents = await this.#exportSound(target, options, (error) => {
        const typed = fromSqliteError(error);
        if (SemanticIndexError.is(typed, 'CORRUPT')) damage = typed;
      });
      return { documents, lost: [] };
    } catch (error) {
      const { directory, onEvent } = this.#index;
      if (damage === undefined || directory === undefined) throw error;
      return await exportDamaged(target, options, { directory, onEvent, damage });
    }
  }

  /** @param onUnreadable is called with an error of reading, which then ends the export. */
  async #exportSound(
    target: string,
    { signal, onProgress }: LongWorkOptions,
    onUnreadable: (error: unknown) => void,
  ): Promise<number> {
    const cutovers = this.#store.cutovers();
    const { space, metric } = this.#store;
    const batches = this.#batches();
    const first = await batches.next().catch((error: unknown) => {
      onUnreadable(error);
      throw error;
    });
    if (this.#store.cutovers() !== cutovers) {
      // Moved to another model before the reading began: the name of the old one must not stand over its vectors.
      await batches.return(undefined);
      return this.#exportSound(target, { signal, onProgress }, onUnreadable);
    }
    if (space === undefined || first.done) {
      await batches.return(undefined);
      throw new SemanticIndexError('INVALID_ARGUMENT', 'There is nothing to export: the index is empty');
    }
    const { value } = first;
    async function* all(): AsyncGenerator<ExportedBatch> {
      let done = 0;
      try {
        for await (const batch of concatenate(value, batches)) {
          signal?.throwIfAborted();
          for (const { id, metadata } of batch.documents) parseMetadata(metadata, id);
          yield batch;
          done += batch.documents.length;
          onProgress?.({ stage: 'export', done, total: value.total });
        }
      } catch (error) {
        onUnreadable(error);
        throw error;
      }
    }
    const { dimensions, fingerprint, canaries } = space;
    return writeExport(target, { dimensions, metric, fingerprint, canaries }, all());
  }

  /**
   * Vectors made from texts become the cache of embeddings, so adding the texts pays for none of them. The whole export is
   * checked before anything is written.
   */
  async importFrom(folder: string, { partial, ...options }: ImportOptions): Promise<AddResult> {
    const manifest = await readExportManifest(folder);
    if (manifest.complete === false && !partial) {
      throw new SemanticIndexError('INVALID_FILE', `The export in ${folder} is incomplete: its index was damaged`, {
        hint: 'To import the documents that it has, pass `partial: true`.',
      });
    }
    this.#checkSpace(manifest);
    await checkExport(folder, manifest, options.signal);
    await this.#store.chooseSpace(manifest.fingerprint, manifest.dimensions, manifest.canaries);
    this.#checkSpace(manifest);
    const add = new AddJourney(this.#store, this.#space);
    const resolved: AddOptions = { ...addDefaults, ...options };
    return add.run(this.#incoming(folder, manifest), resolved);
  }

  /** Before anything is written, and again when another process may have chosen the space of an empty index. */
  #checkSpace({ metric, fingerprint, dimensions }: ExportManifest): void {
    const own = this.#space.fingerprint;
    if (metric !== this.#store.metric) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `The export is ${metric}, the index ${this.#store.metric}`, {
        hint: `Open the new index with \`metric: '${metric}'\`.`,
      });
    }
    if (own !== undefined && own !== fingerprint) {
      throw new SemanticIndexError('SPACE_MISMATCH', 'The export was made with another model', {
        hint: 'Open the index with the provider of the export, or with `provider: null`.',
        details: { differences: fingerprintDifferences(own, fingerprint) },
      });
    }
    this.#space.checkDimensions(dimensions);
  }

  async *#incoming(folder: string, manifest: ExportManifest): AsyncGenerator<DocumentInput> {
    const space = this.#store.space?.space as number;
    for await (const rows of checkedRows(folder, manifest)) {
      const embedded = rows.filter(({ given }) => !given);
      if (embedded.length > 0) {
        const hashes = embedded.map(({ document }) => contentHash(document.text as string));
        const vectors = embedded.map(({ vector }) => vector);
        await this.#store.putVectors(space, 'document', hashes, vectors);
      }
      for (const { document } of rows) yield document;
    }
  }
}

/** Facts about an index that its export needs. */
export interface ExportedIndex {
  /** Undefined in memory. */
  readonly directory: string | undefined;
  readonly onEvent: ((event: IndexEvent) => void) | undefined;
}

async function exportDamaged(
  target: string,
  { signal, onProgress }: LongWorkOptions,
  { directory, onEvent, damage }: ExportedIndex & { directory: string; damage: SemanticIndexError },
): Promise<ExportResult> {
  const damaged = SalvagedDocuments.open(directory);
  const salvaged = new SalvagedExport(damaged);
  async function* all(): AsyncGenerator<ExportedBatch> {
    let done = 0;
    for await (const batch of salvaged.batches()) {
      signal?.throwIfAborted();
      yield batch;
      done += batch.documents.length;
      onProgress?.({ stage: 'export', done });
    }
  }
  try {
    const { metric, space } = damaged;
    const { texts } = salvaged;
    const gaps = () => ({ complete: salvaged.lost.length === 0, texts });
    const documents = await writeExport(target, { ...space, metric }, all(), gaps);
    const { lost } = salvaged;
    const message = `index.db is damaged: the export has ${documents} documents, ${lost.length} entries are lost`;
    onEvent?.({ event: 'damage', message, error: damage });
    return { documents, lost };
  } finally {
    damaged.close();
  }
}

function missingRows(count: number): SemanticIndexError {
  return new SemanticIndexError('CORRUPT', `The texts or vectors of ${count} documents are missing in index.db`, {
    hint: 'Restore a backup, or save the rest with `salvage(from, to)`.',
  });
}

async function* concatenate<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}
