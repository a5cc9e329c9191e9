import type { Backend, BackendFacts, ExportedBatch, Settings } from '../backend/backend.js';
import type {
  DocumentChange,
  DocumentOutcome,
  DocumentRows,
  DocumentTerms,
  FreshVectors,
  IncomingDocument,
  KnownDuplicates,
  Representative,
  StoredDocument,
  StoredVector,
  VectorRole,
} from '../backend/documents.js';
import type { DeclaredTypes, FilterTree } from '../backend/filter-tree.js';
import type { StoredNotes } from '../backend/notes.js';
import type {
  KeyedNeighbor,
  KeyedVector,
  ReadSnapshot,
  SnapshotRequest,
  VectorSearch,
} from '../backend/read-snapshot.js';
import type { Space } from '../backend/space.js';
import { crashPoint } from '../crash-points.js';
import type { FieldType } from '../options.js';
import { type Random, sampleNumbers } from '../random.js';
import type { DiskUsage, DocumentId, LongWorkOptions, Metric, ValidationReport } from '../types.js';
import { packVectors } from '../vectors/pack-vectors.js';
import { whileFilesAreKept, writeBackup } from './backup.js';
import { Catalog } from './catalog/catalog.js';
import { columnsOf } from './catalog/document-commits.js';
import { catalogAccess } from './catalog-access.js';
import { changeAnalysis } from './change-analysis.js';
import { DeclaredFields } from './declared-fields.js';
import { identify } from './directory/file-identity.js';
import { bytesOnDisk, type IndexPaths, prepareDirectory, refuseLostDatabase, syncPath } from './directory/files.js';
import { restoreSegmentFolder } from './directory/segment-directory.js';
import { exportBatches } from './export-batches.js';
import { factsOf } from './facts.js';
import { Migration } from './migration.js';
import { type OpenSpace, openSpace } from './open-space.js';
import { QueryCache } from './query-cache.js';
import type { LocalReads } from './snapshot/reads.js';
import type { Damage } from './snapshot/segment-context.js';
import type { SnapshotManager } from './snapshot/snapshot-manager.js';
import type { CatalogOptions } from './sqlite/connection.js';
import { prepareSqlite } from './sqlite/sqlite.js';
import { fromSqliteError } from './sqlite/sqlite-error.js';
import { checkMetricOf, type StoreOptions } from './store-options.js';
import { Validations } from './validations.js';
import { storedSettings } from './watched-settings.js';
import { cancellableBuild } from './writer/cancellable-build.js';
import type { CatalogClient } from './writer/catalog-client.js';
import { CatalogNotes } from './writer/catalog-notes.js';
import { consistentRead } from './writer/consistent-read.js';

/**
 * The embedded backend: a catalog (SQLite) in a directory or in memory, segments derived from it, the snapshots that searches read,
 * and background work.
 */
export class Store implements Backend {
  readonly metric: Metric;
  readonly commitsVectors = true;
  readonly migration: Migration;
  readonly queries: QueryCache;
  readonly settings: Settings;
  readonly notes: StoredNotes;
  readonly #options: StoreOptions;
  readonly #paths: IndexPaths | undefined;
  readonly #connection: CatalogOptions;
  readonly #connected: Catalog;
  readonly #writer: CatalogClient;
  readonly #reader: CatalogClient;
  readonly #reads: LocalReads;
  readonly #fields: DeclaredFields;
  readonly #validations: Validations;
  #open: OpenSpace | undefined;

  private constructor(
    options: StoreOptions,
    paths: IndexPaths | undefined,
    connection: CatalogOptions,
    catalog: Catalog,
  ) {
    this.#options = options;
    this.#paths = paths;
    this.#connection = connection;
    this.#connected = catalog;
    const { writer, reader, reads } = catalogAccess(catalog, connection, () => this.#catalog);
    [this.#writer, this.#reader, this.#reads] = [writer, reader, reads];
    this.metric = catalog.settings.all()?.metric as Metric;
    const stored = storedSettings(catalog, () => void this.#catalog, paths !== undefined);
    this.settings = { get: async (name) => stored(name), set: (name, value) => writer.settings.set(name, value) };
    this.notes = new CatalogNotes(writer, reader);
    this.#fields = new DeclaredFields(stored, writer);
    this.#validations = new Validations(connection, reader);
    this.migration = new Migration(writer, reader, this.metric);
    this.queries = new QueryCache(() => this.#catalog, options.readonly ? undefined : writer, options.queryCache);
  }

  /** The catalog, checked to be the file at its path. */
  get #catalog(): Catalog {
    this.#connected.requireSameFile(this.#connection.file);
    return this.#connected;
  }

  /**
   * @throws NOT_AN_INDEX, NEWER_FORMAT, READ_ONLY, IO, BUSY, CORRUPT; INVALID_ARGUMENT when the index has another metric.
   */
  static async open(directory: string, options: StoreOptions): Promise<Store> {
    const memory = directory === ':memory:';
    const preparing = memory ? undefined : prepareDirectory(directory, options.create && !options.readonly);
    // SQLite is loaded while the file system responds.
    const [paths] = await Promise.all([preparing, prepareSqlite()]);
    const { readonly, durability, busyTimeout } = options;
    const path = paths?.database ?? ':memory:';
    const first: CatalogOptions = { path, readonly: readonly && !memory, durability, busyTimeout };
    const catalog = Catalog.open(first);
    let store: Store | undefined;
    try {
      if (paths !== undefined && !catalog.isNamed()) await refuseLostDatabase(paths, 1);
      if (!readonly || memory) catalog.initialize(options.metric ?? 'angular');
      else catalog.requireSettings();
      checkMetricOf(catalog, options.metric);
      if (paths !== undefined && !readonly && durability === 'full') await syncPath(paths.directory);
      if (paths !== undefined && !readonly) await restoreSegmentFolder(paths.segments, options.onEvent);
      const file = paths && identify(paths.database);
      const connection: CatalogOptions = { ...first, file };
      store = new Store(options, paths, connection, catalog);
      await changeAnalysis(catalog, store.#writer, options);
      await store.#openSpace();
      return store;
    } catch (error) {
      if (store === undefined) catalog.close();
      else await store.close();
      throw fromSqliteError(error);
    }
  }

  /** Opens the space of the index, if it has one by now and it is not open yet. */
  async #openSpace(): Promise<OpenSpace | undefined> {
    const previous = this.#open;
    if (previous !== undefined && this.#isCurrent(previous.space)) return previous;
    const space = this.#catalog.space();
    if (space === undefined) return undefined;
    const open = openSpace(space, {
      reads: this.#reads,
      options: this.#options,
      directory: this.#paths?.segments,
      metric: this.metric,
      writer: this.#writer,
      reader: this.#reader,
      isCurrent: (segment) => this.#catalog.segments.all().some((row) => row.segment === segment),
      onDamage: (damage) => this.#onDamage(damage),
    });
    this.#open = open;
    previous?.snapshots.close();
    await previous?.scrubber?.stop();
    await previous?.maintenance?.stop();
    await open.snapshots.load(() => this.#schedule(this.#hasLeftovers()));
    return open;
  }

  #isCurrent({ space }: Space): boolean {
    return this.#catalog.settings.get('space') === space;
  }

  /** Runs work on the snapshots of the current space; again, if the index moves to another space meanwhile. */
  async #inSpace<T>(work: (snapshots: SnapshotManager) => Promise<T>): Promise<T | undefined> {
    for (let isOpen = this.#open !== undefined; ; isOpen = false) {
      const open = this.#open;
      try {
        // Snapshots of an open space notice by themselves that the index has moved.
        const current = isOpen ? open : await this.#openSpace();
        return current === undefined ? undefined : await work(current.snapshots);
      } catch (error) {
        if (open === this.#open && (open === undefined || this.#isCurrent(open.space))) throw error;
      }
    }
  }

  /** Whether files can be removed: of replaced segments, or of a build that died. */
  #hasLeftovers(): boolean {
    if (this.#paths === undefined || this.#options.readonly) return false;
    return this.#catalog.segments.retired().length > 0;
  }

  #onDamage(damage: Damage): void {
    this.#options.onEvent(damage);
    this.#schedule();
  }

  #schedule(always = false): void {
    const { maintenance, snapshots } = this.#open ?? {};
    if (!this.#options.background || maintenance === undefined || snapshots === undefined) return;
    if (always || maintenance.wants(snapshots.current)) maintenance.schedule();
  }

  get space(): Space | undefined {
    return this.#open?.space;
  }

  get lastFields(): DeclaredTypes | undefined {
    return this.#fields.last;
  }

  async fields(): Promise<DeclaredTypes> {
    return this.#fields.types();
  }

  declareFields(fields: Readonly<Record<string, FieldType>>): Promise<void> {
    return this.#fields.declare(fields);
  }

  async chooseSpace(fingerprint: string, dimensions: number, canaries: string | null): Promise<Space> {
    const space = await this.#writer.catalog.chooseSpace(fingerprint, dimensions, canaries);
    await this.#openSpace();
    return space;
  }

  classify(documents: readonly { id: DocumentId; hash: string }[]): Promise<DocumentChange[]> {
    return this.#reader.commits.classify(
      documents.map(({ id }) => id),
      documents.map(({ hash }) => hash),
    );
  }

  findVectors(space: number, role: VectorRole, hashes: readonly string[]): Promise<number[]> {
    return this.#reader.vectors.find(space, role, hashes);
  }

  putVectors(
    space: number,
    role: VectorRole,
    hashes: readonly string[],
    vectors: readonly Float32Array[],
  ): Promise<number[]> {
    return this.#writer.vectors.put(space, role, hashes, packVectors(vectors));
  }

  readVectors(numbers: readonly number[]): Promise<(StoredVector | undefined)[]> {
    return this.#reader.vectors.read(numbers);
  }

  findDuplicates(ids: readonly DocumentId[], vectors: readonly number[], dimensions: number): Promise<KnownDuplicates> {
    return this.#reader.duplicates.look(ids, vectors, dimensions);
  }

  representatives(keys: readonly number[]): Promise<Representative[]> {
    return this.#reader.duplicates.representatives(keys);
  }

  async commit(
    documents: readonly IncomingDocument[],
    terms?: DocumentTerms,
    fresh?: FreshVectors,
  ): Promise<readonly (DocumentOutcome | undefined)[]> {
    const committed = await this.#writer.catalog.commit(columnsOf(documents), terms, fresh);
    await this.#inSpace((snapshots) => snapshots.follow(committed));
    const { maintenance, snapshots } = this.#open ?? {};
    if (this.#options.background && snapshots !== undefined) maintenance?.scheduleAfter(documents.length, snapshots);
    return committed?.outcomes ?? documents.map(() => undefined);
  }

  setMetadata(changes: readonly { id: DocumentId; metadata: string | null }[]): Promise<number> {
    return this.#writer.commits.setMetadata(changes);
  }

  async deleteByIds(ids: readonly DocumentId[], signal?: AbortSignal): Promise<number> {
    const deleted = await this.#writer.until(signal).documents.deleteByIds(ids);
    await this.#afterWrite();
    return deleted;
  }

  async deleteWhere(filter: FilterTree, signal?: AbortSignal): Promise<number> {
    const deleted = await this.#writer.until(signal).documents.deleteWhere(this.#fields.compile(filter));
    await this.#afterWrite();
    return deleted;
  }

  replaceVectors(space: number, keys: readonly number[], vectors: readonly Float32Array[]): Promise<void> {
    return this.#writer.documents.replaceVectors(space, keys, packVectors(vectors));
  }

  async #afterWrite(): Promise<void> {
    await this.#inSpace((snapshots) => snapshots.refresh());
    this.#schedule();
  }

  async snapshot(request: SnapshotRequest = {}): Promise<ReadSnapshot | undefined> {
    const snapshot = await this.#openSnapshot(request);
    return request.checkFields === undefined ? snapshot : this.#fields.checkIn(snapshot, request.checkFields);
  }

  async #openSnapshot({ filter, fields, boosted, signal }: SnapshotRequest): Promise<ReadSnapshot | undefined> {
    signal?.throwIfAborted();
    if (fields !== undefined || boosted !== undefined) {
      const request = this.#fields.compileForColumns(fields, boosted);
      const own = this.#fields.compileForSnapshot(filter);
      return this.#inSpace((snapshots) => snapshots.openWithFields(own, request, signal));
    }
    const now = filter === undefined ? this.#open?.snapshots.openNow() : undefined;
    if (now !== undefined) return now;
    const compiled = this.#fields.compileForSnapshot(filter);
    return this.#inSpace((snapshots) => snapshots.open(compiled, signal));
  }

  async search(search: VectorSearch): Promise<KeyedNeighbor[][]> {
    const snapshot = await this.snapshot();
    if (snapshot === undefined) return Array.from({ length: search.count }, () => []);
    return snapshot.search(search).finally(() => snapshot.close());
  }

  async byIds(ids: readonly DocumentId[]): Promise<(StoredDocument | undefined)[]> {
    return this.#catalog.documents.byIds(ids);
  }

  async byKeys(keys: readonly number[]): Promise<(StoredDocument | undefined)[]> {
    return this.#catalog.documents.byKeys(keys);
  }

  async vectorOf(id: DocumentId): Promise<KeyedVector | undefined> {
    return this.#catalog.documents.vectorOf(id);
  }

  vectorsByKeys(keys: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    return this.#reader.until(signal).documents.vectorsByKeys(keys, this.space?.dimensions ?? 0);
  }

  list(
    filter: FilterTree | undefined,
    limit: number,
    afterKey: number,
    maxBytes: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<DocumentRows> {
    return this.#reader.until(signal).pages.list(this.#fields.compileIfAny(filter), limit, afterKey, maxBytes);
  }

  count(filter?: FilterTree, signal?: AbortSignal): Promise<number> {
    return this.#reader.until(signal).documents.count(this.#fields.compileIfAny(filter));
  }

  async lastKey(): Promise<number> {
    return this.#catalog.documents.lastKey();
  }

  async sampleKeys(count: number, random: Random): Promise<number[]> {
    const keys = await this.#reader.documents.keys({ sql: '1', parameters: [] });
    return sampleNumbers(count, keys.length, random).map((place) => keys[place] as number);
  }

  textsAfter(afterKey: number, limit: number): Promise<{ key: number; text: string }[]> {
    return this.#reader.documents.textsAfter(afterKey, limit);
  }

  rebuildSegments(options: LongWorkOptions): Promise<void> {
    return this.#maintain(options, async ({ snapshots, maintenance }) => {
      await snapshots.forget();
      await maintenance?.rebuildAll(options);
      await snapshots.refresh();
    });
  }

  /** Works on the segments of the current space; again, if the index moves to another space meanwhile. */
  async #maintain({ signal }: LongWorkOptions, work: (open: OpenSpace) => Promise<void>): Promise<void> {
    for (;;) {
      const open = await this.#openSpace();
      try {
        if (open !== undefined) await work(open);
        return;
      } catch (error) {
        signal?.throwIfAborted();
        if (open === undefined || (open === this.#open && this.#isCurrent(open.space))) throw error;
      }
    }
  }

  async optimize(options: LongWorkOptions & { readonly full: boolean }): Promise<{ vectors: number }> {
    await this.#maintain(options, async ({ maintenance }) =>
      options.full ? maintenance?.buildAll(options) : maintenance?.optimize(options),
    );
    options.signal?.throwIfAborted();
    await this.#writer.terms.purge();
    const vectors = await this.#writer.vectors.purge();
    crashPoint('compact.vectors-purged');
    options.signal?.throwIfAborted();
    if (vectors > 0 || (await this.#writer.catalog.isSparse())) await this.#writer.catalog.vacuum();
    crashPoint('compact.pages-released');
    await this.#writer.catalog.checkpoint();
    crashPoint('compact.log-emptied');
    return { vectors };
  }

  validate(level: 'quick' | 'full', signal?: AbortSignal): Promise<ValidationReport> {
    const request = { directory: this.#paths?.segments, level, metric: this.metric };
    return this.#validations.run(request, signal);
  }

  /** Runs a long read at one point in time. In memory there is one connection: the read sees later writes. */
  #consistentRead<T>(read: (catalog: CatalogClient) => AsyncGenerator<T>): AsyncGenerator<T> {
    return this.#paths === undefined ? read(this.#reader) : consistentRead(this.#connection, read);
  }

  exportBatches(size: number): AsyncGenerator<ExportedBatch> {
    const isOnePoint = this.#paths !== undefined;
    return this.#consistentRead((catalog) => exportBatches(catalog, size, isOnePoint));
  }

  async exportForest(path: string, { signal, onProgress }: LongWorkOptions): Promise<number> {
    const { trees, seed, threads } = this.#options;
    const dimensions = this.space?.dimensions ?? 0;
    const request = { path, metric: this.metric, dimensions, trees, seed, threads };
    const reading = this.#consistentRead(async function* (catalog) {
      yield await cancellableBuild(catalog, signal, () => catalog.builder.exportForest(request));
    });
    const { value: items = 0 } = await reading.next().finally(() => reading.return(undefined));
    onProgress?.({ stage: 'export', done: items, total: items });
    return items;
  }

  backup(target: string, options: LongWorkOptions): Promise<void> {
    const copy = (path: string): Promise<void> => this.#reader.catalog.copyTo(path);
    const write = (): Promise<void> => writeBackup(this.#paths?.segments, target, copy, options);
    return this.#options.readonly ? write() : whileFilesAreKept(this.#writer, write);
  }

  async facts(): Promise<BackendFacts> {
    const snapshot = await this.#inSpace((snapshots) => snapshots.refresh());
    return factsOf(snapshot, this.#catalog.segments.all());
  }

  async bytes(): Promise<DiskUsage> {
    const { segments, tailImages } = this.#catalog;
    if (this.#paths !== undefined) return bytesOnDisk(this.#paths, segments.all(), tailImages.get()?.file);
    const none = { segments: 0, forests: 0, graphs: 0, terms: 0, columns: 0, tailImage: 0 };
    return { database: this.#catalog.bytes().used, ...none };
  }

  async close(): Promise<void> {
    await Promise.all([this.#open?.scrubber?.stop(), this.#open?.maintenance?.stop(), this.#open?.snapshots.settle()]);
    await this.queries.settle();
    await this.#open?.maintenance?.saveTail(this.#open.snapshots.current);
    await Promise.all([this.#writer.close(), this.#reader.close()]);
    this.#open?.snapshots.close();
    this.#reads.close();
    this.#connected.close();
  }
}
