import type { StoredDocument } from '../../backend/documents.js';
import type { FilterTree } from '../../backend/filter-tree.js';
import type { RankedDocument, RankedDocuments, ReadSnapshot } from '../../backend/read-snapshot.js';
import type { ResolvedSearchOptions } from '../../options.js';
import { diversify } from '../../ranking/diversify.js';
import type { Ranked } from '../../ranking/ranked.js';
import type { OperationContext } from '../context.js';
import { rankQueries, type SyntaxQuery } from '../query/rank-queries.js';
import { boundedConcurrency } from './bounded-concurrency.js';
import { type CheckedQuery, type ResolvedQuery, resolveQueries } from './query-vectors.js';
import { type WeightedWord, weightedWords } from './rerank-tokens.js';
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
  /** Words of the query with their weights, if it is reranked by tokens. */
  readonly words: readonly WeightedWord[] | undefined;
}

interface VectorRows {
  readonly data: Float32Array;
  readonly dimensions: number;
}

/** Depth of each ranking before rankings are fused. */
const fusionDepth = 50;
/** Candidates for each hit when hits are diversified. */
const diversityDepth = 5;

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
      return await boundedConcurrency(
        ranked,
        1,
        (list, place) => this.#read(list, resolved[place]?.text, snapshot),
        signal,
      );
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
    const { mode, typos, exact, searchK, vectorWeight, signal } = this.#options;
    // Those of the snapshot: the index may move to another model while it is searched.
    const { dimensions } = snapshot.space;
    const asked = queries.map(({ text, clauses, vector, degraded }): SyntaxQuery => {
      if (vector !== undefined) this.#context.space.checkDimensions(vector.length, dimensions);
      const byText = mode !== 'vector' || degraded !== undefined;
      return { ...(byText && { text }), ...(mode !== 'text' && { vector }), ...(clauses && { clauses }) };
    });
    const places = [...queries.keys()].filter((place) => isAsked(asked[place] as SyntaxQuery));
    if (places.length === 0) return queries.map(() => []);
    // The document whose neighbours are wanted is one of them.
    const own = queries.some((query) => query.own !== undefined) ? 1 : 0;
    const found = await this.#trace.time(mode === 'text' ? 'words' : 'vectors', () =>
      rankQueries(
        snapshot,
        {
          queries: places.map((place) => asked[place] as SyntaxQuery),
          k: this.#depth + own,
          depth: Math.max(this.#depth, fusionDepth),
          exact,
          searchK,
          vectorWeight,
          signal,
          onSegment: (segment) => this.#trace.segments.push(segment),
        },
        { typos, notes: this.#trace },
      ),
    );
    const lists = new Map(places.map((place, position) => [place, found[position] as RankedDocuments]));
    const complete = ({ own, degraded }: ResolvedQuery, place: number): Ranked[] => {
      const list = lists.get(place);
      const ranked = list === undefined ? [] : degraded === undefined ? list.ranked : sharesOf(list);
      this.#trace.matchingWords += ranked.filter(({ textScore }) => textScore > 0).length;
      return ranked.filter(({ key }) => key !== own && !this.#seen.has(key)).slice(0, this.#wanted);
    };
    return boundedConcurrency(queries, 1, complete, signal);
  }

  /** Diversifies unless that follows reranking, and reads the documents. */
  async #read(candidates: readonly Ranked[], text: string | undefined, snapshot: ReadSnapshot): Promise<Candidates> {
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
    const reranked = rerank === 'tokens' && text !== undefined;
    const words = reranked ? await this.#trace.time('rerank', () => weightedWords(text, snapshot, signal)) : undefined;
    return { ranked, documents, vectors, words };
  }
}

/** Documents with BM25 as a share of its upper bound: a scale that does not depend on the query, as that of the fused scores. */
function sharesOf({ ranked, maxTextScore }: RankedDocuments): RankedDocument[] {
  return ranked.map((one) => ({ ...one, score: maxTextScore > 0 ? Math.min(1, one.textScore / maxTextScore) : 0 }));
}

const nothing: Candidates = { ranked: [], documents: new Map(), vectors: undefined, words: undefined };

function keysOf(ranked: readonly Ranked[]): number[] {
  return ranked.map(({ key }) => key);
}

function isAsked({ text, vector }: SyntaxQuery): boolean {
  return text !== undefined || vector !== undefined;
}

function hasMoved(queries: readonly CheckedQuery[], { space }: ReadSnapshot): boolean {
  return queries.some((query) => query.space !== undefined && query.space !== space.space);
}
