import { SemanticIndexError } from '../errors.js';
import type { SemanticIndex } from '../semantic-index.js';
import { TimeSlice } from '../time-slice.js';
import type { WhereOf } from '../types/where-of.js';
import type { Hit, LongWorkOptions, Metadata, Where } from '../types.js';
import type { DistinctTexts } from './distinct-texts.js';
import type { PairMeasure } from './pair-measure.js';

/** Maximum hits of one search: more would block the event loop. */
const hitsPerSearch = 256;

/** Options for `NeighborPairs.search`. */
export interface NeighborSearch extends LongWorkOptions {
  readonly where: Where | undefined;
  readonly exact: boolean;
  /** Minimum value of a pair. */
  readonly lowest: number;
}

/** Pairs of texts with their value and similarity, in growing columns. A pair may occur twice, once from each side. */
export class NeighborPairs {
  /** Value above which all neighbors of a text are known, see `PairMeasure.reachOf`; Infinity before it was searched. */
  readonly reach: Float64Array;
  /** Similarity of the nearest other document of each text; -Infinity when there is none, or before the search. */
  readonly nearest: Float64Array;
  readonly #size: number;
  readonly #measure: PairMeasure;
  #from = new Int32Array(1024);
  #to = new Int32Array(1024);
  #value = new Float64Array(1024);
  #similarity = new Float64Array(1024);
  #length = 0;

  constructor(texts: number, measure: PairMeasure) {
    this.#size = texts;
    this.#measure = measure;
    this.reach = new Float64Array(texts).fill(Number.POSITIVE_INFINITY);
    this.nearest = new Float64Array(texts).fill(Number.NEGATIVE_INFINITY);
  }

  get length(): number {
    return this.#length;
  }

  from(pair: number): number {
    return this.#from[pair] as number;
  }

  to(pair: number): number {
    return this.#to[pair] as number;
  }

  /** What the threshold is compared with. */
  value(pair: number): number {
    return this.#value[pair] as number;
  }

  /** Similarity of the vectors. */
  similarity(pair: number): number {
    return this.#similarity[pair] as number;
  }

  add(from: number, to: number, value: number, similarity: number): void {
    if (this.#length === this.#from.length) {
      const capacity = this.#length * 2;
      const [first, second, third, fourth] = [this.#from, this.#to, this.#value, this.#similarity];
      this.#from = new Int32Array(capacity);
      this.#from.set(first);
      this.#to = new Int32Array(capacity);
      this.#to.set(second);
      this.#value = new Float64Array(capacity);
      this.#value.set(third);
      this.#similarity = new Float64Array(capacity);
      this.#similarity.set(fourth);
    }
    this.#from[this.#length] = from;
    this.#to[this.#length] = to;
    this.#value[this.#length] = value;
    this.#similarity[this.#length++] = similarity;
  }

  /** Filters the texts whose neighbors at or above a value are not all known. */
  incomplete(texts: Iterable<number>, value: number): number[] {
    return [...texts].filter((text) => (this.reach[text] as number) >= value);
  }

  /**
   * Searches the `k` nearest documents of each text by the vector of its first document, and stores the pairs. The next block is
   * searched while the previous one is processed, so memory does not depend on the number of blocks.
   */
  async search<M extends Metadata>(
    index: SemanticIndex<M>,
    texts: DistinctTexts,
    wanted: readonly number[],
    k: number,
    options: NeighborSearch,
  ): Promise<void> {
    const { signal, onProgress, where, exact } = options;
    const perBlock = Math.max(1, Math.floor(hitsPerSearch / k));
    const slice = new TimeSlice();
    const start = (first: number): Promise<Hit<M>[][]> => {
      const ids = wanted.slice(first, first + perBlock).map((text) => ({ id: texts.idOfText(text) }));
      const hits = searchExisting(index, ids, {
        mode: 'vector',
        k,
        where: where as WhereOf<M> | undefined,
        exact,
        signal,
      });
      // Awaited after the previous block: until then a rejection must not count as unhandled.
      hits.catch(() => {});
      return hits;
    };
    let next = start(0);
    for (let first = 0; first < wanted.length; first += perBlock) {
      signal?.throwIfAborted();
      const lists = await next;
      next = start(first + perBlock);
      for (const [position, hits] of lists.entries()) {
        this.#keep(texts, wanted[first + position] as number, hits, k, options.lowest);
        if (slice.due()) await slice.yieldIfDue(signal);
      }
      onProgress?.({ stage: 'search', done: Math.min(first + perBlock, wanted.length), total: wanted.length });
    }
    await next;
  }

  #keep(texts: DistinctTexts, from: number, hits: readonly Hit[], k: number, lowest: number): void {
    const values: (number | undefined)[] = [];
    for (const { id, score } of hits) {
      const to = texts.textOfId(id);
      if (to === undefined) continue;
      const similarity = Math.min(1, score);
      this.nearest[from] = Math.max(this.nearest[from] as number, to === from ? 1 : similarity);
      if (to === from) continue;
      const sameWords = texts.wordingOf[from] === texts.wordingOf[to];
      const value = sameWords ? 1 : this.#measure.valueOf(from, to, similarity);
      values.push(value);
      if (value !== undefined && value >= lowest) this.add(from, to, value, similarity);
    }
    const all = hits.length < k || k >= texts.ids.length;
    const last = hits.at(-1)?.score as number;
    this.reach[from] = all ? Number.NEGATIVE_INFINITY : this.#measure.reachOf(last, values, lowest);
  }

  /** Number of texts. */
  get texts(): number {
    return this.#size;
  }
}

/** Searches by documents; a document deleted meanwhile has no hits. */
async function searchExisting<M extends Metadata>(
  index: SemanticIndex<M>,
  queries: { id: string | number }[],
  options: Parameters<SemanticIndex<M>['searchMany']>[1],
): Promise<Hit<M>[][]> {
  if (queries.length === 0) return [];
  try {
    return (await index.searchMany(queries, options)).map(({ hits }) => hits);
  } catch (error) {
    if (!SemanticIndexError.is(error, 'NOT_FOUND')) throw error;
    const vectors = await index.getVectors(queries.map(({ id }) => id));
    const found = await searchExisting(
      index,
      queries.filter((_, position) => vectors[position] !== undefined),
      options,
    );
    return vectors.map((vector) => (vector === undefined ? [] : (found.shift() as Hit<M>[])));
  }
}
