import { TimeSlice } from '../../time-slice.js';
import type { Metric } from '../../types.js';
import { type Bitset, countItems, intersectItems } from '../../vectors/bitset.js';
import { distanceSign } from '../../vectors/metric.js';
import type { CatalogPosition } from '../catalog/catalog.js';
import { keyAt } from '../catalog/sorted-keys.js';
import { RefCounted, type SearchableSegment, type SegmentNeighbors } from './searchable-segment.js';

/** A document found: its key, and its distance in the metric of the index. */
export interface KeyedNeighbor {
  readonly key: number;
  readonly distance: number;
}

/** How one part of a snapshot was searched. */
export interface SearchedSegment {
  /** Number of the segment; 0 for the documents that have none yet. */
  readonly segment: number;
  readonly items: number;
  /** Items whose document exists and that the filter lets through. */
  readonly allowed: number;
  /** Whether each allowed item was compared. */
  readonly exact: boolean;
  readonly milliseconds: number;
}

/** What to look for in a snapshot. */
export interface SnapshotSearch {
  /** Packed, one query after the other. */
  readonly queries: Float32Array;
  readonly count: number;
  readonly k: number;
  readonly exact?: boolean | undefined;
  /** Nodes to look at in each forest; undefined leaves it to the snapshot. */
  readonly searchK?: number | undefined;
  /** Of each part of the snapshot, the items that may be found; undefined allows all. */
  readonly allowed?: readonly Bitset[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told how each part was searched. */
  readonly onPart?: ((part: SearchedSegment) => void) | undefined;
}

// So few allowed items are scanned whatever a walk would cost.
const scanBelowItems = 4_096;

/**
 * A consistent view of all documents at one position of the catalog. Immutable; whoever uses it over an `await` keeps it
 * from being closed by `shared.retain()` and `shared.release()`.
 */
export class Snapshot {
  readonly shared: RefCounted;

  constructor(
    readonly position: CatalogPosition,
    readonly metric: Metric,
    /** Segments by key, then the tail. */
    readonly parts: readonly SearchableSegment[],
    readonly sealedThrough: number,
  ) {
    this.shared = new RefCounted(() => {
      for (const part of parts) part.shared.release();
    });
    for (const part of parts) part.shared.retain();
  }

  /** Documents in it. */
  get size(): number {
    return this.parts.reduce((sum, part) => sum + part.keys.offsets.length - part.dead, 0);
  }

  /**
   * The nearest documents of each query, nearest first, ties by key; always min(k, allowed documents) of them.
   */
  async search(search: SnapshotSearch): Promise<KeyedNeighbor[][]> {
    this.shared.retain();
    try {
      const found = await Promise.all(
        this.parts.map((part, position) => this.#searchPart(part, search, search.allowed?.[position])),
      );
      const slice = new TimeSlice();
      const merged: KeyedNeighbor[][] = [];
      for (let query = 0; query < search.count; query++) {
        if (slice.due()) await slice.yieldIfDue(search.signal);
        merged.push(this.#merge(found, query, search.k));
      }
      return merged;
    } finally {
      this.shared.release();
    }
  }

  async #searchPart(
    part: SearchableSegment,
    search: SnapshotSearch,
    matching: Bitset | undefined,
  ): Promise<SegmentNeighbors | undefined> {
    const total = part.keys.offsets.length;
    let allowed = part.alive;
    let candidates = total - part.dead;
    if (matching !== undefined) {
      allowed = part.alive === undefined ? matching : intersectItems(matching, part.alive);
      candidates = countItems(allowed);
    }
    if (candidates === 0) return undefined;
    const { queries, count, searchK, signal } = search;
    const share = candidates / total;
    // Few documents among many are far apart in a forest: a walk that finds them looks at more than a scan of just those.
    const few = candidates <= scanBelowItems || part.walkLength({ k: search.k, searchK, share }) >= candidates;
    let exact = search.exact === true || few || !part.hasForest;
    const request = { queries, count, k: Math.min(search.k, candidates), allowed, signal, searchK, share };
    const began = performance.now();
    let found = await part.search({ ...request, exact });
    if (!exact && found.items.includes(-1)) {
      // A forest may run dry behind a filter; the promise is min(k, matches), so the rest is scanned for.
      exact = true;
      found = await part.search({ ...request, exact });
    }
    const milliseconds = performance.now() - began;
    search.onPart?.({ segment: part.segment, items: total, allowed: candidates, exact, milliseconds });
    return found;
  }

  #merge(found: readonly (SegmentNeighbors | undefined)[], query: number, k: number): KeyedNeighbor[] {
    const all: KeyedNeighbor[] = [];
    found.forEach((neighbors, position) => {
      if (neighbors === undefined) return;
      const { keys } = this.parts[position] as SearchableSegment;
      const start = query * neighbors.k;
      for (let column = start; column < start + neighbors.k; column++) {
        const item = neighbors.items[column] as number;
        if (item < 0) break;
        all.push({ key: keyAt(keys, item), distance: neighbors.distances[column] as number });
      }
    });
    const sign = distanceSign(this.metric);
    all.sort((a, b) => sign * (a.distance - b.distance) || a.key - b.key);
    return all.length > k ? all.slice(0, k) : all;
  }
}
