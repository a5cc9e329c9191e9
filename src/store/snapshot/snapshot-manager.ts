import { SemanticIndexError } from '../../errors.js';
import { TimeSlice } from '../../time-slice.js';
import { VectorBuffer } from '../../vectors/vector-buffer.js';
import type { Catalog, CatalogChanges, CatalogPosition, ViewRequest } from '../catalog/catalog.js';
import type { KeyedVectors } from '../catalog/document-table.js';
import { unsoundVectors } from '../catalog/unsound-vectors.js';
import { ReadSnapshot } from './read-snapshot.js';
import { RefCounted, type SearchableSegment, withoutKeys } from './searchable-segment.js';
import { type Damage, openSegment, type SegmentContext, tailSegment } from './segment.js';
import { Snapshot } from './snapshot.js';

const shortReading = 128;
// Deletions that are read in about a millisecond.
const fewDeletions = 4_096;
// Vectors that are copied in one go: a fraction of a millisecond.
const rowsPerCopy = 256;
const start: CatalogPosition = { generation: 0, lastKey: 0, lastDeletion: 0 };

/** Follows the catalog: holds the snapshot of the last commit that was looked at, its own process's or another's. */
export class SnapshotManager {
  readonly #catalog: Catalog;
  readonly #context: SegmentContext;
  readonly #onDamage: (damage: Damage) => void;
  #snapshot: Snapshot;
  #tail: TailRows;
  #refreshing: Promise<ReadSnapshot> | undefined;
  /** What was found out about segments after they were opened. */
  readonly #findings = new Map<number, Partial<SearchableSegment>>();

  /**
   * `catalog` is asked where things stand, the reader of `context` for all that is long. `onDamage` is told of a file that is
   * missing or wrong when the snapshot that does without it has been published.
   */
  constructor(catalog: Catalog, context: Omit<SegmentContext, 'onReopened'>, onDamage: (damage: Damage) => void) {
    this.#catalog = catalog;
    this.#context = { ...context, onReopened: (part, damages) => this.#reopened(part, damages) };
    this.#onDamage = onDamage;
    this.#tail = new TailRows(this.#context);
    this.#snapshot = new Snapshot(start, context.metric, [], 0);
  }

  /** The snapshot as it was last refreshed. */
  get current(): Snapshot {
    return this.#snapshot;
  }

  /** The snapshot of the newest commit. */
  async refresh(): Promise<Snapshot> {
    while (!samePosition(this.#catalog.position(), this.#snapshot.position)) {
      // Whoever asked for a view of their own closes it.
      if (this.#refreshing === undefined) (await this.#begin()).close();
      else await this.#refreshing.catch(() => {});
    }
    return this.#snapshot;
  }

  /** A view of the newest commit, with what was asked for of that very commit. To be closed. */
  async view(request: ViewRequest = {}, signal?: AbortSignal): Promise<ReadSnapshot> {
    if (isEmpty(request)) {
      await this.refresh();
      signal?.throwIfAborted();
      return new ReadSnapshot(this.#snapshot);
    }
    while (this.#refreshing !== undefined) await this.#refreshing.catch(() => {});
    // Many may have waited: one that is not wanted any more does not hold up the next.
    signal?.throwIfAborted();
    return this.#begin(request, signal);
  }

  #begin(request: ViewRequest = {}, signal?: AbortSignal): Promise<ReadSnapshot> {
    this.#refreshing = this.#advance(request, signal).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #advance(request: ViewRequest, signal: AbortSignal | undefined): Promise<ReadSnapshot> {
    let parts = this.#snapshot.parts.filter((part) => part.segment !== 0);
    let tail = this.#snapshot.parts.find((part) => part.segment === 0);
    const opened: SearchableSegment[] = [];
    const damages: Damage[] = [];
    let changes: CatalogChanges;
    let { position } = this.#snapshot;
    do {
      const known = parts.map((part) => part.segment);
      changes = await this.#read(position, known, request, signal);
      // Vectors of two spaces do not meet in one snapshot.
      if (changes.space !== this.#context.space) {
        throw new SemanticIndexError('SPACE_MISMATCH', 'The index has been migrated to another model');
      }
      position = changes.position;
      const unsound = this.#catalog.documents.idsOf(changes.tail.unsound);
      if (unsound.length > 0) damages.push(unsoundVectors(unsound));
      if (samePosition(position, this.#snapshot.position)) break;
      parts = await Promise.all(parts.map((part) => withoutKeys(part, changes.deletedKeys)));
      for (const added of changes.added) {
        const part = await openSegment(added, this.#context, damages);
        if (part === undefined) continue;
        opened.push(part);
        parts.push(part);
      }
      parts = changes.segments.flatMap((segment) => parts.find((part) => part.segment === segment) ?? []);
      tail = await this.#tail.advance(changes, tail);
      // A segment that could not be opened because it was replaced: the next reading has its successor.
    } while (changes.more || parts.length < changes.segments.length);
    if (!samePosition(position, this.#snapshot.position)) {
      const all = (tail === undefined ? parts : [...parts, tail]).map((part) => this.#asFound(part));
      this.#replace(new Snapshot(position, this.#context.metric, all, changes.sealedThrough));
    }
    const view = new ReadSnapshot(this.#snapshot, changes.matching, changes.words);
    // The snapshot retains what it uses; the reference of the opening is given back.
    for (const part of opened) part.shared.release();
    for (const damage of damages) this.#onDamage(damage);
    return view;
  }

  #asFound(part: SearchableSegment): SearchableSegment {
    const finding = this.#findings.get(part.segment);
    return finding === undefined ? part : { ...part, ...finding };
  }

  /** The files of a segment changed after it was opened: it is searched as `part` now, and planned for as that. */
  #reopened({ segment, damaged, graphMissing, hasForest }: SearchableSegment, damages: readonly Damage[]): void {
    this.#findings.set(segment, { damaged, graphMissing, hasForest });
    const { position, metric, parts, sealedThrough } = this.#snapshot;
    this.#replace(
      new Snapshot(
        position,
        metric,
        parts.map((part) => this.#asFound(part)),
        sealedThrough,
      ),
    );
    for (const damage of damages) this.#onDamage(damage);
  }

  /** A short reading is done right here: it takes less time than asking the thread, which may not have been started yet. */
  async #read(
    position: CatalogPosition,
    known: readonly number[],
    request: ViewRequest,
    signal: AbortSignal | undefined,
  ): Promise<CatalogChanges> {
    // Whoever holds nothing yet need not learn who died.
    const holdsNothing = position === start && this.#tail.isEmpty;
    const since = holdsNothing ? { ...position, lastDeletion: Number.MAX_SAFE_INTEGER } : position;
    if (isEmpty(request) && this.#isShort(since)) return this.#catalog.changesSince(since, known);
    return this.#context.reader.until(signal).catalog.changesSince(since, known, request);
  }

  #isShort(position: CatalogPosition): boolean {
    const { generation, lastKey, lastDeletion } = this.#catalog.position();
    const rows = lastKey - Math.max(position.lastKey, this.#catalog.segments.sealedThrough());
    if (rows > shortReading) return false;
    // A segment that is new here comes with all deletions that it has seen.
    const dead =
      generation === position.generation
        ? Math.max(0, lastDeletion - position.lastDeletion)
        : this.#catalog.documents.countDeletions(fewDeletions + 1);
    return dead <= fewDeletions;
  }

  #replace(next: Snapshot): void {
    const previous = this.#snapshot;
    this.#snapshot = next;
    previous.shared.release();
  }

  /** Reads everything again at the next refresh: vectors have changed in their place. */
  async forget(): Promise<void> {
    while (this.#refreshing !== undefined) await this.#refreshing.catch(() => {});
    this.#close();
  }

  /** Closes as soon as a refresh under way has ended. */
  close(): void {
    const close = (): void => this.#close();
    if (this.#refreshing === undefined) close();
    else this.#refreshing.then(close, close);
  }

  #close(): void {
    this.#replace(new Snapshot(start, this.#context.metric, [], 0));
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
    const part = tailSegment(this.#buffer, this.#keys, this.#shared);
    // Who was dead before is dead still, whatever moved; then those who died since.
    const deadBefore = previous === undefined ? new Float64Array(0) : deadKeysOf(previous);
    return withoutKeys(await withoutKeys(part, deadBefore), deletedKeys);
  }

  /** A reading that failed half-way is done again from its beginning: some rows are here already then. */
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

function isEmpty({ filter, words }: ViewRequest): boolean {
  return filter === undefined && words === undefined;
}

function samePosition(a: CatalogPosition, b: CatalogPosition): boolean {
  return a.generation === b.generation && a.lastKey === b.lastKey && a.lastDeletion === b.lastDeletion;
}
