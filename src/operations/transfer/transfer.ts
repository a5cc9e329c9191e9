import type { TextLayout } from '../../analysis/fields/text-layout.js';
import type { Backend } from '../../backend/backend.js';
import { documentsPerRead } from '../../backend/batch-sizes.js';
import type {
  ExportedBatch,
  ExportFacts,
  ExportFormat,
  ExportManifest,
  TextLine,
} from '../../backend/export-format.js';
import { parseMetadata } from '../../backend/stored-json.js';
import { fingerprintDifferences } from '../../embed/fingerprint.js';
import { SemanticIndexError } from '../../errors.js';
import { addDefaults, type ResolvedImportOptions } from '../../options.js';
import type {
  AddResult,
  DocumentId,
  DocumentInput,
  DocumentWithVector,
  ExportResult,
  IndexEvent,
  LongWorkOptions,
  LostDocuments,
  Metadata,
} from '../../types.js';
import { addDocuments } from '../add/add-documents.js';
import { documentOf } from '../checked-document.js';
import type { OperationContext } from '../context.js';
import { storedLayout } from '../stored-analysis.js';
import { checkExport, checkedRows } from './checked-export.js';

/** The index and the format of its exports. */
interface TransferContext extends OperationContext {
  readonly exports: ExportFormat;
}

/** The readable documents of an index whose catalog is damaged. */
export interface SalvageableIndex {
  readonly facts: ExportFacts;
  batches(): AsyncGenerator<ExportedBatch>;
  /** Documents whose vector is lost; complete after the last batch. */
  readonly texts: readonly TextLine[];
  /** Documents that cannot be read, by key; complete after the last batch. */
  readonly lost: LostDocuments[];
  close(): void;
}

/** How the export of a damaged index goes on. */
export interface DamageOptions {
  /** Reads a damaged index; undefined in memory. */
  readonly salvage: (() => SalvageableIndex) | undefined;
  readonly onEvent: ((event: IndexEvent) => void) | undefined;
}

/** All documents with their vectors at one point in time. */
export async function* exportDocuments<M extends Metadata>(backend: Backend): AsyncGenerator<DocumentWithVector<M>> {
  for await (const { documents, vectors } of backend.exportBatches(documentsPerRead)) {
    const dimensions = vectors.length / documents.length;
    for (const [row, document] of documents.entries()) {
      const vector = vectors.slice(row * dimensions, (row + 1) * dimensions);
      yield { ...documentOf<M>(document), vector };
    }
  }
}

/** Writes an export; for an index with a damaged catalog, of the documents that can be read. */
export async function exportTo(
  { backend, exports }: TransferContext,
  target: string,
  options: LongWorkOptions,
  { salvage, onEvent }: DamageOptions,
): Promise<ExportResult> {
  let damage: SemanticIndexError | undefined;
  try {
    const documents = await exportSound(backend, exports, target, options, (error) => {
      if (SemanticIndexError.is(error, 'CORRUPT')) damage = error;
    });
    return { documents, lost: [] };
  } catch (error) {
    if (damage === undefined || salvage === undefined) throw error;
    return await exportDamaged(exports, target, options, salvage(), (documents, lost) => {
      const message = `index.db is damaged: the export has ${documents} documents, ${lost} entries are lost`;
      const error = damage as SemanticIndexError;
      onEvent?.({ type: 'damage', file: 'index.db', reason: error.message, message, error });
    });
  }
}

/** @param onUnreadable is called with an error of reading, which then ends the export. */
async function exportSound(
  backend: Backend,
  exports: ExportFormat,
  target: string,
  { signal, onProgress }: LongWorkOptions,
  onUnreadable: (error: unknown) => void,
): Promise<number> {
  const batches = backend.exportBatches(documentsPerRead);
  const first = await batches.next().catch((error: unknown) => {
    onUnreadable(error);
    throw error;
  });
  if (first.done) {
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
  const { dimensions, fingerprint, canaries } = value.space;
  try {
    return await exports.write(target, { dimensions, metric: backend.metric, fingerprint, canaries }, all());
  } finally {
    await batches.return(undefined);
  }
}

async function exportDamaged(
  exports: ExportFormat,
  target: string,
  { signal, onProgress }: LongWorkOptions,
  index: SalvageableIndex,
  onDone: (documents: number, lost: number) => void,
): Promise<ExportResult> {
  async function* all(): AsyncGenerator<ExportedBatch> {
    let done = 0;
    for await (const batch of index.batches()) {
      signal?.throwIfAborted();
      yield batch;
      done += batch.documents.length;
      onProgress?.({ stage: 'export', done });
    }
  }
  try {
    const gaps = () => ({ complete: index.lost.length === 0, texts: index.texts });
    const documents = await exports.write(target, index.facts, all(), gaps);
    const { lost } = index;
    onDone(documents, lost.length);
    return { documents, lost };
  } finally {
    index.close();
  }
}

/**
 * Adds the documents of an export. Vectors that were made from texts become cached embeddings, so no text is embedded. The whole
 * export is checked before anything is written.
 */
export async function importFrom(
  context: TransferContext,
  folder: string,
  { partial, ...options }: ResolvedImportOptions,
): Promise<AddResult> {
  const manifest = await context.exports.readManifest(folder);
  if (manifest.complete === false && !partial) {
    throw new SemanticIndexError('INVALID_FILE', `The export in ${folder} is incomplete: its index was damaged`, {
      hint: 'To import the documents that it has, pass `partial: true`.',
    });
  }
  checkSpace(context, manifest);
  const layout = await storedLayout(context.backend);
  await checkExport(context.exports, folder, manifest, layout, options.signal);
  await context.backend.chooseSpace(manifest.fingerprint, manifest.dimensions, manifest.canaries);
  checkSpace(context, manifest);
  const documents = importedDocuments(context, folder, manifest, layout);
  return addDocuments(context, documents, { ...addDefaults, ...options });
}

/** Before anything is written, and again because another process may have chosen the space of an empty index. */
function checkSpace({ backend, space }: OperationContext, { metric, fingerprint, dimensions }: ExportManifest): void {
  const own = space.fingerprint;
  if (metric !== backend.metric) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `The export is ${metric}, the index ${backend.metric}`, {
      hint: `Open the new index with \`metric: '${metric}'\`.`,
    });
  }
  if (own !== undefined && own !== fingerprint) {
    throw new SemanticIndexError('SPACE_MISMATCH', 'The export was made with another model', {
      hint: 'Open the index with the provider of the export, or with `provider: null`.',
      details: { differences: fingerprintDifferences(own, fingerprint) },
    });
  }
  space.checkDimensions(dimensions);
}

async function* importedDocuments(
  { backend, exports }: TransferContext,
  folder: string,
  manifest: ExportManifest,
  layout: TextLayout | undefined,
): AsyncGenerator<DocumentInput> {
  const space = backend.space?.space as number;
  for await (const rows of checkedRows(exports, folder, manifest, layout)) {
    const embedded = rows.filter(({ given }) => !given);
    if (embedded.length > 0) {
      const hashes = embedded.map(({ hash }) => hash);
      const vectors = embedded.map(({ vector }) => vector);
      const owners = embedded.map(({ document }) => document.id as DocumentId);
      await backend.putVectors(space, 'document', hashes, vectors, owners);
    }
    for (const { document } of rows) yield document;
  }
}

async function* concatenate<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}
