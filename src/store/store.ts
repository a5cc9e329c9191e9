import { crashPoint } from '../crash-points.js';
import type { DiskUsage, DocumentId, LongWorkOptions, Metric, ValidationReport } from '../types.js';
import { packVectors } from '../vectors/pack-vectors.js';
import { whileFilesAreKept, writeBackup } from './backup.js';
import { Catalog, type ViewRequest } from './catalog/catalog.js';
import type { DocumentRows } from './catalog/document-pages.js';
import type { DocumentOutcome, IncomingDocument, SqlFilter, StoredDocument } from './catalog/document-table.js';
import type { SegmentRow } from './catalog/segment-table.js';
import type { Space } from './catalog/vector-table.js';
import { rankedWords, type WordMatches } from './catalog/words/text-table.js';
import { identify } from './directory/file-identity.js';
import { bytesOnDisk, type IndexPaths, prepareDirectory, refuseLostDatabase, syncPath } from './directory/files.js';
import { restoreSegmentFolder } from './directory/segment-directory.js';
import { Migration } from './migration.js';
import { type OpenSpace, openSpace } from './open-space.js';
import { QueryCache } from './query-cache.js';
import type { ReadSnapshot, ReadSnapshotSearch } from './snapshot/read-snapshot.js';
import type { Damage } from './snapshot/segment.js';
import type { KeyedNeighbor, Snapshot } from './snapshot/snapshot.js';
import type { CatalogOptions } from './sqlite/connection.js';
import { fromSqliteError } from './sqlite/sqlite-error.js';
import { checkMetricOf, type StoreOptions } from './store-options.js';
import { Validations } from './validations.js';
import type { CatalogClient } from './writer/catalog-client.js';
import { catalogThread } from './writer/catalog-thread.js';
import { consistentRead } from './writer/consistent-read.js';
import { inlineCatalog } from './writer/inline-catalog.js';
import { KnownDocuments } from './writer/known-documents.js';
import { StoredSettings } from './writer/stored-settings.js';

/**
 * Everything an index keeps: the catalog on disk (or in memory), the snapshot that searches see, and background work.
 * It knows vectors, not how texts become vectors.
 */
export class Store {
  readonly metric: Metric;
  /** The way to another space. */
  readonly migration: Migration;
  readonly queries: QueryCache;
  /** What is there already, for those who add. */
  readonly known: KnownDocuments;
  readonly settings: StoredSettings;
  readonly #options: StoreOptions;
  readonly #paths: IndexPaths | undefined;
  readonly #connection: CatalogOptions;
  readonly #connected: Catalog;
  readonly #writer: CatalogClient;
  readonly #reader: CatalogClient;
  readonly #validations: Validations;
  #open: OpenSpace | undefined;

  private constructor(
    options: StoreOptions,
    paths: IndexPaths | undefined,
    connection: CatalogOptions,
    catalog: Catalog,
    threads: CatalogClient[],
  ) {
    this.#options = options;
    this.#paths = paths;
    this.#connection = connection;
    this.#connected = catalog;
    this.#writer = threads[0] as CatalogClient;
    this.#reader = threads[threads.length - 1] as CatalogClient;
    this.metric = catalog.settings.all()?.metric as Metric;
    this.known = new KnownDocuments(this.#reader);
    this.settings = new StoredSettings(() => this.#catalog, this.#writer, this.#reader);
    this.#validations = new Validations(connection, this.#reader);
    this.migration = new Migration(this.#writer, this.#reader, this.metric);
    this.queries = new QueryCache(() => this.#catalog, options.readonly ? undefined : this.#writer, options.queryCache);
  }

  /** The catalog, as long as its file is the one at its path. */
  get #catalog(): Catalog {
    this.#connected.requireSameFile(this.#connection.file);
    return this.#connected;
  }

  /**
   * @throws NOT_AN_INDEX, NEWER_FORMAT, READ_ONLY, IO, BUSY, CORRUPT; INVALID_ARGUMENT when the index has another metric.
   */
  static async open(directory: string, options: StoreOptions): Promise<Store> {
    const memory = directory === ':memory:';
    const paths = memory ? undefined : await prepareDirectory(directory, options.create && !options.readonly);
    const { readonly, durability, busyTimeout } = options;
    const first: CatalogOptions = {
      path: paths?.database ?? ':memory:',
      readonly: readonly && !memory,
      durability,
      busyTimeout,
    };
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
      const threads = memory ? [inlineCatalog(catalog)] : [catalogThread(connection), catalogThread(connection)];
      store = new Store(options, paths, connection, catalog, threads);
      await store.#openSpace();
      return store;
    } catch (error) {
      if (store === undefined) catalog.close();
      else await store.close();
      throw fromSqliteError(error);
    }
  }

  /** Looks whether the index has a space by now, and follows its vectors if so. */
  async #openSpace(): Promise<OpenSpace | undefined> {
    const previous = this.#open;
    if (previous !== undefined && this.#isCurrent(previous.space)) return previous;
    const space = this.#catalog.space();
    if (space === undefined) return undefined;
    const open = openSpace(space, {
      catalog: this.#connected,
      options: this.#options,
      directory: this.#paths?.segments,
      metric: this.metric,
      writer: this.#writer,
      reader: this.#reader,
      isCurrent: (segment) => this.#catalog.segments.all().some((row) => row.segment === segment),
      onDamage: (damage) => this.#onDamage(damage),
    });
    this.#open = open;
    previous?.keeper.close();
    await previous?.scrubber?.stop();
    await previous?.maintenance?.stop();
    await open.keeper.refresh();
    this.#schedule(this.#hasLeftovers());
    return open;
  }

  #isCurrent({ space }: Space): boolean {
    return this.#catalog.settings.get('space') === space;
  }

  /** Reads in the space that the newest commit is in. */
  async #inSpace<T>(read: (keeper: OpenSpace['keeper']) => Promise<T>): Promise<T | undefined> {
    for (;;) {
      const open = this.#open;
      try {
        const current = await this.#openSpace();
        return current === undefined ? undefined : await read(current.keeper);
      } catch (error) {
        // Moved to another space while it was being read: there it is read again.
        if (open === this.#open && (open === undefined || this.#isCurrent(open.space))) throw error;
      }
    }
  }

  /** Whether files wait to be removed: of segments that were replaced, or of a build that died. */
  #hasLeftovers(): boolean {
    if (this.#paths === undefined || this.#options.readonly) return false;
    return this.#catalog.segments.retired().length > 0;
  }

  #onDamage(damage: Damage): void {
    this.#options.onEvent(damage);
    this.#schedule();
  }

  #schedule(always = false): void {
    const { maintenance, keeper } = this.#open ?? {};
    if (!this.#options.background || maintenance === undefined || keeper === undefined) return;
    if (always || maintenance.wants(keeper.current)) maintenance.schedule();
  }

  /** The space of the vectors, once there is one. */
  get space(): Space | undefined {
    const space = this.#open?.space;
    return space !== undefined && this.#isCurrent(space) ? space : this.#catalog.space();
  }

  /** Fixes the space of an index without one; returns the one it has. */
  async chooseSpace(fingerprint: string, dimensions: number, canaries: string | null): Promise<Space> {
    const space = await this.#writer.catalog.chooseSpace(fingerprint, dimensions, canaries);
    await this.#openSpace();
    return space;
  }

  /** For each document what a commit of it now would be to the content under its id. */
  standings(documents: readonly { id: DocumentId; hash: string }[]): Promise<('new' | 'changed' | 'unchanged')[]> {
    const identities = documents.map(({ id, hash }) => ({ id, hash }));
    return this.#reader.documents.standings(identities);
  }

  /** Numbers of known vectors by content hash, 0 for unknown ones. */
  findVectors(space: number, role: 'document' | 'query' | 'given', hashes: readonly string[]): Promise<number[]> {
    return this.#reader.vectors.find(space, role, hashes);
  }

  /** Makes vectors durable under their content hashes; returns their numbers. */
  putVectors(
    space: number,
    role: 'document' | 'query' | 'given',
    hashes: readonly string[],
    vectors: readonly Float32Array[],
  ): Promise<number[]> {
    return this.#writer.vectors.put(space, role, hashes, packVectors(vectors));
  }

  /**
   * Commits documents; on return they are durable and searchable. Undefined, with nothing changed, when a document that
   * was found unchanged is so no longer.
   */
  async commit(documents: readonly IncomingDocument[]): Promise<DocumentOutcome[] | undefined> {
    const outcomes = await this.#writer.documents.commit(documents);
    await this.#afterWrite();
    return outcomes;
  }

  /** The highest key ever given. */
  lastKey(): number {
    return this.#catalog.documents.lastKey();
  }

  /** Texts after this key, of documents whose vector was made from the text. */
  textsAfter(afterKey: number, limit: number): Promise<{ key: number; text: string }[]> {
    return this.#reader.documents.textsAfter(afterKey, limit);
  }

  /** Replaces vectors of documents; `rebuildSegments` has to follow. */
  replaceVectors(space: number, keys: readonly number[], vectors: readonly Float32Array[]): Promise<void> {
    return this.#writer.documents.replaceVectors(space, keys, packVectors(vectors));
  }

  /** Replaces the metadata (JSON) of documents; returns how many of them there were. */
  setMetadata(changes: readonly { id: DocumentId; metadata: string | null }[]): Promise<number> {
    return this.#writer.documents.setMetadata(changes);
  }

  async deleteByIds(ids: readonly DocumentId[], signal?: AbortSignal): Promise<number> {
    const deleted = await this.#writer.until(signal).documents.deleteByIds(ids);
    await this.#afterWrite();
    return deleted;
  }

  async deleteWhere(filter: SqlFilter, signal?: AbortSignal): Promise<number> {
    const deleted = await this.#writer.until(signal).documents.deleteWhere(filter);
    await this.#afterWrite();
    return deleted;
  }

  async #afterWrite(): Promise<void> {
    await this.snapshot();
    this.#schedule();
  }

  /** Documents by id, straight from the last commit. */
  byIds(ids: readonly DocumentId[]): (StoredDocument | undefined)[] {
    return this.#catalog.documents.byIds(ids);
  }

  /** Documents as they are at one moment; undefined for those that are gone, or do not match. */
  byKeys(keys: readonly number[], filter?: SqlFilter): (StoredDocument | undefined)[] {
    return this.#catalog.documents.byKeys(keys, filter);
  }

  /** As `byKeys`; in a thread where the filter takes more than about two milliseconds. */
  async lookUp(
    keys: readonly number[],
    filter: SqlFilter | undefined,
    signal: AbortSignal | undefined,
  ): Promise<(StoredDocument | undefined)[]> {
    if (filter === undefined || keys.length * filter.parameters.length < 1000) return this.byKeys(keys, filter);
    return this.#reader.until(signal).documents.byKeys(keys, filter);
  }

  /** Whether all documents with these keys exist. */
  haveAll(keys: readonly number[], signal: AbortSignal | undefined): Promise<boolean> {
    return this.#reader.until(signal).documents.haveAll(keys);
  }

  /** Bytes of the texts and metadata of these documents, without reading them. */
  bytesByKeys(keys: readonly number[]): number {
    return this.#catalog.pages.bytesByKeys(keys);
  }

  vectorOf(id: DocumentId): { key: number; vector: Float32Array } | undefined {
    return this.#catalog.documents.vectorOf(id);
  }

  list(
    filter: SqlFilter | undefined,
    limit: number,
    afterKey: number,
    maxBytes: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<DocumentRows> {
    return this.#reader.until(signal).pages.list(filter, limit, afterKey, maxBytes);
  }

  count(filter: SqlFilter | undefined, signal?: AbortSignal): Promise<number> {
    return this.#reader.until(signal).documents.count(filter);
  }

  /** Keys of the documents that match, ascending. */
  keys(filter: SqlFilter): Promise<Float64Array> {
    return this.#reader.documents.keys(filter);
  }

  /** Searches all documents of the newest commit; empty lists while there is no vector. */
  async search(search: ReadSnapshotSearch): Promise<KeyedNeighbor[][]> {
    const view = await this.view();
    if (view === undefined) return Array.from({ length: search.count }, () => []);
    return view.search(search).finally(() => view.close());
  }

  /**
   * The newest commit, and of that same moment which of its documents match a filter and share words with queries. To be
   * closed. Undefined while there is no vector. The signal stops the reading.
   */
  view({
    signal,
    ...request
  }: ViewRequest & { signal?: AbortSignal | undefined } = {}): Promise<ReadSnapshot | undefined> {
    return this.#inSpace((keeper) => keeper.view(request, signal));
  }

  /** Documents that share words with a query, best first by BM25, and the most that any could reach. */
  async searchWords(
    query: string,
    limit: number,
    filter: SqlFilter | undefined,
    signal?: AbortSignal,
  ): Promise<WordMatches> {
    return rankedWords(await this.#reader.until(signal).texts.search(query, limit, filter));
  }

  /** Vectors of these documents, one after the other; zeros where there is none. */
  vectorsByKeys(keys: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    const dimensions = this.space?.dimensions ?? 0;
    return this.#reader.until(signal).documents.vectorsByKeys(Float64Array.from(keys), dimensions);
  }

  /** Waits for background work, then makes one segment of all documents. In memory there is nothing to build. */
  buildAll(options: LongWorkOptions): Promise<void> {
    return this.#maintain(options, async ({ maintenance }) => maintenance?.buildAll(options));
  }

  /** Derives every segment anew from the stored vectors. */
  rebuildSegments(options: LongWorkOptions): Promise<void> {
    return this.#maintain(options, async ({ keeper, maintenance }) => {
      await keeper.forget();
      await maintenance?.rebuildAll(options);
      await keeper.refresh();
    });
  }

  /** Works on the segments of the space that the index is in; begins again in the next one when it moves there meanwhile. */
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

  /** Drops dead items from segments and vectors that nothing uses, and gives the room back to the file system. */
  async compact(options: LongWorkOptions): Promise<{ vectors: number }> {
    await this.#maintain(options, async ({ maintenance }) => maintenance?.compactAll(options));
    options.signal?.throwIfAborted();
    const vectors = await this.#writer.vectors.purge();
    crashPoint('compact.vectors-purged');
    options.signal?.throwIfAborted();
    await this.#writer.catalog.vacuum();
    crashPoint('compact.pages-released');
    await this.#writer.catalog.checkpoint();
    crashPoint('compact.log-emptied');
    return { vectors };
  }

  /** Looks for damage; only reads, and reports what cannot be read. */
  validate(level: 'quick' | 'full', signal?: AbortSignal): Promise<ValidationReport> {
    const request = { directory: this.#paths?.segments, level, metric: this.metric };
    return this.#validations.run(request, signal);
  }

  /**
   * Runs a long reading of the catalog as it is at one moment. In memory there is but one connection: what is written
   * meanwhile shows.
   */
  consistentRead<T>(read: (catalog: CatalogClient) => AsyncGenerator<T>): AsyncGenerator<T> {
    return this.#paths === undefined ? read(this.#reader) : consistentRead(this.#connection, read);
  }

  /** Writes all documents as one Annoy file, and beside it their ids in the order of its items; returns how many. */
  async exportForest(path: string): Promise<number> {
    const { trees, seed, threads } = this.#options;
    const dimensions = this.space?.dimensions ?? 0;
    const request = { path, metric: this.metric, dimensions, trees, seed, threads };
    const reading = this.consistentRead(async function* (catalog) {
      yield await catalog.builder.exportForest(request);
    });
    return (await reading.next().finally(() => reading.return(undefined))).value ?? 0;
  }

  /** Writes a complete copy into a new folder, while the index is in use. */
  backup(target: string): Promise<void> {
    const write = (): Promise<void> =>
      writeBackup(this.#paths?.segments, target, (path) => this.#reader.catalog.copyTo(path));
    return this.#options.readonly ? write() : whileFilesAreKept(this.#writer, write);
  }

  /** The snapshot that searches see now. */
  snapshot(): Promise<Snapshot | undefined> {
    return this.#inSpace((keeper) => keeper.refresh());
  }

  /** Changes whenever the index moves to another space: what was read before and after does not go together. */
  cutovers(): number {
    return Number(this.#catalog.settings.get('cutovers') ?? 0);
  }

  segmentRows(): SegmentRow[] {
    return this.#catalog.segments.all();
  }

  /** Bytes on disk: the database with its log, and the files of the segments. */
  async bytes(): Promise<DiskUsage> {
    if (this.#paths !== undefined) return bytesOnDisk(this.#paths, this.segmentRows());
    return { database: this.#catalog.bytes().used, segments: 0, forests: 0, accelerators: 0 };
  }

  /** Ends background work and closes files and connections. What was acknowledged is safe. */
  async close(): Promise<void> {
    await this.#open?.scrubber?.stop();
    await this.#open?.maintenance?.stop();
    await this.queries.settle();
    await Promise.all([this.#writer.close(), this.#reader.close()]);
    this.#open?.keeper.close();
    this.#connected.close();
  }
}
