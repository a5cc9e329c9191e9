import { availableParallelism } from 'node:os';
import { addon } from '../addon/addon.js';
import { type NativeSearchResult, type NativeSearchSnapshot, reportNumbers } from '../addon/native-search.js';
import { runNativeReading } from '../addon/native-task.js';
import { SemanticIndexError } from '../errors.js';
import type { Metric } from '../types.js';
import type { Bitset } from '../vectors/bitset.js';
import { METRICS } from '../vectors/metric.js';
import type { SearchPart } from './search-part.js';

/** A part of a snapshot, and which of its documents exist. */
export interface PartState {
  readonly part: SearchPart;
  /** Default: all exist. */
  readonly alive?: Bitset | undefined;
}

/** A query by vector, by terms (from `packQueryTerms`), or by both, which are fused. */
export interface SnapshotQuery {
  readonly vector?: Float32Array | undefined;
  readonly terms?: Uint8Array | undefined;
}

/** Options for `SearchSnapshot.search`. */
export interface SnapshotSearchOptions {
  /** Hits of each query. */
  readonly k: number;
  /** Candidates of either side for a fused query. Default: `k`. */
  readonly depth?: number | undefined;
  /** Compare every vector. Default false. */
  readonly exact?: boolean | undefined;
  /** Effort of an approximate search. Default: depends on k and the number of items. */
  readonly searchK?: number | undefined;
  /** Share of the similarity in a fused score, from 0 to 1; the rest is that of the terms. Default a third. */
  readonly vectorWeight?: number | undefined;
  /** For each part the items that may be found; undefined allows all. */
  readonly allowed?: readonly (Bitset | undefined)[] | undefined;
  /** Threads for a batch and for long exact searches. Default: as many as the machine has. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The hits of one query, best first. */
export interface SnapshotHits {
  readonly keys: Float64Array;
  /** Fused scores from 0 to 1; or the score of the distance, or BM25, for a query by vector or terms alone. */
  readonly scores: Float64Array;
  /** Distance to the vector of the query; NaN where there is none. */
  readonly distances: Float32Array;
  /** BM25; 0 where a document has no term of the query. */
  readonly termScores: Float64Array;
  /** What a document with all terms of the query approaches; 0 without terms. */
  readonly maxScore: number;
}

/** How a part was searched. */
export interface PartReport {
  /** Documents that exist and are allowed. */
  readonly allowed: number;
  /** Whether its vectors were searched. */
  readonly searched: boolean;
  /** Whether all allowed vectors were compared for some query. */
  readonly exact: boolean;
  /** Time of the search of its vectors. */
  readonly milliseconds: number;
  /** Whether its files were changed since they were opened: the hits must not be used then. */
  readonly changed: boolean;
}

/** The answer to a batch of queries. */
export interface SnapshotAnswer {
  readonly queries: readonly SnapshotHits[];
  readonly parts: readonly PartReport[];
  /** Damaged bytes that ended the search; there are no hits then. */
  readonly fault: { readonly part: number; readonly side: 'vectors' | 'terms'; readonly message: string } | undefined;
}

/**
 * The documents of an index at one point in time, searched by one native call per batch, off the event loop. Immutable. Vectors
 * and terms of a document may be in different parts: they are joined by its key.
 */
export class SearchSnapshot {
  readonly #native: NativeSearchSnapshot;
  readonly #dimensions: number;

  /**
   * @param parts those with vectors by ascending keys, and those with terms as well.
   * @throws INVALID_ARGUMENT when parts overlap, or have other dimensions or another metric; CLOSED.
   */
  constructor(metric: Metric, dimensions: number, parts: readonly PartState[]) {
    this.#dimensions = dimensions;
    this.#native = new (addon().SearchSnapshot)(
      METRICS.indexOf(metric),
      dimensions,
      parts.map(({ part }) => part.native),
      parts.map(({ alive }) => alive),
    );
  }

  /**
   * Answers all queries. By vector alone: always min(k, allowed documents) hits, ordered by distance. By terms alone: exactly the
   * k documents with the highest BM25. By both: the `depth` best candidates of either side, each scored by both sides and
   * fused, so that the result does not depend on which side found a document. Equal scores are ordered by key.
   *
   * @throws INVALID_ARGUMENT, INVALID_VECTOR, DIMENSION_MISMATCH, CLOSED, or the signal's reason.
   */
  async search(queries: readonly SnapshotQuery[], options: SnapshotSearchOptions): Promise<SnapshotAnswer> {
    const { k, depth = k, exact = false, searchK = 0, vectorWeight = 1 / 3, allowed, signal } = options;
    if (!Number.isInteger(k) || k < 1 || k > maxHits || !Number.isInteger(depth) || depth < 1 || depth > maxHits) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `search: expected k and depth from 1 to ${maxHits}, got ${k}, ${depth}`,
      );
    }
    for (const { vector } of queries) if (vector !== undefined) this.#checkDimensions(vector);
    const threads = options.threads ?? availableParallelism();
    const found = await runNativeReading('search', { signal }, (task) =>
      this.#native.search(
        queries.map(({ vector }) => vector),
        queries.map(({ terms }) => terms),
        k,
        depth,
        exact,
        searchK,
        vectorWeight,
        allowed,
        threads,
        task,
      ),
    );
    return { queries: hitsOf(found), parts: reportsOf(found), fault: found.fault };
  }

  #checkDimensions({ length: actual }: Float32Array): void {
    const expected = this.#dimensions;
    if (actual === expected) return;
    const message = `search: expected vectors of ${expected} dimensions, got ${actual}`;
    throw new SemanticIndexError('DIMENSION_MISMATCH', message, { details: { expected, actual } });
  }

  /** Releases the parts, once no running search uses them. Closing twice has no effect. */
  close(): void {
    this.#native.close();
  }
}

/** Hits have the size of a page, or of what is reranked. */
const maxHits = 2 ** 30;

function hitsOf({ keys, scores, distances, termScores, counts, maxScores }: NativeSearchResult): SnapshotHits[] {
  const hits: SnapshotHits[] = [];
  let begin = 0;
  counts.forEach((count, query) => {
    const end = begin + count;
    hits.push({
      keys: keys.subarray(begin, end),
      scores: scores.subarray(begin, end),
      distances: distances.subarray(begin, end),
      termScores: termScores.subarray(begin, end),
      maxScore: maxScores[query] as number,
    });
    begin = end;
  });
  return hits;
}

function reportsOf({ parts }: NativeSearchResult): PartReport[] {
  return Array.from({ length: parts.length / reportNumbers }, (_, part) => {
    const [allowed, searched, exact, milliseconds, changed] = parts.subarray(part * reportNumbers);
    return {
      allowed: allowed as number,
      searched: searched === 1,
      exact: exact === 1,
      milliseconds: milliseconds as number,
      changed: changed === 1,
    };
  });
}
