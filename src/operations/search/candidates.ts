import type { StoredDocument } from '../../backend/documents.js';
import type { FilterTree } from '../../backend/filter-tree.js';
import type { ReadSnapshot, TextMatches } from '../../backend/read-snapshot.js';
import type { ResolvedSearchOptions } from '../../options.js';
import { diversify } from '../../ranking/diversify.js';
import { fuse } from '../../ranking/fuse.js';
import type { Ranked } from '../../ranking/ranked.js';
import { scoreOf } from '../../vectors/metric.js';
import { packVectors } from '../../vectors/pack-vectors.js';
import type { OperationContext } from '../context.js';
import { boundedConcurrency } from './bounded-concurrency.js';
import { type CheckedQuery, type ResolvedQuery, resolveQueries } from './query-vectors.js';
import { HitBytes } from './result-size.js';
import type { SearchTrace } from './search-trace.js';

/** The options that ranking reads; no hook is called. */
export type RankOptions = Omit<ResolvedSearchOptions, 'where' | 'rerank'> & { readonly rerank: unknown };

/** The best documents of a query, read from the snapshot that they were found in. */
export interface Candidates {
  readonly ranked: readonly Ranked[];
  /** By key. */
  readonly documents: ReadonlyMap<number, StoredDocument>;
  /** Vectors of `ranked`, one after the other, if they are needed to diversify after reranking. */
  readonly vectors: VectorRows | undefined;
}

interface VectorRows {
  readonly data: Float32Array;
  readonly dimensions: number;
}

/** Depth of each ranking before rankings are fused. */
const fusionDepth = 50;
/** Candidates for each hit when hits are diversified. */
const diversityDepth = 5;
/** Queries whose text matches are compared with their vectors at the same time. */
const comparedAtOnce = 8;

/** A search from checked queries to documents. */
export class CandidateSearch {
  readonly #context: OperationContext;
  readonly #filter: FilterTree | undefined;
  readonly #options: RankOptions;
  readonly #seen: ReadonlySet<number>;
  readonly #trace: SearchTrace;
  readonly #bytes: HitBytes;

  /** @param seen keys of documents to leave out. */
  constructor(
    context: OperationContext,
    filter: FilterTree | undefined,
    options: RankOptions,
    seen: ReadonlySet<number>,
    trace: SearchTrace,
  ) {
    this.#context = context;
    this.#filter = filter;
    this.#options = options;
    this.#seen = seen;
    this.#trace = trace;
    this.#bytes = new HitBytes(options.maxBytes);
  }

  /** Undefined when the index moved to another space after the queries were embedded. */
  async find(queries: readonly CheckedQuery[]): Promise<Candidates[] | undefined> {
    const { signal } = this.#options;
    const { backend, space } = this.#context;
    const snapshot = await this.#trace.time('filter', () => backend.snapshot({ filter: this.#filter, signal }));
    try {
      if (snapshot === undefined) return (await resolveQueries(queries, undefined)).map(() => nothing);
      if (hasMoved(queries, snapshot)) return undefined;
      // A vector that the caller made with the old model must not be compared with those of the new one.
      space.check();
      const resolved = await resolveQueries(queries, snapshot);
      const ranked = await this.#rank(resolved, snapshot);
      return await boundedConcurrency(ranked, 1, (list) => this.#read(list, snapshot), signal);
    } finally {
      snapshot?.close();
    }
  }

  /** Candidates that are wanted of each query: those that are diversified or reranked. */
  get #wanted(): number {
    const { k, diversity, rerank, rerankDepth } = this.#options;
    const candidates = diversity > 0 ? k * diversityDepth : k;
    return rerank === undefined ? candidates : Math.max(candidates, rerankDepth);
  }

  get #depth(): number {
    return this.#wanted + this.#seen.size;
  }

  async #rank(queries: readonly ResolvedQuery[], snapshot: ReadSnapshot): Promise<Ranked[][]> {
    const { mode, signal } = this.#options;
    const depth = this.#depth;
    const [byVector, matches] = await Promise.all([
      mode === 'text' ? [] : this.#rankByVector(queries, snapshot),
      mode === 'vector' ? [] : this.#rankByText(queries, snapshot),
    ]);
    const rank = async (query: ResolvedQuery, position: number): Promise<Ranked[]> => {
      const near = byVector[position] ?? [];
      const byText = matches[position];
      if (byText === undefined) return near;
      this.#trace.matchingWords += byText.ranked.length;
      if (mode === 'text') return byText.ranked.slice(0, depth);
      return this.#fuse(query, near, byText, snapshot);
    };
    const ranked = await boundedConcurrency(queries, comparedAtOnce, rank, signal);
    return ranked.map((list) => list.filter(({ key }) => !this.#seen.has(key)).slice(0, this.#wanted));
  }

  async #rankByVector(queries: readonly ResolvedQuery[], snapshot: ReadSnapshot): Promise<Ranked[][]> {
    const { mode, exact, searchK, signal } = this.#options;
    const asked = queries.filter(({ vector }) => vector !== undefined);
    // Those of the snapshot: the index may move to another model while it is searched.
    const { dimensions } = snapshot.space;
    for (const { vector } of asked) this.#context.space.checkDimensions((vector as Float32Array).length, dimensions);
    const isFused = mode === 'hybrid' && asked.some(({ text }) => text !== undefined);
    const depth = isFused ? Math.max(this.#depth, fusionDepth) : this.#depth;
    const own = asked.some((query) => query.own !== undefined) ? 1 : 0;
    const found = await this.#trace.time('vectors', () =>
      snapshot.search({
        queries: packVectors(asked.map(({ vector }) => vector as Float32Array)),
        count: asked.length,
        k: depth + own,
        exact,
        searchK,
        signal,
        onSegment: (segment) => this.#trace.segments.push(segment),
      }),
    );
    const lists = new Map(asked.map((query, position) => [query, found[position] ?? []]));
    const score = this.#scoring(snapshot);
    const rank = (query: ResolvedQuery): Ranked[] =>
      (lists.get(query) ?? [])
        .filter(({ key }) => key !== query.own)
        .slice(0, depth)
        .map(({ key, distance }) => ({ key, score: score(distance) }));
    return boundedConcurrency(queries, 1, rank, signal);
  }

  /** The matches of each query that is a text. */
  async #rankByText(
    queries: readonly ResolvedQuery[],
    snapshot: ReadSnapshot,
  ): Promise<readonly (TextMatches | undefined)[]> {
    const { signal } = this.#options;
    const texts = queries.flatMap(({ text }) => text ?? []);
    if (texts.length === 0) return [];
    const limit = Math.max(this.#depth, fusionDepth);
    const found = await this.#trace.time('words', () => snapshot.searchTexts({ queries: texts, limit, signal }));
    let next = 0;
    return queries.map(({ text }) => (text === undefined ? undefined : found[next++]));
  }

  #scoring({ space }: ReadSnapshot): (distance: number) => number {
    const { metric } = this.#context.backend;
    return (distance) => scoreOf(metric, distance, space.dimensions);
  }

  /** Text-only matches get a vector score too, so both rankings cover every candidate. */
  async #fuse(
    { vector }: ResolvedQuery,
    byVector: Ranked[],
    { ranked: byText, maxScore }: TextMatches,
    snapshot: ReadSnapshot,
  ): Promise<Ranked[]> {
    const known = new Set(byVector.map(({ key }) => key));
    const missing = byText.filter(({ key }) => !known.has(key)).map(({ key }) => key);
    const compared = vector === undefined ? [] : await snapshot.compare(vector, missing, this.#options.signal);
    const score = this.#scoring(snapshot);
    const similar = compared.map(({ key, distance }) => ({ key, score: score(distance) }));
    return fuse(byText, maxScore, [...byVector, ...similar]).slice(0, this.#depth);
  }

  /** Diversifies unless that follows reranking, and reads the documents. */
  async #read(candidates: readonly Ranked[], snapshot: ReadSnapshot): Promise<Candidates> {
    const { k, diversity, rerank, signal } = this.#options;
    let ranked = candidates;
    let vectors: VectorRows | undefined;
    if (diversity > 0) {
      const data = await snapshot.vectorsByKeys(keysOf(candidates), signal);
      const rows = { data, dimensions: snapshot.space.dimensions };
      if (rerank === undefined) ranked = await diversify(candidates, k, diversity, rows, signal);
      else vectors = rows;
    }
    if (rerank === undefined) ranked = ranked.slice(0, k);
    const keys = keysOf(ranked);
    await this.#bytes.add(() => snapshot.bytesByKeys(keys));
    const rows = await this.#trace.time('lookup', () => snapshot.byKeys(keys, signal));
    const documents = new Map(rows.flatMap((row) => (row === undefined ? [] : [[row.key, row] as const])));
    return { ranked, documents, vectors };
  }
}

const nothing: Candidates = { ranked: [], documents: new Map(), vectors: undefined };

function keysOf(ranked: readonly Ranked[]): number[] {
  return ranked.map(({ key }) => key);
}

function hasMoved(queries: readonly CheckedQuery[], { space }: ReadSnapshot): boolean {
  return queries.some((query) => query.space !== undefined && query.space !== space.space);
}
