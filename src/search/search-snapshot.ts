import { availableParallelism } from 'node:os';
import { addon } from '../addon/addon.js';
import {
  hitNumbers,
  type NativeBoosts,
  type NativeFault,
  type NativeSearchNumbers,
  type NativeSearchRequest,
  type NativeSearchResult,
  type NativeSearchSnapshot,
  type NativeTermList,
  type NativeTermsReading,
  partNumbers,
  queryNumbers,
} from '../addon/native-search.js';
import { runNativeReading } from '../addon/native-task.js';
import { SemanticIndexError } from '../errors.js';
import { packQueryTerms } from '../terms/packed-query.js';
import type { Metric } from '../types.js';
import type { Bitset } from '../vectors/bitset.js';
import { METRICS } from '../vectors/metric.js';
import type { SearchPart } from './search-part.js';
import { onOtherThread, SearchTurn } from './search-turn.js';

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
  /** What the terms are weighed by, see `countTerms`; either all queries with terms have it, or none. */
  readonly statistics?: Float64Array | undefined;
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
  /** What a search before this one found as `SnapshotHits.evidence`. Default: by the best hit by terms. */
  readonly evidence?: number | undefined;
  /** For each part the items that may be found; undefined allows all. */
  readonly allowed?: readonly (Bitset | undefined)[] | undefined;
  /** Factors of the scores of the items of each part. By vector, the `depth` nearest documents are candidates. */
  readonly boosts?: NativeBoosts | undefined;
  /** Do not answer a query with terms that no document has, if it is the only one: it has no hits. Default false. */
  readonly skipsMissing?: boolean | undefined;
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
  readonly distances: Float64Array;
  /** BM25; 0 where a document has no term of the query. */
  readonly termScores: Float64Array;
  /** What scores were multiplied by; 1 without boosts. */
  readonly factors: Float64Array;
  /** What a document with all terms of the query approaches; 0 without terms. */
  readonly maxScore: number;
  /** Terms of the query that no document has. */
  readonly missingTerms: number;
  /** What the share of the terms in fused scores is multiplied by, from 0 to 1; 1 for a query by one side. */
  readonly evidence: number;
  /** What the similarities of fused scores are measured by. */
  readonly similarityScale: number;
  /** Whether a larger `depth` cannot find better hits. */
  readonly isComplete: boolean;
}

/** What is looked up in the dictionaries of a snapshot. */
export interface TermLookUp {
  /** Prefixes of terms; with `distances`, terms themselves. */
  readonly terms: readonly string[];
  /** For each term, the most edits of another one that is found in its place if no document has it. */
  readonly distances?: readonly number[] | undefined;
  /** Whether such a term begins with the same character. Default false. */
  readonly sameFirst?: boolean | undefined;
  /** Terms of each list: by edits, then by number of documents, most first, then by bytes. */
  readonly limit: number;
  /** Documents of each term whose keys are returned. Default 0. */
  readonly sample?: number | undefined;
  /** For each part the items that count; undefined allows all. */
  readonly allowed?: readonly (Bitset | undefined)[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Terms that documents must have, and terms that they must not have. */
export interface TermsFilter {
  readonly required: readonly string[];
  readonly excluded: readonly string[];
}

/** Numbers of documents, and the parts whose files have changed or are damaged. */
export type CountedTerms = Awaited<ReturnType<NativeSearchSnapshot['countTerms']>>;

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
  readonly fault: NativeFault | undefined;
}

/**
 * The documents of an index at one point in time, searched by one native call per batch: off the event loop unless it is
 * expected to take less than that costs. Immutable. Vectors and terms of a document may be in different parts: they are joined by
 * its key.
 */
export class SearchSnapshot {
  readonly #native: NativeSearchSnapshot;
  readonly #dimensions: number;
  /** Of searches for one query by vector, by terms, and by both; then the same comparing every vector. */
  readonly #turns = Array.from({ length: 6 }, () => new SearchTurn());
  /** Searches that wait for a turn of the event loop, or until levels are ordered. */
  #waiting = 0;
  #isClosed = false;

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
    const { k, depth = k, exact = false, searchK = 0, vectorWeight = 1 / 3, allowed, boosts, signal } = options;
    const { skipsMissing = false, evidence, threads = processors } = options;
    if (!Number.isInteger(k) || k < 1 || k > maxHits || !Number.isInteger(depth) || depth < 1 || depth > maxHits) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `search: expected k and depth from 1 to ${maxHits}, got ${k}, ${depth}`,
      );
    }
    for (const { vector } of queries) if (vector !== undefined) this.#checkDimensions(vector);
    if (boosts !== undefined && !exact && queries.some(({ vector }) => vector !== undefined)) {
      const ordering = this.#native.orderLevels(boosts);
      if (ordering !== undefined) await this.#whileWaiting(ordering);
    }
    const turn = depth > maxShort || k > maxShort ? undefined : this.#turnOf(queries, exact);
    let runsHere = turn?.fits() === true;
    const next = runsHere ? undefined : turn?.next();
    if (next !== undefined) {
      await this.#whileWaiting(next);
      runsHere = turn?.fits() === true;
    }
    const native = this.#native;
    const request: NativeSearchRequest = [
      queries.map(({ vector }) => vector),
      queries.map(({ terms }) => terms),
      k,
      depth,
      exact,
      searchK,
      vectorWeight,
      allowed,
      threads,
      boosts,
      skipsMissing,
      queries.some(({ statistics }) => statistics !== undefined)
        ? queries.map(({ statistics }) => statistics)
        : undefined,
      evidence,
    ];
    let search: NativeSearchResult | Promise<NativeSearchResult>;
    try {
      signal?.throwIfAborted();
      search = runsHere ? native.searchHere(...request) : onOtherThread(searchInPool(native, request, signal));
    } finally {
      // What has begun keeps the parts open.
      if (this.#isClosed) this.close();
    }
    const found = search instanceof Promise ? await search : search;
    const { numbers, fault } = found instanceof Float64Array ? { numbers: found, fault: undefined } : found;
    turn?.add(numbers[0] as number);
    return answerOf(numbers, fault, queries.length);
  }

  /** Looks terms up in the dictionaries of all parts: a list for each. @throws the signal's reason, CLOSED. */
  lookUpTerms({
    terms,
    distances,
    sameFirst = false,
    limit,
    sample = 0,
    allowed,
    signal,
  }: TermLookUp): Promise<NativeTermsReading<NativeTermList>> {
    const packed = packQueryTerms(terms.map((term) => [term, 1] as const));
    const edits = distances === undefined ? undefined : Uint32Array.from(distances);
    return runNativeReading('look-up', { signal }, (task) =>
      this.#native.lookUpTerms(packed, edits, sameFirst, limit, sample, allowed, task),
    );
  }

  /**
   * The number of all documents, the sum of their lengths, and for each of some packed terms the number of documents that have it; 0
   * for one that joins the one before, which has the number of all of them. @throws the signal's reason, CLOSED.
   */
  countTerms(terms: Uint8Array): Promise<CountedTerms> {
    return runNativeReading('count', {}, (task) => this.#native.countTerms(terms, task));
  }

  /** The items of each part with terms that have them. @throws the signal's reason, CLOSED. */
  filterByTerms({
    required,
    excluded,
    allowed,
    signal,
  }: TermsFilter & Pick<TermLookUp, 'allowed' | 'signal'>): Promise<NativeTermsReading<Bitset | undefined>> {
    const [all, none] = [required, excluded].map((terms) => packQueryTerms(terms.map((term) => [term, 1] as const)));
    return runNativeReading('filter', { signal }, (task) =>
      this.#native.filterByTerms(all as Uint8Array, none as Uint8Array, allowed, task),
    );
  }

  /** Waits; the parts stay open meanwhile, and for the search that goes on, though the snapshot is closed. */
  async #whileWaiting(pending: Promise<void>): Promise<void> {
    this.#waiting++;
    try {
      await pending;
      this.#waiting--;
    } catch (error) {
      this.#waiting--;
      if (this.#isClosed) this.close();
      throw error;
    }
  }

  /** Where a search runs; undefined for one that may take long. */
  #turnOf([query, ...others]: readonly SnapshotQuery[], exact: boolean): SearchTurn | undefined {
    if (query === undefined || others.length > 0 || (query.terms?.length ?? 0) > maxShortTerms) return undefined;
    const kind = query.terms === undefined ? 0 : query.vector === undefined ? 1 : 2;
    return this.#turns[exact ? kind + 3 : kind];
  }

  #checkDimensions({ length: actual }: Float32Array): void {
    const expected = this.#dimensions;
    if (actual === expected) return;
    const message = `search: expected vectors of ${expected} dimensions, got ${actual}`;
    throw new SemanticIndexError('DIMENSION_MISMATCH', message, { details: { expected, actual } });
  }

  /** Releases the parts, once no running search uses them. Closing twice has no effect. */
  close(): void {
    this.#isClosed = true;
    if (this.#waiting === 0) this.#native.close();
  }
}

/** Hits have the size of a page, or of what is reranked. */
const maxHits = 2 ** 30;

/** Hits, candidates, and bytes of packed terms, of searches that may be short. */
const [maxShort, maxShortTerms] = [128, 512];
const processors = availableParallelism();

/** Most searches cannot be cancelled, and need no task for it. */
function searchInPool(
  native: NativeSearchSnapshot,
  request: NativeSearchRequest,
  signal: AbortSignal | undefined,
): Promise<NativeSearchResult> {
  if (signal === undefined) return native.search(...request, undefined);
  return runNativeReading('search', { signal }, (task) => native.search(...request, task));
}

function answerOf(numbers: NativeSearchNumbers, fault: NativeFault | undefined, count: number): SnapshotAnswer {
  const firstPart = 1 + count * queryNumbers;
  let hits = 0;
  for (let query = 0; query < count; query++) hits += numbers[1 + query * queryNumbers] as number;
  const firstHit = numbers.length - hits * hitNumbers;
  const parts: PartReport[] = [];
  for (let at = firstPart; at < firstHit; at += partNumbers) {
    parts.push({
      allowed: numbers[at] as number,
      searched: numbers[at + 1] === 1,
      exact: numbers[at + 2] === 1,
      milliseconds: numbers[at + 3] as number,
      changed: numbers[at + 4] === 1,
    });
  }
  const queries: SnapshotHits[] = [];
  let begin = firstHit;
  for (let query = 0; query < count; query++) {
    const size = numbers[1 + query * queryNumbers] as number;
    const column = (number: number): Float64Array => {
      const at = begin + number * hits;
      return numbers.subarray(at, at + size);
    };
    const maxScore = numbers[2 + query * queryNumbers] as number;
    queries.push({
      keys: column(0),
      scores: column(1),
      distances: column(2),
      termScores: column(3),
      factors: column(4),
      maxScore,
      missingTerms: numbers[3 + query * queryNumbers] as number,
      similarityScale: numbers[4 + query * queryNumbers] as number,
      isComplete: numbers[5 + query * queryNumbers] === 1,
      evidence: numbers[6 + query * queryNumbers] as number,
    });
    begin += size;
  }
  return { queries, parts, fault };
}
