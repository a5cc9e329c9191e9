import { fingerprintDifferences } from '../../embed/fingerprint.js';
import { SemanticIndexError } from '../../errors.js';
import { type AddOptions, addDefaults } from '../../options.js';
import { contentHash } from '../../store/catalog/content-hash.js';
import { parseMetadata } from '../../store/catalog/stored-json.js';
import {
  type ExportedBatch,
  type ExportManifest,
  readExportManifest,
  writeExport,
} from '../../store/salvage/export-folder.js';
import type { Store } from '../../store/store.js';
import type { AddResult, DocumentInput, ExportedDocument, LongWorkOptions, Metadata } from '../../types.js';
import { AddJourney } from '../add/add-documents.js';
import type { EmbeddingSpace } from '../embedding-space.js';
import { checkExport, checkedRows } from './checked-export.js';

const documentsPerReading = 512;

/** The way of whole indexes out into files of common formats, and back in without the model. */
export class TransferJourney {
  readonly #store: Store;
  readonly #space: EmbeddingSpace;

  constructor(store: Store, space: EmbeddingSpace) {
    this.#store = store;
    this.#space = space;
  }

  /** All documents with their vectors, in batches, as they are at one moment. */
  #batches(): AsyncGenerator<ExportedBatch & { readonly total: number }> {
    return this.#store.consistentRead(async function* (catalog) {
      const total = await catalog.documents.count();
      for (let after = 0; ; ) {
        const batch = await catalog.documents.exportAfter(after, documentsPerReading);
        const last = batch.documents.at(-1);
        if (last === undefined) return;
        after = last.key;
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

  async exportTo(target: string, options: LongWorkOptions): Promise<number> {
    const { signal, onProgress } = options;
    const cutovers = this.#store.cutovers();
    const { space, metric } = this.#store;
    const batches = this.#batches();
    const first = await batches.next();
    if (this.#store.cutovers() !== cutovers) {
      // Moved to another model before the reading began: the name of the old one must not stand over its vectors.
      await batches.return(undefined);
      return this.exportTo(target, options);
    }
    if (space === undefined || first.done) {
      await batches.return(undefined);
      throw new SemanticIndexError('INVALID_ARGUMENT', 'There is nothing to export: the index is empty');
    }
    const manifest: ExportManifest = {
      format: 'semantic-index-export',
      version: 1,
      documents: first.value.total,
      dimensions: space.dimensions,
      metric,
      fingerprint: space.fingerprint,
      canaries: space.canaries,
    };
    async function* all(): AsyncGenerator<ExportedBatch> {
      let done = 0;
      const { value } = first as IteratorYieldResult<ExportedBatch>;
      for await (const batch of concatenate(value, batches)) {
        signal?.throwIfAborted();
        yield batch;
        done += batch.documents.length;
        onProgress?.({ stage: 'export', done, total: manifest.documents });
      }
    }
    await writeExport(target, manifest, all());
    return manifest.documents;
  }

  /**
   * Vectors made from texts become the cache of embeddings, so adding the texts pays for none of them. The whole export is
   * checked before anything is written.
   */
  async importFrom(folder: string, options: LongWorkOptions): Promise<AddResult> {
    const manifest = await readExportManifest(folder);
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

async function* concatenate<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}
