import type { Backend } from './backend/backend.js';
import type { StoredNotes } from './backend/notes.js';
import {
  checkIterable,
  checkOneOf,
  checkPath,
  checkPositive,
  checkShare,
  checkTune,
  checkWhole,
} from './check-arguments.js';
import { bundledProvider } from './embed/bundled/bundled-provider.js';
import { checkProvider } from './embed/check-provider.js';
import { SemanticIndexError } from './errors.js';
import { IndexReading } from './index-reading.js';
import { addDocuments, type Documents } from './operations/add/add-documents.js';
import { planAdd } from './operations/add/plan.js';
import { checkIds } from './operations/checked-document.js';
import { compactIndex } from './operations/compact.js';
import type { OperationContext } from './operations/context.js';
import { checkFields, selectionFor } from './operations/declared-fields.js';
import { EmbeddingSpace } from './operations/embedding-space.js';
import { indexStats } from './operations/index-stats.js';
import { checkChanges, MetadataRules, refuseMissing } from './operations/metadata-rules.js';
import { migrate } from './operations/migrate/migrate.js';
import { reembedTexts } from './operations/migrate/rebuild.js';
import type { Query } from './operations/search/query-vectors.js';
import { SharedEmbeddings } from './operations/shared-embeddings.js';
import { exportDocuments, exportTo, importFrom } from './operations/transfer/transfer.js';
import { RecallMonitor } from './operations/tune/recall-monitor.js';
import {
  type AddOptions,
  addDefaults,
  type BuildOptions,
  buildDefaults,
  type CompactOptions,
  compactDefaults,
  type DeleteOptions,
  deleteDefaults,
  describe,
  type Given,
  type ImportOptions,
  importDefaults,
  type MigrateOptions,
  migrateDefaults,
  type OpenOptions,
  openDefaults,
  type PlanOptions,
  planDefaults,
  type RebuildOptions,
  rebuildDefaults,
  resolveOptions,
  type TransferOptions,
  type TuneOptions,
  transferDefaults,
  type UpdateOptions,
  updateDefaults,
  type ValidateOptions,
  validateDefaults,
} from './options.js';
import { PendingCalls } from './pending-calls.js';
import { EmbeddingCache } from './store/embedding-cache.js';
import { SalvagedExport } from './store/salvage/salvaged-export.js';
import { Store } from './store/store.js';
import type { DocumentSelection } from './types/where-of.js';
import type {
  AddPlan,
  AddResult,
  CompactResult,
  DocumentId,
  EmbeddingProvider,
  ExportedDocument,
  ExportResult,
  IndexEvent,
  IndexStats,
  Metadata,
  MigrationResult,
  TuneResult,
  ValidationReport,
} from './types.js';
import { checkMetric } from './vectors/metric.js';

/** Key of what `sync` and de-duplication remember between runs; no part of the public interface. */
export const storedNotes: unique symbol = Symbol('semantic-index.stored-notes');

/**
 * Text in, meaning found: documents with their vectors in one folder, searched by nearness of meaning.
 *
 * What `addDocuments` acknowledged is durable and found by the next search, of this process and of others. Every method
 * rejects with a SemanticIndexError; after `close` with code CLOSED.
 */
export class SemanticIndex<M extends Metadata = Metadata> extends IndexReading<M> {
  readonly #backend: Backend;
  readonly #context: OperationContext;
  readonly #recall: RecallMonitor;
  readonly #rules: MetadataRules;
  readonly #provider: EmbeddingProvider | undefined;
  readonly #ownsProvider: boolean;
  readonly #options: OpenOptions;
  readonly #work: PendingCalls;
  /** Undefined in memory. */
  readonly #directory: string | undefined;

  private constructor(
    backend: Backend,
    directory: string,
    options: OpenOptions,
    provider: EmbeddingProvider | undefined,
  ) {
    const { embeddingCache: path } = options;
    const cache = path === undefined ? undefined : new EmbeddingCache(checkPath('embeddingCache', path), options);
    const space = new EmbeddingSpace(backend, provider, new SharedEmbeddings(cache));
    const context: OperationContext = { backend, space };
    const recall = new RecallMonitor(context, options);
    const work = new PendingCalls();
    super({ context, recall, work, searchK: options.searchK });
    this.#backend = backend;
    this.#directory = directory === ':memory:' ? undefined : directory;
    this.#context = context;
    this.#recall = recall;
    this.#rules = new MetadataRules(options);
    this.#work = work;
    this.#options = options;
    this.#provider = provider;
    this.#ownsProvider = options.provider === undefined;
  }

  /**
   * Opens the index in a folder, or makes one there. `':memory:'` makes one that ends with the process, is searched exactly and
   * never builds a forest.
   *
   * @throws NOT_AN_INDEX, NEWER_FORMAT, SPACE_MISMATCH (made with another model), READ_ONLY, BUSY, IO, CORRUPT,
   *   MODEL_NOT_FOUND, INVALID_ARGUMENT, UNKNOWN_OPTION.
   */
  static async open<M extends Metadata = Metadata>(
    directory: string,
    options?: Given<OpenOptions<M>>,
  ): Promise<SemanticIndex<M>> {
    const resolved = resolveOptions<OpenOptions>('SemanticIndex.open', options, openDefaults);
    checkPath('SemanticIndex.open', directory);
    if (resolved.metric !== undefined) checkMetric('SemanticIndex.open', resolved.metric);
    if (resolved.provider !== undefined && resolved.provider !== null) {
      checkProvider('SemanticIndex.open', resolved.provider);
    }
    const provider = resolved.provider === null ? undefined : (resolved.provider ?? bundledProvider());
    checkWhole('SemanticIndex.open', 'queryCache', resolved.queryCache);
    checkWhole('SemanticIndex.open', 'embeddingCacheBytes', resolved.embeddingCacheBytes);
    if (resolved.recall !== undefined) checkShare('SemanticIndex.open', 'recall', resolved.recall);
    const fields = resolved.fields === undefined ? undefined : checkFields(resolved.fields);
    let index: SemanticIndex<M> | undefined;
    const onEvent = (event: IndexEvent): void => {
      resolved.onEvent?.(event);
      if (index !== undefined) index.#recall.onEvent(event);
    };
    const store = await Store.open(directory, { ...resolved, onEvent });
    try {
      index = new SemanticIndex<M>(store, directory, resolved, provider);
      index.#context.space.check();
      if (fields !== undefined && !resolved.readonly) await store.declareFields(fields);
      index.#recall.check();
      return index;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /**
   * Adds documents, or replaces those whose id is known. What did not change is skipped; a text that was embedded before is
   * not embedded again. On return all are durable and searchable.
   *
   * An array is checked as a whole before anything is written; an iterable is checked and committed batch by batch, as is a
   * call that is aborted or fails later on: what was committed stays.
   *
   * @throws INVALID_TEXT, INVALID_ID, INVALID_METADATA, INVALID_VECTOR, DUPLICATE_ID, DIMENSION_MISMATCH, UNKNOWN_OPTION,
   *   READ_ONLY, BUSY, IO, and what the provider causes: PROVIDER_FAILED, PROVIDER_INVALID, INPUT_TOO_LONG.
   */
  addDocuments(documents: Documents<M>, options?: Given<AddOptions>): Promise<AddResult> {
    return this.#run(async () => {
      const resolved = resolveOptions('addDocuments', options, addDefaults);
      checkPositive('addDocuments', 'batchSize', resolved.batchSize);
      checkOneOf('addDocuments', 'onDuplicate', resolved.onDuplicate, ['add', 'skip', 'replace', 'link']);
      this.#refuseReadonly('addDocuments');
      checkIterable('addDocuments', documents);
      return addDocuments(this.#context, documents, resolved, this.#rules);
    });
  }

  /**
   * Says what `addDocuments` would do with documents before anything is spent: how many are new, changed or unchanged, how
   * many texts need the provider, their tokens, and where they are known, cost and time. Asks the provider for no vector.
   *
   * @throws INVALID_TEXT, INVALID_ID, INVALID_METADATA, INVALID_VECTOR, UNKNOWN_OPTION.
   */
  plan(documents: Documents<M>, options?: Given<PlanOptions>): Promise<AddPlan> {
    return this.#run(async () => {
      const resolved = resolveOptions('plan', options, planDefaults);
      checkIterable('plan', documents);
      return planAdd(this.#context, documents, resolved);
    });
  }

  /**
   * Deletes documents by their ids, or those that match a filter; returns how many there were. They are gone for the next
   * search of every process. A filter that matches every document by its form, such as `{}`, is refused: `{ all: true }`
   * deletes all documents.
   *
   * @throws INVALID_ID, INVALID_FILTER, INVALID_ARGUMENT, UNKNOWN_OPTION, READ_ONLY, BUSY, IO.
   * @example
   * await index.deleteDocuments(['a', 'b']);
   * await index.deleteDocuments({ where: { expired: true } });
   */
  deleteDocuments(
    which: DocumentId | readonly DocumentId[] | DocumentSelection<M>,
    options?: Given<DeleteOptions>,
  ): Promise<number> {
    return this.#run(async () => {
      const { signal } = resolveOptions('deleteDocuments', options, deleteDefaults);
      this.#refuseReadonly('deleteDocuments');
      if (typeof which === 'object' && which !== null && !Array.isArray(which)) {
        const selection = await selectionFor(this.#backend, which as DocumentSelection);
        return this.#backend.deleteWhere(selection, signal);
      }
      return this.#backend.deleteByIds(checkIds('deleteDocuments', Array.isArray(which) ? which : [which]), signal);
    });
  }

  /**
   * Replaces the metadata of documents; text and vector stay. Ids that no document has are skipped, unless `onMissing` says
   * `error`. Returns how many documents were updated.
   *
   * @throws INVALID_ARGUMENT, UNKNOWN_OPTION (a misspelt member), INVALID_ID, DUPLICATE_ID, INVALID_METADATA, NOT_FOUND,
   *   READ_ONLY, BUSY, IO.
   * @example
   * await index.updateMetadata([{ id: 'a', metadata: { lang: 'en', year: 2020 } }]);
   */
  updateMetadata(
    changes: readonly { readonly id: DocumentId; readonly metadata: M }[],
    options?: Given<UpdateOptions>,
  ): Promise<number> {
    return this.#run(async () => {
      const { onMissing } = resolveOptions('updateMetadata', options, updateDefaults);
      checkOneOf('updateMetadata', 'onMissing', onMissing, ['skip', 'error']);
      this.#refuseReadonly('updateMetadata');
      if (!Array.isArray(changes)) {
        throw new SemanticIndexError('INVALID_ARGUMENT', `updateMetadata: changes is ${describe(changes)}`);
      }
      const checked = await checkChanges(changes, this.#rules);
      if (onMissing === 'error') await refuseMissing(this.#backend, checked);
      return this.#backend.setMetadata(checked);
    });
  }

  /**
   * Gives every document a forest now: one segment of all, without the deleted ones. Searches go on meanwhile and see the new
   * segment when it is complete. In memory there is nothing to build.
   */
  build(options?: Given<BuildOptions>): Promise<void> {
    return this.#run(async () => {
      const resolved = resolveOptions('build', options, buildDefaults);
      this.#refuseReadonly('build');
      await this.#backend.buildAll(resolved);
      this.#recall.check();
    });
  }

  /**
   * Finds the fastest way of searching that reaches a recall, by comparing with exact search, and keeps it: searches that say
   * nothing else are done so from now on, in every process. Returns what was measured, the curve of recall and time, also as
   * SVG, and a table over numbers of trees where asked for. What is not worth approximating is searched exactly.
   *
   * @throws INVALID_ARGUMENT (the index is empty), READ_ONLY unless it is a dry run, BUSY, IO, and with texts as queries what
   *   the provider causes.
   */
  tune(options?: Given<TuneOptions<Query>>): Promise<TuneResult> {
    return this.#run(async () => {
      const resolved = checkTune(options);
      if (!resolved.dryRun) this.#refuseReadonly('tune');
      return this.#recall.tune(resolved);
    });
  }

  /**
   * Drops deleted documents from the segments and vectors that nothing uses any more, and gives the room back to the file
   * system. Searches and adds go on meanwhile.
   *
   * @throws READ_ONLY, BUSY (another process is building), IO.
   */
  compact(options?: Given<CompactOptions>): Promise<CompactResult> {
    return this.#run(async () => {
      const resolved = resolveOptions('compact', options, compactDefaults);
      this.#refuseReadonly('compact');
      return compactIndex(this.#backend, resolved);
    });
  }

  /**
   * Looks for damage in the catalog and the segments, says what failed with which severity and what to do. Only reads; damaged
   * segments are warnings, as they cost speed and no answers.
   */
  validate(options?: Given<ValidateOptions>): Promise<ValidationReport> {
    return this.#run(async () => {
      const { level, signal } = resolveOptions('validate', options, validateDefaults);
      checkOneOf('validate', 'level', level, ['quick', 'full']);
      return this.#backend.validate(level, signal);
    });
  }

  /**
   * Derives again what is derived: the segments from the stored vectors, or the vectors from the texts and then the segments.
   * Searches go on meanwhile.
   *
   * @throws READ_ONLY, BUSY, IO, and with `from: 'texts'` what the provider causes.
   */
  rebuild(options?: Given<RebuildOptions>): Promise<void> {
    return this.#run(async () => {
      const resolved = resolveOptions('rebuild', options, rebuildDefaults);
      checkOneOf('rebuild', 'from', resolved.from, ['vectors', 'texts']);
      this.#refuseReadonly('rebuild');
      if (resolved.from === 'texts') await reembedTexts(this.#context, resolved);
      await this.#backend.rebuildSegments(resolved);
    });
  }

  /**
   * Moves the index to another model. All texts are embedded by `provider` beside the vectors that there are; searches go
   * on in the old space meanwhile, and from one transaction on in the new one. Cut short, by a kill too, another call goes
   * on where it ended; nothing is embedded twice. The old vectors stay until `compact()`: until then, migrating back to
   * the old provider costs nothing. Open the index with `provider` from then on; other processes that have it open with
   * the old one are refused (SPACE_MISMATCH). The provider is the caller's to close.
   *
   * @throws UNSUPPORTED when documents have vectors that the caller gave, SPACE_MISMATCH, INVALID_ARGUMENT, READ_ONLY,
   *   BUSY (another migration is under way), IO, and what the provider causes.
   */
  migrate(provider: EmbeddingProvider, options?: Given<MigrateOptions>): Promise<MigrationResult> {
    return this.#run(async () => {
      const resolved = resolveOptions('migrate', options, migrateDefaults);
      this.#refuseReadonly('migrate');
      checkProvider('migrate', provider);
      return migrate(this.#context, provider, resolved);
    });
  }

  /**
   * Writes a copy of the index, as it is at one moment, into a new folder while it is in use. The folder appears under its name
   * only when it is complete and durable; `SemanticIndex.open` opens it.
   *
   * @throws INVALID_ARGUMENT when the target exists, IO.
   */
  backup(path: string): Promise<void> {
    return this.#run(async () => {
      await this.#backend.backup(checkPath('backup', path));
    });
  }

  /**
   * All documents with their vectors, oldest first, as they are at one moment. Until the iteration ends, by `break` too, that
   * moment is kept: the log of the index grows with what is written meanwhile. `close` ends it; then it throws CLOSED.
   *
   * @throws CLOSED, CORRUPT, IO.
   */
  exportDocuments(): AsyncGenerator<ExportedDocument<M>> {
    return this.#work.iterate(exportDocuments<M>(this.#backend));
  }

  /**
   * Writes all documents into a new directory: `documents.jsonl` with one JSON object a line, `vectors.npy` with their vectors
   * in the same order, and `manifest.json`. `importFrom` reads it, and so do NumPy and jq.
   *
   * Of a damaged index the export has what can be read: `lost` of the result lists the rest, an event `damage` is reported, and
   * `manifest.json` says `complete: false`. Texts whose vectors are lost are in `texts.jsonl`, to be embedded again.
   *
   * @throws INVALID_ARGUMENT when the directory exists or the index is empty, CORRUPT when the settings cannot be read, IO.
   */
  exportTo(folder: string, options?: Given<TransferOptions>): Promise<ExportResult> {
    return this.#run(async () => {
      const resolved = resolveOptions('exportTo', options, transferDefaults);
      const directory = this.#directory;
      const salvage = directory === undefined ? undefined : () => new SalvagedExport(directory);
      const { onEvent } = this.#options;
      return exportTo(this.#context, checkPath('exportTo', folder), resolved, { salvage, onEvent });
    });
  }

  /**
   * Adds the documents of a directory that `exportTo` wrote. Their vectors come along: nothing is embedded. An export of a damaged
   * index is refused unless `partial` is true.
   *
   * @throws INVALID_FILE, NEWER_FORMAT, SPACE_MISMATCH (another model), INVALID_ARGUMENT (another metric), READ_ONLY, BUSY, IO.
   */
  importFrom(folder: string, options?: Given<ImportOptions>): Promise<AddResult> {
    return this.#run(async () => {
      const resolved = resolveOptions('importFrom', options, importDefaults);
      this.#refuseReadonly('importFrom');
      return importFrom(this.#context, checkPath('importFrom', folder), resolved);
    });
  }

  /**
   * Writes all documents as one Annoy file that Python's annoy loads, and beside it `PATH.ids.jsonl` with the id of each item,
   * one JSON value a line. Returns how many there are.
   *
   * @throws INVALID_ARGUMENT, IO.
   */
  exportAnn(path: string): Promise<number> {
    return this.#run(() => this.#backend.exportForest(checkPath('exportAnn', path)));
  }

  /** @internal What `sync` and de-duplication remember of sources and duplicates. */
  get [storedNotes](): StoredNotes {
    this.#work.refuseClosed();
    return this.#backend.notes;
  }

  /** Figures of the index as it is now. */
  stats(): Promise<IndexStats> {
    return this.#run(async () => indexStats(this.#backend, this.#provider, await this.#recall.tuning()));
  }

  /** Waits for what is under way, ends background work and closes all files. Closing twice is no error. */
  close(): Promise<void> {
    return this.#work.close(async () => {
      await this.#recall.stop();
      await this.#backend.close();
      await this.#context.space.shared.close();
      if (this.#ownsProvider) await this.#provider?.close?.();
    });
  }

  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #run<T>(work: () => Promise<T>): Promise<T> {
    return this.#work.run(work);
  }

  #refuseReadonly(method: string): void {
    if (this.#options.readonly) throw new SemanticIndexError('READ_ONLY', `${method}: the index was opened read-only`);
  }
}
