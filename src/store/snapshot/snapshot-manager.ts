import { analysisFromSetting, queryLanguages } from '../../analysis/text-analysis.js';
import type { SnapshotRequest } from '../../backend/read-snapshot.js';
import type { Space } from '../../backend/space.js';
import { SemanticIndexError } from '../../errors.js';
import type { Bitset } from '../../vectors/bitset.js';
import type { Catalog, CatalogChanges, CatalogCommit, CatalogPosition } from '../catalog/catalog.js';
import type { SqlFilter } from '../catalog/document-table.js';
import { unsoundVectors } from '../catalog/sound-vectors.js';
import { CatalogSnapshot } from './catalog-snapshot.js';
import { type ColumnsReading, type ColumnsRequest, MetadataColumns, type SnapshotFilter } from './metadata-columns.js';
import { type LocalRead, type LocalReads, ThreadRead } from './reads.js';
import { type SearchableSegment, withoutKeys } from './searchable-segment.js';
import { openSegment } from './segment.js';
import type { Damage, SegmentContext } from './segment-context.js';
import { Snapshot, type WordAnalysis } from './snapshot.js';
import { PendingTail } from './tail/pending-tail.js';
import { TailRows, type TailSegment } from './tail/tail-rows.js';

/** Rows and deletions that are read in this thread: reading them takes about a millisecond, less than a call to another thread. */
const [maxShortRows, maxShortDeletions] = [128, 4_096];
const start: CatalogPosition = { generation: 0, lastKey: 0, lastDeletion: 0 };

/** Reads the changes since a position, for a snapshot that has the `known` segments. */
type ReadChanges = (position: CatalogPosition, known: readonly number[]) => CatalogChanges | Promise<CatalogChanges>;

const unread: WordAnalysis = { setting: undefined, languages: [] };

function wordsOf({ analysis, languages }: CatalogChanges): WordAnalysis {
  return { setting: analysis, languages: queryLanguages(analysisFromSetting(analysis), languages) };
}

/** The read has to be repeated: the files of a segment were replaced after it began, or the image that it relied on is damaged. */
class StaleRead extends Error {}

/** Follows the catalog: holds the vectors and terms of the newest commit that was read, and opens read snapshots. */
export class SnapshotManager {
  readonly #space: Space;
  readonly #reads: LocalReads;
  readonly #context: SegmentContext;
  readonly #onDamage: (damage: Damage) => void;
  #snapshot: Snapshot;
  #tail: TailRows;
  readonly #columns: MetadataColumns;
  /** An image of the tail, until it is part of a snapshot. */
  #image: PendingTail | undefined;
  #advancing: Promise<unknown> | undefined;
  #loading: Promise<void> = Promise.resolve();
  /** Damage that was found while a snapshot was read. */
  readonly #found: Damage[] = [];

  /** `onDamage` is called with a missing or wrong file once the snapshot that does without it is published. */
  constructor(
    space: Space,
    reads: LocalReads,
    context: Omit<SegmentContext, 'onDamage'>,
    onDamage: (damage: Damage) => void,
  ) {
    this.#space = space;
    this.#reads = reads;
    this.#context = { ...context, onDamage: (damage) => this.#report(damage) };
    this.#onDamage = onDamage;
    this.#tail = new TailRows(this.#context);
    this.#columns = new MetadataColumns(context.reader);
    this.#snapshot = this.#snapshotOf(start, [], undefined, 0);
  }

  /** The snapshot as of the last refresh. */
  get current(): Snapshot {
    return this.#snapshot;
  }

  /**
   * Reads the newest commit, then calls `onLoaded`. A long tail takes longer than a caller of `open` should wait: it is read in the
   * background, and searches wait for it.
   */
  async load(onLoaded: () => void): Promise<void> {
    const read = await this.#reads.begin();
    const image = this.#context.local ? undefined : read.catalog.tailImages.current(this.#space.space);
    const isShort = image === undefined && (this.#context.local || this.#isShort(read));
    read.end();
    if (image !== undefined) this.#image = new PendingTail(image.position, this.#context.readTailImage(image));
    // A search that waits for a read which fails repeats it, and reports why.
    const loading = this.refresh().then(onLoaded);
    this.#loading = loading.catch(() => {});
    if (isShort) await loading;
  }

  /** The documents of an image, so that only the rows behind it are left to be read. @throws StaleRead when it is damaged. */
  async #restore(image: PendingTail): Promise<TailSegment> {
    // Forgotten meanwhile: after a failure the next read begins with the first row.
    this.#image = undefined;
    const tail = await image.restore(this.#tail);
    if (tail === undefined) throw new StaleRead();
    this.#image = image;
    return tail;
  }

  #forgetImage(): void {
    this.#image?.forget();
    this.#image = undefined;
  }

  /** The position that the next read begins at. */
  get #since(): CatalogPosition {
    return (this.#image ?? this.#snapshot).position;
  }

  /** Resolves once what `load` reads in the background is read. */
  settle(): Promise<void> {
    return this.#loading;
  }

  /** The snapshot of the newest commit. */
  async refresh(): Promise<Snapshot> {
    (await this.#open(undefined, undefined)).close();
    return this.#snapshot;
  }

  /** The snapshot of the newest commit, after one of this process: if it had all before, nothing is read. */
  async follow(commit: CatalogCommit | undefined): Promise<Snapshot> {
    while (this.#advancing !== undefined) await this.#advancing.catch(() => {});
    const read = commit?.read;
    if (read !== undefined && samePosition(read.since, this.#snapshot.position)) {
      await this.#exclusively(() => this.#advance(() => read.changes));
    }
    // Other processes may have committed since.
    return this.refresh();
  }

  /** Opens the newest commit for reading if that needs no waiting: if it is the one that was read last. */
  openNow(): CatalogSnapshot | undefined {
    const read = this.#reads.beginNow();
    if (read?.space === this.#space.space && samePosition(read.position, this.#snapshot.position)) {
      return new CatalogSnapshot(this.#space, this.#snapshot, read);
    }
    read?.end();
    return undefined;
  }

  /** Opens the newest commit for reading, with the documents that match a filter as of that commit. */
  async open(filter?: SnapshotFilter, signal?: SnapshotRequest['signal']): Promise<CatalogSnapshot> {
    if (filter === undefined) return this.#open(undefined, signal);
    const opened = await this.#openByColumns(
      ({ segments, tail }, catalog) => this.#columns.matching(segments, tail, filter, catalog, signal),
      (allowed) => [allowed, undefined],
      signal,
    );
    return opened ?? this.#open(filter.sql(), signal);
  }

  /** Undefined when columns cannot answer. */
  async #openByColumns<Found>(
    find: (snapshot: Snapshot, catalog: Catalog) => Promise<Found | undefined>,
    of: (found: Found) => [allowed: readonly Bitset[] | undefined, columns: ColumnsReading | undefined],
    signal: SnapshotRequest['signal'],
  ): Promise<CatalogSnapshot | undefined> {
    const read = await this.#readAtSnapshot(signal);
    const snapshot = this.#snapshot;
    snapshot.shared.retain();
    let opened: CatalogSnapshot | undefined;
    try {
      if (read.space !== this.#space.space || !samePosition(read.position, snapshot.position)) return undefined;
      const found = await find(snapshot, read.catalog);
      if (found !== undefined) opened = new CatalogSnapshot(this.#space, snapshot, read, ...of(found));
      return opened;
    } finally {
      snapshot.shared.release();
      if (opened === undefined) read.end();
    }
  }

  /** A read of the newest commit, which the snapshot follows before it begins unless another commit comes between. */
  async #readAtSnapshot(signal: SnapshotRequest['signal']): Promise<LocalRead> {
    signal?.throwIfAborted();
    const now = this.#reads.beginNow();
    if (now?.space === this.#space.space && samePosition(now.position, this.#snapshot.position)) return now;
    now?.end();
    (await this.#open(undefined, signal)).close();
    return this.#reads.begin();
  }

  /** Opens the newest commit for reading, with values of fields, and the documents that match a filter, as of that commit. */
  async openWithFields(
    filter: SnapshotFilter | undefined,
    { fields, filters, kept }: ColumnsRequest,
    signal: AbortSignal | undefined,
  ): Promise<CatalogSnapshot> {
    const request = { fields, kept, filters: filter === undefined ? filters : [...filters, filter] };
    const opened = filter === undefined ? this.#openWithKept(request) : undefined;
    if (opened !== undefined) return opened;
    for (;;) {
      const opened = await this.#openByColumns(
        ({ segments, tail }, catalog) => this.#columns.read(segments, tail, request, catalog, signal),
        (columns) => [filter === undefined ? undefined : columns.matching.at(-1), columns],
        signal,
      );
      if (opened !== undefined) return opened;
      signal?.throwIfAborted();
      await this.#columns.settled();
    }
  }

  /** Undefined unless all fields, and what the filters match, were read before. */
  #openWithKept(request: ColumnsRequest): CatalogSnapshot | undefined {
    const read = this.#reads.beginNow();
    if (read === undefined) return undefined;
    let opened: CatalogSnapshot | undefined;
    try {
      const snapshot = this.#snapshot;
      if (read.space !== this.#space.space || !samePosition(read.position, snapshot.position)) return undefined;
      const columns = this.#columns.readNow(snapshot.segments, snapshot.tail, request, read.catalog);
      if (columns !== undefined) opened = new CatalogSnapshot(this.#space, snapshot, read, undefined, columns);
      return opened;
    } finally {
      if (opened === undefined) read.end();
    }
  }

  async #open(filter: SqlFilter | undefined, signal: SnapshotRequest['signal']): Promise<CatalogSnapshot> {
    for (;;) {
      // Many may have waited: a cancelled one does not delay the next.
      signal?.throwIfAborted();
      try {
        const opened = await this.#tryOpen(filter, signal);
        if (opened !== undefined) return opened;
        await this.#advancing?.catch(() => {});
      } catch (error) {
        if (!(error instanceof StaleRead)) throw error;
      }
    }
  }

  /** Undefined when another snapshot is being read: wait for it, and try again. */
  async #tryOpen(filter: SqlFilter | undefined, signal: AbortSignal | undefined): Promise<CatalogSnapshot | undefined> {
    const { local } = this.#context;
    if (filter !== undefined && !local) {
      return this.#advancing === undefined ? this.#exclusively(() => this.#openInThread(filter, signal)) : undefined;
    }
    const begun = this.#reads.begin();
    const read = begun instanceof Promise ? await begun : begun;
    let opened: CatalogSnapshot | undefined;
    try {
      if (read.space !== this.#space.space) throw hasMoved();
      if (filter === undefined && samePosition(read.position, this.#snapshot.position)) {
        opened = new CatalogSnapshot(this.#space, this.#snapshot, read);
        return opened;
      }
      if (this.#advancing !== undefined) return undefined;
      if (local || this.#isShort(read)) {
        opened = await this.#exclusively(() => this.#openHere(read, filter));
        return opened;
      }
    } finally {
      if (opened === undefined) read.end();
    }
    return this.#exclusively(() => this.#openInThread(filter, signal));
  }

  /** One snapshot is read at a time. */
  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const working = work();
    this.#advancing = working;
    try {
      return await working;
    } finally {
      this.#advancing = undefined;
      for (const damage of this.#found.splice(0)) this.#onDamage(damage);
    }
  }

  #report(damage: Damage): void {
    if (this.#advancing === undefined) this.#onDamage(damage);
    else this.#found.push(damage);
  }

  async #openHere(read: LocalRead, filter: SqlFilter | undefined): Promise<CatalogSnapshot> {
    const changes = await this.#advance((position, known) => read.catalog.changesSince(position, known, filter));
    return new CatalogSnapshot(this.#space, this.#snapshot, read, changes.matching);
  }

  async #openInThread(filter: SqlFilter | undefined, signal: AbortSignal | undefined): Promise<CatalogSnapshot> {
    const { reader } = this.#context;
    const held = new ThreadRead(reader);
    try {
      const { reads } = reader.until(signal);
      const { matching } = await this.#advance((position, known) =>
        reads.changesSince(held.number, position, known, filter),
      );
      // A change of metadata leaves the position alone, so documents that matched a filter are read where it was evaluated.
      const near = filter === undefined ? this.#reads.begin() : undefined;
      if (near !== undefined && !(near instanceof Promise)) {
        if (samePosition(near.position, this.#snapshot.position)) {
          held.end();
          return new CatalogSnapshot(this.#space, this.#snapshot, near, matching);
        }
        near.end();
      }
      return new CatalogSnapshot(this.#space, this.#snapshot, held, matching);
    } catch (error) {
      held.end();
      throw error;
    }
  }

  /** Brings the snapshot to the position of a read. */
  async #advance(read: ReadChanges): Promise<CatalogChanges> {
    const { segments: before } = this.#snapshot;
    let segments = before;
    let image = this.#image;
    let position = this.#since;
    let { tail, words } = this.#snapshot;
    const opened: SearchableSegment[] = [];
    const damages: Damage[] = [];
    let isPublished = false;
    try {
      for (;;) {
        const known = segments.map(({ segment }) => segment);
        const changes = await read(this.#withoutDeletions(position), known);
        // Vectors of two spaces must not meet in one snapshot.
        if (changes.space !== this.#context.space) {
          throw hasMoved();
        }
        if (this.#isOutdated(words, changes) || this.#tail.isLost) {
          // The terms of all documents are derived again, or their vectors read.
          [words, segments, tail, position, image] = [unread, [], undefined, start, undefined];
          this.#forgetImage();
          this.#tail.close();
          continue;
        }
        words = wordsOf(changes);
        if (changes.unsound.length > 0) damages.push(unsoundVectors(changes.unsound));
        position = changes.position;
        isPublished = samePosition(position, this.#snapshot.position);
        if (isPublished) return changes;
        segments = await Promise.all(segments.map((segment) => withoutKeys(segment, changes.deletedKeys)));
        for (const added of changes.added) {
          const segment = await openSegment(added, this.#context, damages);
          if (segment === undefined) continue;
          opened.push(segment);
          segments = [...segments, segment];
        }
        const current = segments;
        segments = changes.segments.flatMap((number) => current.find(({ segment }) => segment === number) ?? []);
        if (image !== undefined) tail = await this.#restore(image);
        image = undefined;
        tail = await this.#tail.advance(changes, tail);
        if (changes.more) continue;
        if (segments.length < changes.segments.length) throw new StaleRead();
        this.#replace(this.#snapshotOf(position, segments, tail, changes.sealedThrough, words));
        this.#image = undefined;
        isPublished = true;
        return changes;
      }
    } finally {
      // The snapshot retains the segments that it uses; the reference of opening them is released.
      for (const segment of opened) segment.shared.release();
      if (isPublished) for (const damage of damages) this.#onDamage(damage);
    }
  }

  /** Whether texts are analyzed in another way by now; of an image of the tail that is known as long as the segments stay the same. */
  #isOutdated(words: WordAnalysis, { analysis, position }: CatalogChanges): boolean {
    if (words.setting !== undefined) return words.setting !== analysis;
    return this.#image !== undefined && this.#image.position.generation !== position.generation;
  }

  /** A snapshot without documents does not need the deletion log. */
  #withoutDeletions(position: CatalogPosition): CatalogPosition {
    const isEmpty = position === start && this.#tail.isEmpty;
    return isEmpty ? { ...position, lastDeletion: Number.MAX_SAFE_INTEGER } : position;
  }

  #snapshotOf(
    position: CatalogPosition,
    segments: readonly SearchableSegment[],
    tail: Snapshot['tail'],
    sealedThrough: number,
    words?: WordAnalysis,
  ): Snapshot {
    const { metric, dimensions } = this.#context;
    return new Snapshot(position, metric, dimensions, segments, tail, sealedThrough, words);
  }

  #isShort({ catalog, position }: LocalRead): boolean {
    const since = this.#since;
    const rows = position.lastKey - Math.max(since.lastKey, catalog.segments.sealedThrough());
    if (rows > maxShortRows) return false;
    // A new segment comes with all deletions since it was written.
    const dead =
      since === this.#snapshot.position && position.generation === since.generation
        ? Math.max(0, position.lastDeletion - since.lastDeletion)
        : catalog.documents.countDeletions(maxShortDeletions + 1);
    return dead <= maxShortDeletions;
  }

  #replace(next: Snapshot): void {
    const previous = this.#snapshot;
    this.#snapshot = next;
    previous.shared.release();
  }

  /** Reads everything again at the next refresh: vectors were replaced in place. */
  async forget(): Promise<void> {
    while (this.#advancing !== undefined) await this.#advancing.catch(() => {});
    this.#close();
  }

  /** Closes once a running refresh has ended. */
  close(): void {
    const close = (): void => this.#close();
    if (this.#advancing === undefined) close();
    else this.#advancing.then(close, close);
  }

  #close(): void {
    this.#replace(this.#snapshotOf(start, [], undefined, 0));
    this.#forgetImage();
    this.#tail.close();
    this.#columns.close();
  }
}

function hasMoved(): SemanticIndexError {
  return new SemanticIndexError('SPACE_MISMATCH', 'The index has been migrated to another model');
}

function samePosition(a: CatalogPosition, b: CatalogPosition): boolean {
  return a.generation === b.generation && a.lastKey === b.lastKey && a.lastDeletion === b.lastDeletion;
}
