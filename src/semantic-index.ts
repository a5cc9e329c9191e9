import type { StoredNotes } from './backend/notes.js';
import { SemanticIndexError } from './errors.js';
import { type IndexLocation, openIndex, salvageOf } from './open-index.js';
import type { IndexContext } from './operations/context.js';
import * as documents from './operations/documents.js';
import { evaluate } from './operations/evaluate/evaluate.js';
import { indexStats } from './operations/index-stats.js';
import { searchMany } from './operations/search/search-many.js';
import * as upkeep from './operations/upkeep.js';
import { refuseRemovedMethods } from './options/removed-methods.js';
import type {
  AddOptions,
  BackupOptions,
  CountOptions,
  DeleteOptions,
  EvaluateOptions,
  ExportOptions,
  FacetsOptions,
  ImportOptions,
  ListOptions,
  MigrateOptions,
  OpenOptions,
  OptimizeOptions,
  PlanOptions,
  RebuildOptions,
  SearchOptions,
  SuggestOptions,
  TuneOptions,
  UpdateOptions,
  ValidateOptions,
} from './options.js';
import { PendingCalls } from './pending-calls.js';

// biome-ignore format: the list is longer than what it is for
import type {
  AddPlan, AddResult, Document, DocumentId, DocumentPage, DocumentSelection, Documents, DocumentWithVector,
  EmbeddingProvider, EvaluationResult, ExportResult, FacetsResult, IndexStats, JudgedQuestion, Metadata,
  MetadataUpdate, MigrationResult, OptimizeResult, Query, SearchResult, Suggestion, TuneResult, ValidationReport,
} from './types.js';

/** Key of the notes that `sync` and de-duplication keep between runs. Internal. */
export const storedNotes: unique symbol = Symbol('semantic-index.stored-notes');

/**
 * A semantic search index: documents with text, metadata and embedding vectors in one directory.
 *
 * What `addDocuments` has acknowledged is durable, and found by the next search of this process and of others. Every method rejects
 * with a {@link SemanticIndexError}, after `close` with code CLOSED. Methods with a `signal` reject with its reason when it
 * aborts; committed work stays.
 *
 * @example
 * await using index = await SemanticIndex.open('my-index');
 * await index.addDocuments(['The harbour is quiet at night.', 'A fox crossed the field.']);
 * const { hits } = await index.search('calm port', { k: 1 });
 */
export class SemanticIndex<M extends Metadata = Metadata> {
  readonly #context: IndexContext;
  readonly #ownsProvider: boolean;
  readonly #calls = new PendingCalls();

  private constructor(context: IndexContext) {
    this.#context = context;
    this.#ownsProvider = context.options.provider === undefined;
  }

  /**
   * Opens the index in a directory, and creates it if the directory is empty or missing. `':memory:'` opens an index that ends with
   * the process and is searched exactly. `postgres({ ... })`, or the address `postgres://host/database#name`, opens an index in
   * PostgreSQL.
   *
   * @throws NOT_AN_INDEX, NEWER_FORMAT, SPACE_MISMATCH (made with another model), READ_ONLY, BUSY, IO, CORRUPT,
   *   MODEL_NOT_FOUND, INVALID_ARGUMENT, UNKNOWN_OPTION.
   * @example
   * await using index = await SemanticIndex.open('my-index', { readonly: true });
   */
  static async open<M extends Metadata = Metadata>(
    location: IndexLocation,
    options?: OpenOptions<M>,
  ): Promise<SemanticIndex<M>> {
    return new SemanticIndex<M>(await openIndex(location, options as OpenOptions | undefined));
  }

  /**
   * Returns the document with an id, or undefined.
   *
   * @throws INVALID_ID.
   * @example
   * const document = await index.getDocument('a');
   */
  async getDocument(id: DocumentId): Promise<Document<M> | undefined> {
    const [document] = await this.getDocuments([id]);
    return document;
  }

  /**
   * Returns the documents with these ids, in their order; undefined for an unknown id.
   *
   * @throws INVALID_ID, INVALID_ARGUMENT.
   * @example
   * const [a, b] = await index.getDocuments(['a', 'b']);
   */
  getDocuments(ids: readonly DocumentId[]): Promise<(Document<M> | undefined)[]> {
    return this.#read(() => documents.getDocuments<M>(this.#context, ids));
  }

  /**
   * Returns the vectors of the documents with these ids, in their order; undefined for an unknown id.
   *
   * @throws INVALID_ID, INVALID_ARGUMENT.
   * @example
   * const [vector] = await index.getVectors(['a']);
   */
  getVectors(ids: readonly DocumentId[]): Promise<(Float32Array | undefined)[]> {
    return this.#read(() => documents.getVectors(this.#context, ids));
  }

  /**
   * Returns the words of each text that the model of the index knows; see `EmbeddingProvider.knownWords`. Undefined for each text
   * if the provider does not declare them.
   *
   * @throws INVALID_ARGUMENT, SPACE_MISMATCH, MODEL_NOT_FOUND.
   * @example
   * const [words] = await index.knownWords(['A parcel №5, посылка']);
   */
  knownWords(texts: readonly string[]): Promise<readonly (string | undefined)[]> {
    return this.#read(() => documents.knownWords(this.#context, texts));
  }

  /**
   * Returns one page of the documents, oldest first. `next` of a page is `after` of the following one.
   *
   * @throws INVALID_ARGUMENT, INVALID_FILTER, UNKNOWN_OPTION.
   * @example
   * const { documents, next } = await index.listDocuments({ limit: 50, where: { lang: 'en' } });
   */
  listDocuments(options?: ListOptions<M>): Promise<DocumentPage<M>> {
    return this.#read(() => documents.listDocuments(this.#context, options));
  }

  /**
   * Returns the number of documents, or of those that match a filter.
   *
   * @throws INVALID_FILTER, UNKNOWN_OPTION.
   * @example
   * const english = await index.count({ where: { lang: 'en' } });
   */
  count(options?: CountOptions<M>): Promise<number> {
    return this.#read(() => documents.countDocuments(this.#context, options));
  }

  /**
   * Counts documents by the values of fields, by ranges, or by calendar intervals: all documents, or those that match a filter. Counts
   * are exact. A document with a list counts once for each of its different elements.
   *
   * @throws INVALID_ARGUMENT for a field that no document has, or ranges that are not; INVALID_FILTER, UNKNOWN_OPTION.
   * @example
   * const { facets } = await index.facets({ fields: ['lang'], where: { lang: { $ne: 'de' } } });
   */
  facets(options: FacetsOptions<M>): Promise<FacetsResult> {
    return this.#read(() => documents.facets(this.#context, options));
  }

  /**
   * Finds the documents nearest to a text, a vector, or another document (which is excluded), best first. Returns min(`k`, matching
   * documents) hits, unless `minScore` excludes some. `next` of a result is `after` of the following page: no document is returned
   * twice.
   *
   * @throws INVALID_TEXT, INVALID_VECTOR, DIMENSION_MISMATCH, NOT_FOUND (unknown id as query), INVALID_FILTER, INVALID_ARGUMENT,
   *   TOO_LARGE, PROVIDER_FAILED, PROVIDER_INVALID, UNKNOWN_OPTION.
   * @example
   * const { hits, next } = await index.search('harbour at night', { k: 5, where: { lang: 'en' } });
   * const page2 = await index.search('harbour at night', { k: 5, where: { lang: 'en' }, after: next });
   */
  async search(query: Query, options?: SearchOptions<M>): Promise<SearchResult<M>> {
    const [result] = await this.searchMany([query], options);
    return result as SearchResult<M>;
  }

  /**
   * Searches for several queries at once and returns their results in the same order. Faster than one `search` after the other.
   *
   * @throws as `search`; INVALID_ARGUMENT for `after` with several queries.
   * @example
   * const [harbours, foxes] = await index.searchMany(['quiet port', 'wild animals'], { k: 3 });
   */
  searchMany(queries: readonly Query[], options?: SearchOptions<M>): Promise<SearchResult<M>[]> {
    return this.#read(() => searchMany<M>(this.#context, queries, options));
  }

  /**
   * Completes the last word of a text that is being typed: words of the documents, those in most documents first. The index holds stems:
   * a suggestion is the most frequent form that begins with what was typed, in the first documents that have its stem.
   *
   * @throws INVALID_ARGUMENT, INVALID_FILTER, UNKNOWN_OPTION.
   * @example
   * const [first] = await index.suggest('harbour at ni', { limit: 5 });
   */
  suggest(text: string, options?: SuggestOptions<M>): Promise<Suggestion[]> {
    return this.#read(() => documents.suggestWords<M>(this.#context, text, options));
  }

  /**
   * Adds documents, and replaces those whose id exists. Unchanged documents are skipped, and a known text is not embedded again. On
   * return all are durable and searchable.
   *
   * An array is checked as a whole before anything is written; an iterable is checked and committed batch by batch. Batches that were
   * committed before an error or an abort stay.
   *
   * @throws INVALID_TEXT, INVALID_ID, INVALID_METADATA, INVALID_VECTOR, DUPLICATE_ID, DIMENSION_MISMATCH, UNKNOWN_OPTION,
   *   READ_ONLY, BUSY, IO, and from the provider PROVIDER_FAILED, PROVIDER_INVALID, INPUT_TOO_LONG.
   * @example
   * await index.addDocuments([{ id: 'a', text: 'The harbour is quiet.', metadata: { lang: 'en' } }]);
   */
  addDocuments(input: Documents<M>, options?: AddOptions): Promise<AddResult> {
    return this.#write('addDocuments', () => documents.addDocuments(this.#context, input, options));
  }

  /**
   * Estimates an `addDocuments` call without calling the provider: new, changed and unchanged documents, the texts to embed, their
   * tokens, and cost and time where they are known.
   *
   * @throws INVALID_TEXT, INVALID_ID, INVALID_METADATA, INVALID_VECTOR, UNKNOWN_OPTION.
   * @example
   * const { embed, tokens, cost } = await index.plan(texts, { pricePerMillionTokens: 0.02 });
   */
  plan(input: Documents<M>, options?: PlanOptions): Promise<AddPlan> {
    return this.#read(() => documents.planDocuments(this.#context, input, options));
  }

  /**
   * Deletes documents by id, or those that match a filter, and returns their number. The next search of any process no longer finds
   * them. A filter that matches every document by its form, such as `{}`, is refused; `{ all: true }` deletes all documents.
   *
   * @throws INVALID_ID, INVALID_FILTER, INVALID_ARGUMENT, UNKNOWN_OPTION, READ_ONLY, BUSY, IO.
   * @example
   * await index.deleteDocuments(['a', 'b']);
   * await index.deleteDocuments({ where: { expired: true } });
   */
  deleteDocuments(
    which: DocumentId | readonly DocumentId[] | DocumentSelection<M>,
    options?: DeleteOptions,
  ): Promise<number> {
    return this.#write('deleteDocuments', () => documents.deleteDocuments(this.#context, which, options));
  }

  /**
   * Replaces the metadata of documents without touching text or vector, and returns the number of documents updated. Unknown ids
   * are skipped, unless `onMissing` is `error`.
   *
   * @throws INVALID_ARGUMENT, UNKNOWN_OPTION (a misspelt member), INVALID_ID, DUPLICATE_ID, INVALID_METADATA, NOT_FOUND,
   *   READ_ONLY, BUSY, IO.
   * @example
   * await index.updateMetadata([{ id: 'a', metadata: { lang: 'en', year: 2020 } }]);
   */
  updateMetadata(changes: readonly MetadataUpdate<M>[], options?: UpdateOptions): Promise<number> {
    return this.#write('updateMetadata', () => documents.updateMetadata(this.#context, changes, options));
  }

  /**
   * Builds segments for new documents, merges segments (those of an index of up to 8 times `ann.sealAt` documents into one), drops
   * deleted documents and unused vectors, and returns freed pages to the file system. With `full`, all documents are rewritten into a single segment, which searches fastest. Searches and adds
   * continue meanwhile. With `ann.background` the index does most of this on its own.
   *
   * @throws READ_ONLY, BUSY (another process is building), IO.
   * @example
   * const { bytesBefore, bytesAfter } = await index.optimize({ full: true });
   */
  optimize(options?: OptimizeOptions): Promise<OptimizeResult> {
    return this.#write('optimize', () => upkeep.optimize(this.#context, options));
  }

  /**
   * Finds the fastest search setting that reaches a recall, measured against exact search, and stores it: searches of every process
   * use it unless they set `searchK` or `exact`. Returns the measured curve of recall and time, also as SVG. If exact search is
   * as fast, it is chosen.
   *
   * @throws INVALID_ARGUMENT (the index is empty), READ_ONLY unless `dryRun`, BUSY, IO, and with texts as queries the errors of
   *   the provider.
   * @example
   * const { tuning } = await index.tune({ recall: 0.98 });
   */
  tune(options?: TuneOptions): Promise<TuneResult> {
    const work = (): Promise<TuneResult> => upkeep.tuneIndex(this.#context, options);
    return options?.dryRun === true ? this.#read(work) : this.#write('tune', work);
  }

  /**
   * Measures how well searches answer questions whose right documents are known: nDCG, recall, reciprocal rank, hit rate, precision
   * and average precision of the first `k` hits, equal to those of trec_eval, with bootstrap intervals. With `compare` several ways
   * of searching answer the same questions, and a paired test says which is better or whether the difference may be chance. With
   * `fit` the weight between words and meaning is chosen by cross-validation and kept.
   *
   * @throws INVALID_ARGUMENT, UNKNOWN_OPTION, INVALID_ID, NOT_FOUND (a judged id that the index does not have), READ_ONLY with `fit`
   *   unless `dryRun`, and the errors of `search`.
   * @example
   * const questions = [{ query: 'Where do ships rest?', relevant: ['a'] }];
   * const { variants, comparisons } = await index.evaluate(questions, { compare: [{ mode: 'hybrid' }, { mode: 'vector' }] });
   */
  evaluate(questions: readonly JudgedQuestion[], options?: EvaluateOptions<M>): Promise<EvaluationResult> {
    const work = (): Promise<EvaluationResult> => evaluate(this.#context, questions, options, openIndex);
    return options?.fit === true && !options.dryRun ? this.#write('evaluate', work) : this.#read(work);
  }

  /**
   * Checks the catalog and the segments for damage and reports each check with its severity and a hint. Only reads. Damaged segments
   * are warnings: they cost speed, never answers.
   *
   * @throws INVALID_ARGUMENT, UNKNOWN_OPTION.
   * @example
   * const { valid, checks } = await index.validate({ level: 'full' });
   */
  validate(options?: ValidateOptions): Promise<ValidationReport> {
    return this.#read(() => upkeep.validateIndex(this.#context, options));
  }

  /**
   * Rebuilds derived data: the segments from the stored vectors or, with `from: 'texts'`, first the vectors from the texts. Searches
   * continue meanwhile.
   *
   * @throws READ_ONLY, BUSY, IO, and with `from: 'texts'` the errors of the provider.
   * @example
   * await index.rebuild({ from: 'texts' });
   */
  rebuild(options?: RebuildOptions): Promise<void> {
    return this.#write('rebuild', () => upkeep.rebuildIndex(this.#context, options));
  }

  /**
   * Migrates the index to another model without downtime: embeds all texts with `provider` beside the existing vectors, then
   * switches in one transaction. An interrupted migration, even by a kill, is continued by the next call; nothing is embedded
   * twice. The old vectors stay until `optimize()`, so migrating back is free until then. Afterwards open the index with
   * `provider`; other processes that have it open with the old one fail with SPACE_MISMATCH. The caller closes the provider.
   *
   * @throws UNSUPPORTED if documents have vectors of the caller, SPACE_MISMATCH, INVALID_ARGUMENT, READ_ONLY, BUSY (another
   *   migration is running), IO, and the errors of the provider.
   * @example
   * const { embedded, overlap } = await index.migrate(openaiProvider({ model: 'text-embedding-3-large' }));
   */
  migrate(provider: EmbeddingProvider, options?: MigrateOptions): Promise<MigrationResult> {
    return this.#write('migrate', () => upkeep.migrateIndex(this.#context, provider, options));
  }

  /**
   * Writes a consistent copy of the index into a new directory while the index is in use. The directory appears under its name once it
   * is complete and durable; `SemanticIndex.open` opens it.
   *
   * @throws INVALID_ARGUMENT if the target exists, IO.
   * @example
   * await index.backup('backups/monday');
   */
  backup(path: string, options?: BackupOptions): Promise<void> {
    return this.#read(() => upkeep.backupIndex(this.#context, path, options));
  }

  /**
   * Iterates over all documents with their vectors, oldest first, in one consistent snapshot. The snapshot is held until the iteration
   * ends, also by `break`: until then the write-ahead log grows with every write. `close` ends the iteration. It takes no
   * options: a filter is refused, see `listDocuments`.
   *
   * @throws INVALID_ARGUMENT, CLOSED, CORRUPT, IO.
   * @example
   * for await (const { id, vector } of index.documents()) console.log(id, vector.length);
   */
  documents(...none: []): AsyncGenerator<DocumentWithVector<M>> {
    return this.#calls.iterate(upkeep.allDocuments<M>(this.#context, none));
  }

  /**
   * Exports all documents. Format `jsonl` (default) writes a new directory with `documents.jsonl` (one JSON object per line),
   * `vectors.npy` (their vectors in the same order) and `manifest.json`; `importFrom` reads it, and so do NumPy and jq. Format
   * `annoy` writes one Annoy file that Python's annoy loads, and `PATH.ids.jsonl` with the id of each item.
   *
   * A `jsonl` export of a damaged index has every document that can be read: `lost` of the result lists the others, an event
   * `damage` is reported, and `manifest.json` has `complete: false`. Texts whose vectors are lost are in `texts.jsonl`.
   *
   * @throws INVALID_ARGUMENT if the target exists or the index is empty, CORRUPT if the settings cannot be read, IO.
   * @example
   * const { documents, lost } = await index.exportTo('my-export');
   */
  exportTo(path: string, options?: ExportOptions): Promise<ExportResult> {
    return this.#read(() => upkeep.exportTo(this.#context, path, options, salvageOf(this.#context)));
  }

  /**
   * Adds the documents of a directory that `exportTo` wrote, with their vectors: nothing is embedded. The export is checked as a whole
   * before anything is written. An incomplete export (of a damaged index) is refused unless `partial` is true.
   *
   * @throws INVALID_FILE, NEWER_FORMAT, SPACE_MISMATCH (another model), INVALID_ARGUMENT (another metric), READ_ONLY, BUSY, IO.
   * @example
   * const { added } = await index.importFrom('my-export');
   */
  importFrom(directory: string, options?: ImportOptions): Promise<AddResult> {
    return this.#write('importFrom', () => upkeep.importFrom(this.#context, directory, options));
  }

  /** @internal Notes of `sync` and de-duplication on sources and duplicates. */
  get [storedNotes](): StoredNotes {
    this.#calls.refuseClosed();
    return this.#context.backend.notes;
  }

  /**
   * Returns statistics of the index: documents, dimensions, segments, bytes on disk, measured recall.
   *
   * @example
   * const { documents, segments, bytes } = await index.stats();
   */
  stats(): Promise<IndexStats> {
    const { backend, provider, recall } = this.#context;
    return this.#read(async () => indexStats(backend, provider, await recall.tuning()));
  }

  /**
   * Waits for pending calls, stops background work and closes all files. Further calls have no effect.
   *
   * @example
   * await index.close();
   */
  close(): Promise<void> {
    const { backend, space, recall, provider } = this.#context;
    return this.#calls.close(async () => {
      await recall.stop();
      await backend.close();
      await space.shared.close();
      if (this.#ownsProvider) await provider?.close?.();
    });
  }

  /** Same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #read<T>(work: () => Promise<T>): Promise<T> {
    return this.#calls.run(work);
  }

  #write<T>(method: string, work: () => Promise<T>): Promise<T> {
    return this.#calls.run(async () => {
      if (!this.#context.options.readonly) return work();
      throw new SemanticIndexError('READ_ONLY', `${method}: the index was opened read-only`);
    });
  }
}

refuseRemovedMethods('SemanticIndex', SemanticIndex.prototype);
