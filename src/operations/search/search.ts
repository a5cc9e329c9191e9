import { SemanticIndexError } from '../../errors.js';
import type { SearchOptions } from '../../options.js';
import { diversify } from '../../ranking/diversify.js';
import { fuse } from '../../ranking/fuse.js';
import type { Ranked } from '../../ranking/ranked.js';
import type { StoredDocument } from '../../store/catalog/document-table.js';
import type { CompiledFilter } from '../../store/catalog/filter-sql.js';
import type { WordMatches } from '../../store/catalog/words/text-table.js';
import type { ReadSnapshot } from '../../store/snapshot/read-snapshot.js';
import type { Store } from '../../store/store.js';
import type { Hit, Metadata, SearchPage } from '../../types.js';
import { scoreOf } from '../../vectors/metric.js';
import { packVectors } from '../../vectors/pack-vectors.js';
import { documentOf } from '../checked-document.js';
import { filterFor } from '../declared-fields.js';
import type { EmbeddingSpace } from '../embedding-space.js';
import { boundedConcurrency } from './bounded-concurrency.js';
import { type CheckedQuery, checkQueries, followOwn, isIdQuery, type Query } from './query-vectors.js';
import { rerankHits } from './rerank-hits.js';
import { HitBytes } from './result-size.js';
import { cursorOf, keysOf } from './search-cursor.js';
import { SearchTrace } from './search-trace.js';

/** What ranking needs of the options: no hook of theirs is called while there are no hits. */
type RankOptions = SearchOptions<never, never>;

/** A hit and the key of its document. */
interface Found<M extends Metadata> {
  readonly key: number;
  readonly hit: Hit<M>;
}

/** How the documents of the hits are looked up. */
interface LookUp {
  readonly filter: CompiledFilter | undefined;
  readonly bytes: HitBytes;
  /** Whether what is gone is left out, rather than searched for again. */
  readonly isLast: boolean;
}

const nothing: ReadonlySet<number> = new Set();

/** How deep each ranking is looked into before rankings are fused or thinned out. */
const fusionDepth = 50;
const diversityDepth = 5;
/** Queries of a batch whose words are looked for, in the thread that others need too, and whose hits are reranked, at one time. */
const [wordsAtOnce, rerankedAtOnce] = [1, 16];
/** Queries of a batch whose matches by words are compared with the vectors at the same time. */
const comparedAtOnce = 8;
// Three attempts in four find everything still there even while two processes commit as fast as they can.
const maxAttempts = 32;
/**
 * Milliseconds in which a search is done again when a hit was replaced before its text was read. On a busy machine with
 * processes that replace one document all the time most attempts fail, and 32 are not enough.
 */
const gapPatience = 5_000;

/** The way from queries to hits: embed, filter, search snapshot and words, fuse, look up. */
export class SearchJourney {
  readonly #store: Store;
  readonly #space: EmbeddingSpace;
  readonly #trace: SearchTrace;

  constructor(store: Store, space: EmbeddingSpace, trace = new SearchTrace()) {
    this.#store = store;
    this.#space = space;
    this.#trace = trace;
  }

  async run<M extends Metadata>(queries: readonly Query[], options: SearchOptions<Query, Hit<M>>): Promise<Hit<M>[][]> {
    const found = await this.#find<M>(queries, options, nothing);
    return found.map((list) => list.map(({ hit }) => hit));
  }

  /** The best hits that were not on the pages before. */
  async page<M extends Metadata>(
    query: Query,
    options: SearchOptions<Query, Hit<M>>,
    after: string | undefined,
  ): Promise<SearchPage<M>> {
    const seen = after === undefined ? nothing : keysOf(after);
    const { k } = options;
    const [found = []] = await this.#find<M>([query], { ...options, k: k + 1 }, seen);
    const page = found.slice(0, k);
    const hits = page.map(({ hit }) => hit);
    if (found.length <= k) return { hits };
    return { hits, next: cursorOf([...seen, ...page.map(({ key }) => key)]) };
  }

  async #find<M extends Metadata>(
    queries: readonly Query[],
    options: SearchOptions<Query, Hit<M>>,
    seen: ReadonlySet<number>,
  ): Promise<Found<M>[][]> {
    for (let attempt = 1; ; attempt++) {
      // Query, vectors and words are read one after the other: only when the index did not move to another model
      // meanwhile do they go together.
      const cutovers = this.#store.cutovers();
      const moved = (): boolean => this.#store.cutovers() !== cutovers;
      try {
        const lists = await this.#findOnce<M>(queries, options, seen);
        if (!moved()) return lists;
      } catch (error) {
        if (!moved()) throw error;
      }
      if (attempt === maxAttempts) throw new SemanticIndexError('BUSY', 'The index kept moving to other models');
    }
  }

  async #findOnce<M extends Metadata>(
    queries: readonly Query[],
    options: SearchOptions<Query, Hit<M>>,
    seen: ReadonlySet<number>,
  ): Promise<Found<M>[][]> {
    const { mode, signal } = options;
    signal?.throwIfAborted();
    // A vector that the caller made with the old model must not meet those of a new one.
    this.#space.check();
    const filter = options.where === undefined ? undefined : filterFor(this.#store, options.where);
    let checked = await this.#trace.time('embed', () =>
      checkQueries(queries, mode !== 'text', this.#store, this.#space, signal),
    );
    // A document that leaves, or matches no longer, between search and look-up would leave a gap: it is done again.
    const began = performance.now();
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt >= maxAttempts && performance.now() - began > gapPatience;
      if (attempt > 1) checked = followOwn(queries, checked, this.#store);
      const ranked = await this.#rank(checked, filter, options, seen);
      const bytes = new HitBytes(options.maxBytes);
      const concurrency = options.rerank === undefined ? 1 : rerankedAtOnce;
      const complete = (list: readonly Ranked[], position: number) =>
        this.#complete<M>(queries[position] as Query, list, { filter, bytes, isLast }, options);
      const lists = await boundedConcurrency(ranked, concurrency, complete, signal);
      if (lists.every((list) => list !== undefined)) return lists;
    }
  }

  /** For each query the best documents: as many as are wanted, or as are to be reranked. */
  async #rank(
    queries: readonly CheckedQuery[],
    filter: CompiledFilter | undefined,
    options: RankOptions,
    seen: ReadonlySet<number>,
  ): Promise<Ranked[][]> {
    const { k, diversity, rerank, rerankDepth, mode } = options;
    const candidates = diversity > 0 ? k * diversityDepth : k;
    const wanted = rerank === undefined ? candidates : Math.max(candidates, rerankDepth);
    const depth = wanted + seen.size;
    const ranked: Ranked[][] = [];
    while (ranked.length < queries.length) {
      const rest = queries.slice(ranked.length);
      const some =
        mode === 'text'
          ? await this.#rankByWords(rest, filter, depth, options.signal)
          : await this.#rankAtOnce(rest, filter, options, depth);
      ranked.push(...some);
    }
    return ranked.map((list) => list.filter(({ key }) => !seen.has(key)).slice(0, wanted));
  }

  #rankByWords(
    queries: readonly CheckedQuery[],
    filter: CompiledFilter | undefined,
    depth: number,
    signal: AbortSignal | undefined,
  ): Promise<Ranked[][]> {
    // Not all at once: between two of them the searches of others have their turn.
    const rank = async ({ text }: CheckedQuery): Promise<Ranked[]> => {
      if (text === undefined) return [];
      const { ranked } = await this.#trace.time('words', () =>
        this.#store.searchWords(text, Math.max(depth, fusionDepth), filter, signal),
      );
      this.#trace.matchingWords += ranked.length;
      return ranked.slice(0, depth);
    };
    return boundedConcurrency(queries, wordsAtOnce, rank, signal);
  }

  /**
   * Ranks the first of some queries, as many as there was time for: vectors, words and filter at one moment, so that a document
   * that is being replaced is found as what it was or as what it has become.
   */
  async #rankAtOnce(
    queries: readonly CheckedQuery[],
    filter: CompiledFilter | undefined,
    options: RankOptions,
    depth: number,
  ): Promise<Ranked[][]> {
    const texts = options.mode === 'vector' ? [] : queries.flatMap(({ text }) => text ?? []);
    const words = texts.length === 0 ? undefined : { queries: texts, limit: Math.max(depth, fusionDepth) };
    const stage = words === undefined ? 'filter' : 'words';
    const view = await this.#trace.time(stage, () => this.#store.view({ filter, words, signal: options.signal }));
    if (view === undefined) return queries.map(() => []);
    try {
      const asked = words === undefined ? queries : queriesWithWords(queries, view.words.length);
      const byVector = await this.#rankByVector(asked, view, depth, options);
      let next = 0;
      const found = asked.map(({ text }) =>
        words === undefined || text === undefined ? undefined : view.words[next++],
      );
      const rank = (query: CheckedQuery, position: number): Ranked[] | Promise<Ranked[]> => {
        const near = byVector[position] ?? [];
        const byWords = found[position];
        return byWords === undefined ? near : this.#withWords(query, near, byWords, view, depth, options.signal);
      };
      return await boundedConcurrency(asked, comparedAtOnce, rank, options.signal);
    } finally {
      view.close();
    }
  }

  async #rankByVector(
    queries: readonly CheckedQuery[],
    view: ReadSnapshot,
    wanted: number,
    { mode, exact, searchK, signal }: RankOptions,
  ): Promise<Ranked[][]> {
    const asked = queries.filter(({ vector }) => vector !== undefined);
    const fused = mode === 'hybrid' && asked.some(({ text }) => text !== undefined);
    const depth = fused ? Math.max(wanted, fusionDepth) : wanted;
    const own = asked.some((query) => query.own !== undefined) ? 1 : 0;
    const found = await this.#trace.time('vectors', () =>
      view.search({
        queries: packVectors(asked.map(({ vector }) => vector as Float32Array)),
        count: asked.length,
        k: depth + own,
        exact,
        searchK,
        signal,
        onPart: (part) => this.#trace.parts.push(part),
      }),
    );
    const lists = new Map(asked.map((query, position) => [query, found[position] ?? []]));
    const score = this.#scoring();
    const rank = (query: CheckedQuery): Ranked[] =>
      (lists.get(query) ?? [])
        .filter(({ key }) => key !== query.own)
        .slice(0, depth)
        .map(({ key, distance }) => ({ key, score: score(distance) }));
    return boundedConcurrency(queries, 1, rank, signal);
  }

  /** Makes scores of distances. The dimensions are read once: to ask for them takes far longer than to use them. */
  #scoring(): (distance: number) => number {
    const { metric } = this.#store;
    const { dimensions } = this.#space;
    return (distance) => scoreOf(metric, distance, dimensions);
  }

  async #withWords(
    { vector }: CheckedQuery,
    byVector: Ranked[],
    { ranked: byWords, most }: WordMatches,
    view: ReadSnapshot,
    depth: number,
    signal: AbortSignal | undefined,
  ): Promise<Ranked[]> {
    this.#trace.matchingWords += byWords.length;
    // A document that only the words found is compared as well, so that both rankings cover every candidate.
    const known = new Set(byVector.map(({ key }) => key));
    const missing = byWords.filter(({ key }) => !known.has(key)).map(({ key }) => key);
    const completed = vector === undefined ? [] : await view.compare(vector, missing, signal);
    const score = this.#scoring();
    const similar = completed.map(({ key, distance }) => ({ key, score: score(distance) }));
    return fuse(byWords, most, [...byVector, ...similar]).slice(0, depth);
  }

  async #diversify(
    ranked: readonly Ranked[],
    { k, diversity, signal }: Pick<RankOptions, 'k' | 'diversity' | 'signal'>,
  ): Promise<Ranked[]> {
    const data = await this.#store.vectorsByKeys(
      ranked.map(({ key }) => key),
      signal,
    );
    return diversify(ranked, k, diversity, { data, dimensions: this.#space.dimensions ?? 0 }, signal);
  }

  /** Looks up the texts; reranks and thins out where that was asked for. Undefined when one is gone, but the last time. */
  async #complete<M extends Metadata>(
    query: Query,
    ranked: readonly Ranked[],
    { filter, bytes, isLast }: LookUp,
    options: SearchOptions<Query, Hit<M>>,
  ): Promise<Found<M>[] | undefined> {
    const { k, diversity, rerank, minScore, signal } = options;
    let order = ranked;
    if (diversity > 0 && rerank === undefined) {
      order = await this.#diversify(order, options);
      // Without its vector, a candidate that left meanwhile would have changed which others are taken.
      const keys = ranked.map(({ key }) => key);
      if (!isLast && !(await this.#store.haveAll(keys, signal))) return undefined;
    }
    if (rerank === undefined) order = order.slice(0, k);
    const keys = order.map(({ key }) => key);
    bytes.add(keys, this.#store);
    const stored = await this.#trace.time('lookup', () => this.#store.lookUp(keys, filter, signal));
    // The document that is asked for its likes is none of them; it has been replaced if it is here.
    const isOwn = (row: StoredDocument | undefined): boolean => isIdQuery(query) && row?.id === query.id;
    if (!isLast && stored.some((row) => row === undefined || isOwn(row))) return undefined;
    const hits = new Map<number, Hit<M>>();
    order.forEach(({ key, score }, position) => {
      const row = stored[position];
      if (row === undefined || isOwn(row)) return;
      const { id, text, metadata } = documentOf<M>(row);
      hits.set(key, { id, score, text, metadata });
    });
    if (rerank !== undefined) {
      const there = order.filter(({ key }) => hits.has(key));
      const scored = await this.#trace.time('rerank', () =>
        rerankHits(rerank, query, there, [...hits.values()], signal),
      );
      order = diversity > 0 ? await this.#diversify(scored, options) : scored.slice(0, k);
    }
    return order.flatMap(({ key, score }) => {
      const hit = hits.get(key);
      return hit === undefined || (minScore !== undefined && score < minScore) ? [] : [{ key, hit: { ...hit, score } }];
    });
  }
}

/** The first queries, up to the last one whose words were looked for. */
function queriesWithWords(queries: readonly CheckedQuery[], count: number): readonly CheckedQuery[] {
  let texts = 0;
  const end = queries.findIndex(({ text }) => text !== undefined && ++texts > count);
  return end < 0 ? queries : queries.slice(0, end);
}
