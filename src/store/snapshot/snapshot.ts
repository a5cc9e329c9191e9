import { analyzeQuery } from '../../analysis/analyze.js';
import type { KeyedNeighbor, TextMatches, TextSearch, VectorSearch } from '../../backend/read-snapshot.js';
import { SemanticIndexError } from '../../errors.js';
import { packQueryTerms } from '../../terms/packed-query.js';
import { searchTerms, type TermsPart } from '../../terms/terms-files.js';
import { TimeSlice } from '../../time-slice.js';
import type { Metric } from '../../types.js';
import { type Bitset, complementItems, countItems, intersectItems } from '../../vectors/bitset.js';
import { distanceSign } from '../../vectors/metric.js';
import type { CatalogPosition } from '../catalog/catalog.js';
import { keyAt } from '../catalog/sorted-keys.js';
import { RefCounted, type SearchableSegment, type SegmentNeighbors } from './searchable-segment.js';
import type { TailSegment } from './tail-rows.js';

/** A search of a snapshot. */
export interface SnapshotSearch extends VectorSearch {
  /** The items of each segment, and of the tail, that may be found; undefined allows all. */
  readonly allowed?: readonly Bitset[] | undefined;
}

/** A search of the texts of a snapshot. */
export interface SnapshotTextSearch extends TextSearch {
  /** As for `SnapshotSearch`. */
  readonly allowed?: readonly Bitset[] | undefined;
}

// Queries of one batch that are searched for at the same time.
const textsAtOnce = 8;
// So few allowed items are scanned whatever a walk would cost.
const scanBelowItems = 4_096;

/**
 * The vectors and terms of all documents at one position of the catalog. Immutable; code that uses it across an `await` keeps it open with
 * `shared.retain()` and `shared.release()`.
 */
export class Snapshot {
  readonly shared: RefCounted;
  /** The segments, then the tail. */
  readonly all: readonly SearchableSegment[];

  constructor(
    readonly position: CatalogPosition,
    readonly metric: Metric,
    /** In the order of their keys. */
    readonly segments: readonly SearchableSegment[],
    /** The documents that no segment has yet. */
    readonly tail: TailSegment | undefined,
    readonly sealedThrough: number,
  ) {
    this.all = tail === undefined ? segments : [...segments, tail];
    this.shared = new RefCounted(() => {
      for (const segment of this.all) segment.shared.release();
    });
    for (const segment of this.all) segment.shared.retain();
  }

  /**
   * The nearest documents of each query, nearest first, ties by key; always min(k, allowed documents) of them.
   */
  async search(search: SnapshotSearch): Promise<KeyedNeighbor[][]> {
    this.shared.retain();
    try {
      const found = await Promise.all(
        this.all.map((segment, position) => this.#searchSegment(segment, search, search.allowed?.[position])),
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

  /** The documents that share terms with each query, best first, ties by key. */
  async searchTexts({ queries, limit, allowed, signal }: SnapshotTextSearch): Promise<TextMatches[]> {
    this.shared.retain();
    try {
      const found: TextMatches[] = [];
      for (let first = 0; first < queries.length; first += textsAtOnce) {
        const some = queries.slice(first, first + textsAtOnce);
        found.push(...(await Promise.all(some.map((query) => this.#searchText(query, limit, allowed, signal)))));
      }
      return found;
    } finally {
      this.shared.release();
    }
  }

  async #searchText(
    query: string,
    limit: number,
    allowed: readonly Bitset[] | undefined,
    signal: AbortSignal | undefined,
  ): Promise<TextMatches> {
    const { terms, weights } = analyzeQuery(query);
    if (terms.length === 0) return { ranked: [], maxScore: 0 };
    const packed = packQueryTerms(terms.map((term, position) => [term, weights[position] as number] as const));
    for (let verified = false; ; ) {
      const parts = await this.#termsParts(signal);
      try {
        const {
          parts: places,
          items,
          scores,
          maxScore,
        } = await searchTerms(parts, packed, { k: limit, allowed, signal });
        if (!(await this.#isSound(parts))) continue;
        const ranked = Array.from(scores, (score, position) => {
          const { keys } = this.all[places[position] as number] as SearchableSegment;
          return { key: keyAt(keys, items[position] as number), score };
        });
        return { ranked, maxScore: ranked.length === 0 ? 0 : maxScore };
      } catch (error) {
        signal?.throwIfAborted();
        if (!SemanticIndexError.is(error, 'INVALID_FILE')) throw error;
        if (!(await this.#isSound(parts))) continue;
        // Bytes decayed, and nothing else shows it.
        if (verified) throw error;
        verified = true;
        await Promise.all(this.all.map(({ terms }) => terms.verify(signal)));
      }
    }
  }

  #termsParts(signal: AbortSignal | undefined): Promise<TermsPart[]> {
    return Promise.all(
      this.all.map(async (segment): Promise<TermsPart> => {
        const source = await segment.terms.source(signal);
        return { source, items: segment.keys.offsets.length, dead: deadItems(segment) };
      }),
    );
  }

  async #isSound(parts: readonly TermsPart[]): Promise<boolean> {
    const sound = await Promise.all(
      parts.map(({ source }, position) => (this.all[position] as SearchableSegment).terms.isSound(source)),
    );
    return sound.every(Boolean);
  }

  async #searchSegment(
    segment: SearchableSegment,
    search: SnapshotSearch,
    matching: Bitset | undefined,
  ): Promise<SegmentNeighbors | undefined> {
    const total = segment.keys.offsets.length;
    let allowed = segment.alive;
    let candidates = total - segment.dead;
    if (matching !== undefined) {
      allowed = segment.alive === undefined ? matching : intersectItems(matching, segment.alive);
      candidates = countItems(allowed);
    }
    if (candidates === 0) return undefined;
    const { queries, count, searchK, signal } = search;
    const share = candidates / total;
    // The few allowed documents are far apart in a forest: a walk that finds them visits more nodes than a scan of just those.
    const few = candidates <= scanBelowItems || segment.walkLength({ k: search.k, searchK, share }) >= candidates;
    let exact = search.exact === true || few || !segment.hasForest;
    const request = { queries, count, k: Math.min(search.k, candidates), allowed, signal, searchK, share };
    const began = performance.now();
    let found = await segment.search({ ...request, exact });
    if (!exact && found.items.includes(-1)) {
      // Behind a filter a walk may find fewer than min(k, matches): scan for the rest.
      exact = true;
      found = await segment.search({ ...request, exact });
    }
    const milliseconds = performance.now() - began;
    search.onSegment?.({ segment: segment.segment, items: total, allowed: candidates, exact, milliseconds });
    return found;
  }

  #merge(found: readonly (SegmentNeighbors | undefined)[], query: number, k: number): KeyedNeighbor[] {
    const all: KeyedNeighbor[] = [];
    found.forEach((neighbors, position) => {
      if (neighbors === undefined) return;
      const { keys } = this.all[position] as SearchableSegment;
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

/** By their living items: snapshots share segments, and the complement of a large set takes a while. */
const deadOf = new WeakMap<Bitset, Bitset>();

function deadItems({ alive, keys }: SearchableSegment): Bitset | undefined {
  if (alive === undefined) return undefined;
  const known = deadOf.get(alive);
  if (known !== undefined) return known;
  const dead = complementItems(alive, keys.offsets.length);
  deadOf.set(alive, dead);
  return dead;
}
