import type { KeyedVectors } from '../../backend/documents.js';
import type { SnapshotRequest } from '../../backend/read-snapshot.js';
import type { Space } from '../../backend/space.js';
import { SemanticIndexError } from '../../errors.js';
import { TimeSlice } from '../../time-slice.js';
import { VectorBuffer } from '../../vectors/vector-buffer.js';
import type { CatalogChanges, CatalogPosition, CatalogQueries } from '../catalog/catalog.js';
import { unsoundVectors } from '../catalog/unsound-vectors.js';
import { unpackMatches } from '../catalog/words/text-table.js';
import { CatalogSnapshot } from './catalog-snapshot.js';
import { type LocalRead, type LocalReads, ThreadRead } from './reads.js';
import { RefCounted, type SearchableSegment, withoutKeys } from './searchable-segment.js';
import { type Damage, openSegment, type SegmentContext, tailSegment } from './segment.js';
import { Snapshot } from './snapshot.js';

/** Rows and deletions that are read in this thread: reading them takes about a millisecond, less than a call to another thread. */
const [maxShortRows, maxShortDeletions] = [128, 4_096];
/** Vectors copied before the event loop has its turn: a fraction of a millisecond. */
const rowsPerCopy = 256;
const start: CatalogPosition = { generation: 0, lastKey: 0, lastDeletion: 0 };

/** Reads the changes since a position, for a snapshot that has the `known` segments. */
type ReadChanges = (position: CatalogPosition, known: readonly number[]) => CatalogChanges | Promise<CatalogChanges>;

/** The files of a segment were replaced after the read began: only a later read has its successor. */
class StaleRead extends Error {}

/** Follows the catalog: holds the vectors of the newest commit that was read, and opens read snapshots. */
export class SnapshotManager {
  readonly #space: Space;
  readonly #reads: LocalReads;
  readonly #context: SegmentContext;
  readonly #onDamage: (damage: Damage) => void;
  #snapshot: Snapshot;
  #tail: TailRows;
  #advancing: Promise<unknown> | undefined;
  /** Faults of segments that were found after they were opened. */
  readonly #findings = new Map<number, Partial<SearchableSegment>>();

  /** `onDamage` is called with a missing or wrong file once the snapshot that does without it is published. */
  constructor(
    space: Space,
    reads: LocalReads,
    context: Omit<SegmentContext, 'onReopened'>,
    onDamage: (damage: Damage) => void,
  ) {
    this.#space = space;
    this.#reads = reads;
    this.#context = { ...context, onReopened: (segment, damages) => this.#reopened(segment, damages) };
    this.#onDamage = onDamage;
    this.#tail = new TailRows(this.#context);
    this.#snapshot = new Snapshot(start, context.metric, [], undefined, 0);
  }

  /** The snapshot as of the last refresh. */
  get current(): Snapshot {
    return this.#snapshot;
  }

  /** The snapshot of the newest commit. */
  async refresh(): Promise<Snapshot> {
    (await this.open()).close();
    return this.#snapshot;
  }

  /** Opens the newest commit for reading, with the answers to the queries as of that commit. */
  async open(queries: CatalogQueries = {}, signal?: SnapshotRequest['signal']): Promise<CatalogSnapshot> {
    for (;;) {
      // Many may have waited: a cancelled one does not delay the next.
      signal?.throwIfAborted();
      try {
        const opened = await this.#tryOpen(queries, signal);
        if (opened !== undefined) return opened;
        await this.#advancing?.catch(() => {});
      } catch (error) {
        if (!(error instanceof StaleRead)) throw error;
      }
    }
  }

  /** Undefined when another snapshot is being read: wait for it, and try again. */
  async #tryOpen(queries: CatalogQueries, signal: AbortSignal | undefined): Promise<CatalogSnapshot | undefined> {
    const { local } = this.#context;
    const isPlain = queries.filter === undefined && queries.text === undefined;
    if (!isPlain && !local) {
      return this.#advancing === undefined ? this.#exclusively(() => this.#openInThread(queries, signal)) : undefined;
    }
    const begun = this.#reads.begin();
    const read = begun instanceof Promise ? await begun : begun;
    let opened: CatalogSnapshot | undefined;
    try {
      if (isPlain && samePosition(read.position, this.#snapshot.position)) {
        opened = new CatalogSnapshot(this.#space, this.#snapshot, read);
        return opened;
      }
      if (this.#advancing !== undefined) return undefined;
      if (local || this.#isShort(read)) {
        opened = await this.#exclusively(() => this.#openHere(read, queries));
        return opened;
      }
    } finally {
      if (opened === undefined) read.end();
    }
    return this.#exclusively(() => this.#openInThread(queries, signal));
  }

  /** One snapshot is read at a time. */
  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const working = work();
    this.#advancing = working;
    try {
      return await working;
    } finally {
      this.#advancing = undefined;
    }
  }

  async #openHere(read: LocalRead, queries: CatalogQueries): Promise<CatalogSnapshot> {
    const changes = await this.#advance((position, known) => read.catalog.changesSince(position, known, queries));
    return new CatalogSnapshot(this.#space, this.#snapshot, read, answersOf(changes));
  }

  async #openInThread(queries: CatalogQueries, signal: AbortSignal | undefined): Promise<CatalogSnapshot> {
    const { reader } = this.#context;
    const held = new ThreadRead(reader);
    try {
      const { reads } = reader.until(signal);
      const changes = await this.#advance((position, known) =>
        reads.changesSince(held.number, position, known, queries),
      );
      const answers = answersOf(changes);
      // A change of metadata leaves the position alone, so documents that matched a filter are read where it was evaluated.
      const near = queries.filter === undefined ? this.#reads.begin() : undefined;
      if (near !== undefined && !(near instanceof Promise)) {
        if (samePosition(near.position, this.#snapshot.position)) {
          held.end();
          return new CatalogSnapshot(this.#space, this.#snapshot, near, answers);
        }
        near.end();
      }
      return new CatalogSnapshot(this.#space, this.#snapshot, held, answers);
    } catch (error) {
      held.end();
      throw error;
    }
  }

  /** Brings the snapshot to the position of a read. */
  async #advance(read: ReadChanges): Promise<CatalogChanges> {
    let { segments, tail, position } = this.#snapshot;
    const opened: SearchableSegment[] = [];
    const damages: Damage[] = [];
    let isPublished = false;
    try {
      for (;;) {
        const known = segments.map(({ segment }) => segment);
        const changes = await read(this.#withoutDeletions(position), known);
        // Vectors of two spaces must not meet in one snapshot.
        if (changes.space !== this.#context.space) {
          throw new SemanticIndexError('SPACE_MISMATCH', 'The index has been migrated to another model');
        }
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
        tail = await this.#tail.advance(changes, tail);
        if (changes.more) continue;
        if (segments.length < changes.segments.length) throw new StaleRead();
        const { metric } = this.#context;
        const asFound = segments.map((segment) => this.#asFound(segment));
        this.#replace(new Snapshot(position, metric, asFound, tail, changes.sealedThrough));
        isPublished = true;
        return changes;
      }
    } finally {
      // The snapshot retains the segments that it uses; the reference of opening them is released.
      for (const segment of opened) segment.shared.release();
      if (isPublished) for (const damage of damages) this.#onDamage(damage);
    }
  }

  /** A snapshot without documents does not need the deletion log. */
  #withoutDeletions(position: CatalogPosition): CatalogPosition {
    const isEmpty = position === start && this.#tail.isEmpty;
    return isEmpty ? { ...position, lastDeletion: Number.MAX_SAFE_INTEGER } : position;
  }

  #asFound(segment: SearchableSegment): SearchableSegment {
    const finding = this.#findings.get(segment.segment);
    return finding === undefined ? segment : { ...segment, ...finding };
  }

  /** The files of a segment changed after it was opened: from now on it is searched, and planned for, in this state. */
  #reopened({ segment, damaged, graphMissing, hasForest }: SearchableSegment, damages: readonly Damage[]): void {
    this.#findings.set(segment, { damaged, graphMissing, hasForest });
    const { position, metric, segments, tail, sealedThrough } = this.#snapshot;
    const asFound = segments.map((segment) => this.#asFound(segment));
    this.#replace(new Snapshot(position, metric, asFound, tail, sealedThrough));
    for (const damage of damages) this.#onDamage(damage);
  }

  #isShort({ catalog, position }: LocalRead): boolean {
    const since = this.#snapshot.position;
    const rows = position.lastKey - Math.max(since.lastKey, catalog.segments.sealedThrough());
    if (rows > maxShortRows) return false;
    // A new segment comes with all deletions since it was written.
    const dead =
      position.generation === since.generation
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
    this.#replace(new Snapshot(start, this.#context.metric, [], undefined, 0));
    this.#tail.close();
  }
}

/** The rows of the tail: grows at its end by commits, shrinks at its beginning by seals. */
class TailRows {
  readonly #context: SegmentContext;
  #buffer: VectorBuffer | undefined;
  #shared = new RefCounted(() => {});
  #keys = new Float64Array(0);

  constructor(context: SegmentContext) {
    this.#context = context;
  }

  get isEmpty(): boolean {
    return this.#keys.length === 0;
  }

  async advance(
    { tail, sealedThrough, deletedKeys }: CatalogChanges,
    previous: SearchableSegment | undefined,
  ): Promise<SearchableSegment | undefined> {
    const sealed = this.#keys.findIndex((key) => key > sealedThrough);
    const dropped = sealed < 0 ? this.#keys.length : sealed;
    if (dropped > 0) this.#drop(dropped);
    await this.#append(this.#unknown(tail));
    if (this.#buffer === undefined || this.#keys.length === 0) return undefined;
    const segment = tailSegment(this.#buffer, this.#keys, this.#shared);
    // Deleted documents stay deleted, whatever moved; then come those that were deleted since.
    const deadBefore = previous === undefined ? new Float64Array(0) : deadKeysOf(previous);
    return withoutKeys(await withoutKeys(segment, deadBefore), deletedKeys);
  }

  /** A read that failed half-way is repeated from its beginning: some rows are already here. */
  #unknown({ keys, vectors }: KeyedVectors): KeyedVectors {
    const last = this.#keys.at(-1) ?? 0;
    const first = keys.findIndex((key) => key > last);
    if (first === 0) return { keys, vectors };
    const known = first < 0 ? keys.length : first;
    const dimensions = vectors.length / Math.max(1, keys.length);
    return { keys: keys.subarray(known), vectors: vectors.subarray(known * dimensions) };
  }

  async #append({ keys, vectors }: KeyedVectors): Promise<void> {
    const { dimensions, metric } = this.#context;
    const slice = new TimeSlice();
    for (let row = 0; row < keys.length; row += rowsPerCopy) {
      if (slice.due()) await slice.yieldIfDue();
      this.#buffer ??= this.#adopt(new VectorBuffer(dimensions, metric));
      this.#buffer.append(vectors.subarray(row * dimensions, (row + rowsPerCopy) * dimensions));
      const joined = new Float64Array(this.#keys.length + Math.min(rowsPerCopy, keys.length - row));
      joined.set(this.#keys);
      joined.set(keys.subarray(row, row + rowsPerCopy), this.#keys.length);
      this.#keys = joined;
    }
  }

  #drop(count: number): void {
    const rest = this.#buffer?.drop(count);
    this.#keys = this.#keys.slice(count);
    this.#shared.release();
    this.#buffer = rest === undefined ? undefined : this.#adopt(rest);
  }

  #adopt(buffer: VectorBuffer): VectorBuffer {
    this.#shared = new RefCounted(() => buffer.close());
    return buffer;
  }

  close(): void {
    if (this.#buffer !== undefined) this.#shared.release();
    this.#buffer = undefined;
    this.#keys = new Float64Array(0);
  }
}

function deadKeysOf({ alive, keys }: SearchableSegment): Float64Array {
  if (alive === undefined) return new Float64Array(0);
  const dead: number[] = [];
  for (let item = 0; item < keys.offsets.length; item++) {
    if (((alive[item >>> 5] ?? 0) & (1 << (item & 31))) === 0) dead.push(keys.first + (keys.offsets[item] as number));
  }
  return Float64Array.from(dead);
}

function answersOf({ matching, text = [] }: CatalogChanges) {
  return { matching, text: text.map(unpackMatches) };
}

function samePosition(a: CatalogPosition, b: CatalogPosition): boolean {
  return a.generation === b.generation && a.lastKey === b.lastKey && a.lastDeletion === b.lastDeletion;
}
