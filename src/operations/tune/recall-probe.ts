import type { Backend } from '../../backend/backend.js';
import { TimeSlice } from '../../time-slice.js';
import type { SearchedSegment } from '../../types.js';
import { distanceSign } from '../../vectors/metric.js';
import type { FoundCounts } from './recall-interval.js';

/** Queries of one kind, with what exact search finds for them. */
export interface ProbeQueries {
  /** Packed, one after the other. */
  readonly vectors: Float32Array;
  readonly count: number;
  /** Key of the document that each query is, and so must not find; 0 for none. */
  readonly own: Float64Array;
  /** Distance of the k-th true neighbour of each query; what is as near counts as found. */
  readonly bounds: Float64Array;
  readonly of: Int32Array;
}

/** How the searches of a probe are done. */
export interface ProbeSetting {
  readonly exact: boolean;
  readonly searchK: number | undefined;
}

const queriesPerSearch = 64;
const timedSearches = 24;
// The same distance may come out of two routines with another last digit.
const tolerance = 1e-5;

/** Measures what searches of an index find and how long they take, against exact search of the same snapshot. */
export class RecallProbe {
  readonly #backend: Backend;
  readonly #k: number;
  readonly #signal: AbortSignal | undefined;

  constructor(backend: Backend, k: number, signal: AbortSignal | undefined) {
    this.#backend = backend;
    this.#k = k;
    this.#signal = signal;
  }

  /** Finds the true neighbours of queries; `onDone` hears how many queries have theirs. */
  async truth(vectors: Float32Array, own: Float64Array, onDone: (done: number) => void): Promise<ProbeQueries> {
    const count = own.length;
    const bounds = new Float64Array(count);
    const of = new Int32Array(count);
    await this.#search({ vectors, count, own }, { exact: true, searchK: undefined }, (query, distances) => {
      of[query] = distances.length;
      bounds[query] = distances.at(-1) ?? 0;
      if (query % queriesPerSearch === 0) onDone(query);
    });
    return { vectors, count, own, bounds, of };
  }

  /** How many of their true neighbours the queries find with a setting. */
  async found(queries: ProbeQueries, setting: ProbeSetting): Promise<FoundCounts> {
    const sign = distanceSign(this.#backend.metric);
    const found = new Int32Array(queries.count);
    await this.#search(queries, setting, (query, distances) => {
      const bound = queries.bounds[query] as number;
      const limit = sign * bound + tolerance * Math.max(1, Math.abs(bound));
      const within = distances.filter((distance) => sign * distance <= limit).length;
      found[query] = Math.min(within, queries.of[query] as number);
    });
    return { found, of: queries.of };
  }

  /** Median time of single searches, in milliseconds, and how the segments were searched. */
  async time(
    queries: ProbeQueries,
    setting: ProbeSetting,
  ): Promise<{ milliseconds: number; segments: SearchedSegment[] }> {
    const times: number[] = [];
    const segments: SearchedSegment[] = [];
    const dimensions = queries.vectors.length / Math.max(1, queries.count);
    for (let run = 0; run < Math.min(timedSearches, queries.count) + 2; run++) {
      this.#signal?.throwIfAborted();
      const row = run % queries.count;
      const vector = queries.vectors.subarray(row * dimensions, (row + 1) * dimensions);
      const onSegment = (segment: SearchedSegment): void => void segments.push(segment);
      const began = performance.now();
      await this.#backend.search({ queries: vector, count: 1, k: this.#k, ...setting, onSegment });
      // The first two fetch what they touch into memory.
      if (run >= 2) times.push(performance.now() - began);
    }
    times.sort((a, b) => a - b);
    return { milliseconds: times[Math.floor(times.length / 2)] ?? 0, segments };
  }

  async #search(
    { vectors, count, own }: Pick<ProbeQueries, 'vectors' | 'count' | 'own'>,
    setting: ProbeSetting,
    visit: (query: number, distances: number[]) => void,
  ): Promise<void> {
    const slice = new TimeSlice();
    const dimensions = vectors.length / Math.max(1, count);
    for (let first = 0; first < count; first += queriesPerSearch) {
      const size = Math.min(queriesPerSearch, count - first);
      const queries = vectors.subarray(first * dimensions, (first + size) * dimensions);
      const lists = await this.#backend.search({
        queries,
        count: size,
        k: this.#k + 1,
        ...setting,
        signal: this.#signal,
      });
      for (const [position, list] of lists.entries()) {
        const query = first + position;
        const others = list.filter(({ key }) => key !== own[query]).slice(0, this.#k);
        visit(
          query,
          others.map(({ distance }) => distance),
        );
        if (slice.due()) await slice.yieldIfDue(this.#signal);
      }
    }
  }
}
