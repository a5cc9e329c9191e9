import {
  analysisFromSetting,
  analysisSettingName,
  analysisToSetting,
  changedAnalysis,
} from '../analysis/text-analysis.js';
import type { Backend, BackendFacts, ExportedBatch } from '../backend/backend.js';
import type {
  DocumentChange,
  DocumentOutcome,
  DocumentRows,
  DocumentTerms,
  IncomingDocument,
  KnownDuplicates,
  Representative,
  StoredDocument,
  StoredVector,
  VectorRole,
} from '../backend/documents.js';
import type { FilterTree } from '../backend/filter-tree.js';
import type {
  KeyedNeighbor,
  KeyedVector,
  ReadSnapshot,
  SnapshotRequest,
  VectorSearch,
} from '../backend/read-snapshot.js';
import type { Space } from '../backend/space.js';
import { SemanticIndexError } from '../errors.js';
import type { FieldType, ResolvedOpenOptions } from '../options.js';
import type { Random } from '../random.js';
import type { DiskUsage, DocumentId, LongWorkOptions, ValidationReport } from '../types.js';
import { packVectors } from '../vectors/pack-vectors.js';
import { Database, type ReadTransaction, type Statements } from './connection/database.js';
import { openPool } from './connection/pool.js';
import { openRouter, type ReadRouter } from './connection/read-router.js';
import { lockWriter, type SchemaNames } from './connection/schema.js';
import { HnswBuilder } from './hnsw-builder.js';
import { Maintenance, refuseInPostgres } from './maintenance.js';
import { PostgresMigration } from './migration.js';
import { openTables } from './open-tables.js';
import { type BackendOptions, checkOpenOptions, optionsOf, type PostgresLocation } from './postgres-options.js';
import { PostgresQueryCache } from './query-cache.js';
import { PostgresSnapshot, type SharedReads } from './search/postgres-snapshot.js';
import { SelectionCache } from './search/selection-cache.js';
import type { VectorMetric } from './search/vector-search.js';
import { DeclaredFields, typesOfFields } from './tables/declared-fields.js';
import { DocumentReads } from './tables/document-reads.js';
import { DocumentWrites } from './tables/document-writes.js';
import { compileFilter, conditionOf } from './tables/filter-sql.js';
import { bareVersionSql, type IndexState, IndexStates, versionSql } from './tables/index-state.js';
import { NotesTable } from './tables/notes-table.js';
import { Parameters } from './tables/parameters.js';
import { PostingsCache } from './tables/postings-cache.js';
import { SettingsTable, settingNames } from './tables/settings-table.js';
import { TermLists } from './tables/term-lists.js';
import { TermNames } from './tables/term-names.js';
import { VectorTable } from './tables/vector-table.js';

/** An index in a schema of a PostgreSQL database with pgvector. */
export class PostgresBackend implements Backend {
  readonly metric: VectorMetric;
  readonly commitsVectors = false;
  readonly settings: SettingsTable;
  readonly queries: PostgresQueryCache;
  readonly migration: PostgresMigration;
  readonly notes: NotesTable;
  readonly #database: Database;
  readonly #router: ReadRouter;
  readonly #names: SchemaNames;
  readonly #options: BackendOptions;
  readonly #version: string;
  readonly #states: IndexStates;
  readonly #vectors: VectorTable;
  readonly #writes: DocumentWrites;
  readonly #lists: TermLists;
  readonly #shared: SharedReads;
  readonly #fields: DeclaredFields;
  readonly #hnsw: HnswBuilder;
  readonly #maintenance: Maintenance;
  #space: Space | undefined;

  private constructor(
    database: Database,
    router: ReadRouter,
    names: SchemaNames,
    metric: VectorMetric,
    options: BackendOptions,
  ) {
    this.#database = database;
    this.#router = router;
    this.#names = names;
    this.#options = options;
    this.metric = metric;
    this.#states = new IndexStates(names);
    this.#version = versionSql(names);
    const refuse = (): void => this.#refuseReadonly();
    this.settings = new SettingsTable(database, names, refuse);
    this.#vectors = new VectorTable(database, names);
    this.#lists = new TermLists(database, names);
    this.#shared = {
      postings: new PostingsCache(names),
      selections: new SelectionCache(),
      termNames: new TermNames(names),
    };
    this.#writes = new DocumentWrites(database, names, this.settings, this.#lists);
    this.#fields = new DeclaredFields(database, names, this.settings);
    this.#hnsw = new HnswBuilder(database, names, this.settings, metric, options);
    this.#maintenance = new Maintenance(database, names);
    this.queries = new PostgresQueryCache(database, router, names, this.#vectors, options);
    this.migration = new PostgresMigration(database, names, this.settings, this.#vectors, metric, refuse);
    this.notes = new NotesTable(database, names, this.settings, refuse);
  }

  /**
   * Opens the index, or creates it.
   *
   * @throws MISSING_PEER without `pg`; UNSUPPORTED without pgvector 0.8, for the metric hamming, and for options of directories;
   *   UNAVAILABLE, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, NOT_AN_INDEX, NEWER_FORMAT; READ_ONLY; INVALID_ARGUMENT for another metric.
   */
  static async open(address: PostgresLocation, options: ResolvedOpenOptions): Promise<PostgresBackend> {
    const location = optionsOf(address);
    checkOpenOptions(options);
    if (options.metric === 'hamming')
      refuseInPostgres('The metric hamming', 'Use an index in a directory, or another metric.');
    const readonly = location.readonly ?? options.readonly;
    const limits = { lockTimeout: options.storage.busyTimeout, statementTimeout: location.statementTimeout };
    const database = new Database(await openPool(location), limits);
    try {
      const { names, metric: stored } = await openTables(database, location.name, {
        create: options.create,
        readonly,
        metric: options.metric as VectorMetric | undefined,
      });
      const router = await openRouter(database, names, location, limits, options.onEvent);
      const backend = new PostgresBackend(database, router, names, stored, {
        readonly,
        background: options.ann.background,
        buildAt: options.ann.sealAt,
        hnsw: location.hnsw,
        queryCache: options.cache.queries,
      });
      await backend.#changeAnalysis(options);
      await backend.#read(async () => {});
      backend.#hnsw.scheduleFirst();
      return backend;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  get space(): Space | undefined {
    return this.#space;
  }

  #refuseReadonly(): void {
    if (!this.#options.readonly) return;
    throw new SemanticIndexError('READ_ONLY', 'The index was opened with `readonly`');
  }

  /** Reads in one transaction, and notes the space that the index is in. */
  #read<T>(
    work: (reads: DocumentReads, state: IndexState, statements: Statements) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted();
    const read = async (transaction: ReadTransaction): Promise<T> => {
      const state = await this.#stateIn(transaction);
      const result = await work(new DocumentReads(transaction, this.#names), state, transaction);
      signal?.throwIfAborted();
      return result;
    };
    return this.#database.read(this.#version, read, signal);
  }

  /** The state that a transaction sees, which began with its version. */
  async #stateIn(transaction: ReadTransaction): Promise<IndexState> {
    const version = transaction.first.version as number;
    const state = await this.#states.in(transaction, version);
    // Objects stay the same as long as the space does. A replica may not have it yet.
    const isNewest = version >= this.#router.sessionVersion;
    if (isNewest && state.space?.space !== this.#space?.space) this.#space = state.space;
    this.#router.note(version);
    return state;
  }

  async #changeAnalysis(options: ResolvedOpenOptions): Promise<void> {
    const { language, languageField, textFields, textTemplate, readonly } = options;
    const isAsked = [language, languageField, textFields, textTemplate].some((option) => option !== undefined);
    const stored = String((await this.settings.get(analysisSettingName)) ?? '');
    const before = analysisFromSetting(stored === '' ? analysisToSetting({ language: 'en' }) : stored);
    const after = changedAnalysis(before, options, isAsked && (await this.count()) > 0);
    if (analysisToSetting(after) === analysisToSetting(before)) return;
    if (readonly || this.#options.readonly) {
      // Of an earlier version: searched as it is.
      if (analysisToSetting(after) === analysisToSetting({ ...before, exactForms: after.exactForms })) return;
      throw new SemanticIndexError('READ_ONLY', `The words of the index are in language ${before.language}`, {
        hint: 'Leave out `language` and `languageField`, or open it once without `readonly`.',
      });
    }
    await this.#writes.changeAnalysis(after);
  }

  async fields(): Promise<ReadonlyMap<string, FieldType | undefined>> {
    // As of the last read: a search reads them again, with everything else, where they are others by now.
    const { fields } = this.#states.last ?? (await this.#read(async (_, state) => state));
    return typesOfFields(fields);
  }

  async declareFields(fields: Readonly<Record<string, FieldType>>): Promise<void> {
    this.#refuseReadonly();
    await this.#fields.declare(fields);
    await this.#read(async () => {});
  }

  async chooseSpace(fingerprint: string, dimensions: number, canaries: string | null): Promise<Space> {
    const known = await this.#read(async (_, state) => state.space);
    if (known !== undefined) return known;
    this.#refuseReadonly();
    await this.#database.write(async (statements) => {
      await lockWriter(statements, this.#names);
      if ((await this.settings.read(statements, settingNames.space)) !== undefined) return;
      const space = await this.#vectors.ensureSpace(statements, fingerprint, dimensions, canaries);
      await this.settings.write(statements, settingNames.space, space.space);
    });
    return this.#read(async (_, state) => state.space as Space);
  }

  classify(documents: readonly { id: DocumentId; hash: string }[]): Promise<DocumentChange[]> {
    return this.#read((reads) => reads.classify(documents));
  }

  findVectors(space: number, role: VectorRole, hashes: readonly string[]): Promise<number[]> {
    return this.#vectors.find(space, role, hashes);
  }

  async putVectors(
    space: number,
    role: VectorRole,
    hashes: readonly string[],
    vectors: readonly Float32Array[],
  ): Promise<number[]> {
    this.#refuseReadonly();
    return this.#vectors.put(space, role, hashes, packVectors(vectors));
  }

  readVectors(numbers: readonly number[]): Promise<(StoredVector | undefined)[]> {
    return this.#vectors.readNumbers(numbers);
  }

  findDuplicates(ids: readonly DocumentId[], vectors: readonly number[], dimensions: number): Promise<KnownDuplicates> {
    return this.#read((reads) => reads.findDuplicates(ids, vectors, dimensions));
  }

  representatives(keys: readonly number[]): Promise<Representative[]> {
    return this.#read((reads) => reads.representatives(keys));
  }

  async commit(
    documents: readonly IncomingDocument[],
    terms?: DocumentTerms,
  ): Promise<readonly (DocumentOutcome | undefined)[]> {
    this.#refuseReadonly();
    const outcomes = await this.#writes.commit(documents, terms);
    this.#hnsw.scheduleAfter(documents.length);
    return outcomes ?? documents.map(() => undefined);
  }

  async setMetadata(changes: readonly { id: DocumentId; metadata: string | null }[]): Promise<number> {
    this.#refuseReadonly();
    return this.#writes.setMetadata(changes);
  }

  async deleteByIds(ids: readonly DocumentId[], signal?: AbortSignal): Promise<number> {
    this.#refuseReadonly();
    return this.#writes.deleteByIds(ids, signal);
  }

  async deleteWhere(filter: FilterTree, signal?: AbortSignal): Promise<number> {
    this.#refuseReadonly();
    const parameters = new Parameters();
    const condition = compileFilter(filter, parameters);
    return this.#writes.deleteWhere(condition, parameters.values, signal);
  }

  async replaceVectors(space: number, keys: readonly number[], vectors: readonly Float32Array[]): Promise<void> {
    this.#refuseReadonly();
    await this.#vectors.replace(space, keys, packVectors(vectors));
  }

  snapshot(request: SnapshotRequest = {}): Promise<ReadSnapshot | undefined> {
    return this.#database.again(() => this.#openSnapshot(request));
  }

  async #openSnapshot(request: SnapshotRequest): Promise<ReadSnapshot | undefined> {
    request.signal?.throwIfAborted();
    const assumed = this.#assumed(request);
    try {
      if (assumed !== undefined) return await this.#openIn(assumed, request);
    } catch (error) {
      // A filter is read before there is a snapshot that could report its loss.
      if (assumed?.isLost !== true) throw error;
    }
    return this.#openIn(await this.#router.beginRead(this.#version, request), request);
  }

  async #openIn(transaction: ReadTransaction, request: SnapshotRequest): Promise<ReadSnapshot | undefined> {
    const state = await this.#stateIn(transaction).catch((error: unknown) => {
      transaction.close();
      throw error;
    });
    if (state.space === undefined) {
      transaction.close();
      return undefined;
    }
    const space = state.space.space === this.#space?.space ? this.#space : state.space;
    return PostgresSnapshot.open(transaction, this.#shared, this.#names, state, space, this.metric, request);
  }

  /** A reading as of the version that was read last; undefined where this process has read or written a later one. */
  #assumed({ isOptimistic, signal }: SnapshotRequest): ReadTransaction | undefined {
    const version = this.#states.last?.position.version;
    if (isOptimistic !== true || version === undefined || version < this.#router.sessionVersion) return undefined;
    return this.#router.readAt(version, bareVersionSql(this.#names), signal);
  }

  async search(search: VectorSearch): Promise<KeyedNeighbor[][]> {
    const snapshot = await this.snapshot({ signal: search.signal });
    if (snapshot === undefined) return Array.from({ length: search.count }, () => []);
    return snapshot.search(search).finally(() => snapshot.close());
  }

  byIds(ids: readonly DocumentId[]): Promise<(StoredDocument | undefined)[]> {
    return this.#read((reads) => reads.byIds(ids));
  }

  byKeys(keys: readonly number[]): Promise<(StoredDocument | undefined)[]> {
    return this.#read((reads) => reads.byKeys(keys));
  }

  vectorOf(id: DocumentId): Promise<KeyedVector | undefined> {
    return this.#read((reads) => reads.vectorOf(id));
  }

  vectorsByKeys(keys: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    return this.#read((reads, { space }) => reads.vectorsByKeys(keys, space?.dimensions ?? 0, signal), signal);
  }

  list(
    filter: FilterTree | undefined,
    limit: number,
    afterKey: number,
    maxBytes: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<DocumentRows> {
    const condition = (fields: IndexState['fields']) => filter && conditionOf(filter, fields);
    return this.#read((reads, { fields }) => reads.list(condition(fields), limit, afterKey, maxBytes), signal);
  }

  count(filter?: FilterTree, signal?: AbortSignal): Promise<number> {
    return this.#read(
      async (reads, state) => (filter === undefined ? state.documents : reads.count(conditionOf(filter, state.fields))),
      signal,
    );
  }

  async lastKey(): Promise<number> {
    const sequence = `pg_get_serial_sequence('${this.#names.table('documents').replaceAll("'", "''")}', 'key')`;
    const [row] = await this.#database.alone(
      `SELECT coalesce(pg_sequence_last_value(${sequence}::regclass), 0)::float8 AS last`,
    );
    return row?.last as number;
  }

  sampleKeys(count: number, random: Random): Promise<number[]> {
    return this.#read((reads) => reads.sampleKeys(count, random));
  }

  textsAfter(afterKey: number, limit: number): Promise<{ key: number; text: string }[]> {
    return this.#read((reads) => reads.textsAfter(afterKey, limit));
  }

  async *exportBatches(size: number): AsyncGenerator<ExportedBatch> {
    const transaction = await this.#database.again(() => this.#database.beginRead(this.#version));
    try {
      const { space, documents } = await this.#stateIn(transaction);
      if (space !== undefined) yield* new DocumentReads(transaction, this.#names).export(space, documents, size);
    } finally {
      transaction.close();
    }
  }

  async exportForest(): Promise<number> {
    return refuseInPostgres(
      'An export as an Annoy file',
      "Copy the documents with exportTo({ format: 'jsonl' }) and importFrom into an index in a directory, and export that.",
    );
  }

  facts(): Promise<BackendFacts> {
    return this.#read((_, state, statements) => this.#maintenance.facts(statements, state));
  }

  bytes(): Promise<DiskUsage> {
    return this.#read((_reads, _state, statements) => this.#maintenance.bytes(statements));
  }

  async rebuildSegments({ signal }: LongWorkOptions): Promise<void> {
    this.#refuseReadonly();
    await this.#database.write(async (statements) => {
      await lockWriter(statements, this.#names);
      await this.#lists.rewrite(statements);
    }, signal);
    await this.#hnsw.rebuild(signal);
  }

  async optimize({ signal, full }: LongWorkOptions & { readonly full: boolean }): Promise<{ vectors: number }> {
    this.#refuseReadonly();
    const vectors = await this.#vectors.purge();
    await this.#lists.fold();
    signal?.throwIfAborted();
    await this.#database.write(async (statements) => {
      if (!(await this.#lists.hasManyDeleted(statements))) return;
      await lockWriter(statements, this.#names);
      await this.#lists.rewrite(statements);
    }, signal);
    await this.#hnsw.optimize(full, signal);
    signal?.throwIfAborted();
    await this.#maintenance.vacuum();
    return { vectors };
  }

  validate(level: 'quick' | 'full', signal?: AbortSignal): Promise<ValidationReport> {
    return this.#read((_, state, statements) => this.#maintenance.validate(statements, state, level), signal);
  }

  async backup(): Promise<void> {
    refuseInPostgres('backup', 'Use pg_dump or snapshots of the server, or `exportTo` for a copy of the documents.');
  }

  async close(): Promise<void> {
    await this.queries.settle();
    await this.#lists.settle();
    await this.#hnsw.settle();
    await this.#router.close();
  }
}
