import { TimeSlice } from '../../time-slice.js';
import { type Postings, placeOfKey } from '../tables/postings.js';
import type { Bm25 } from './text-query.js';

/** A document with its BM25. */
export interface TextHit {
  readonly key: number;
  readonly score: number;
}

/** A term with its weight, and the documents that have it. */
export interface WeightedPostings {
  readonly weight: number;
  readonly postings: Postings;
}

/** More than what a sum loses by rounding. */
const margin = 1 + 1e-9;
/** Postings between two looks at the clock. */
const postingsPerLook = 8_192;
/** Most keys for which scores are in an array, by key. */
const maxDense = 2 ** 22;

/** What a term adds to the score of a document: the same bits as in the kernel, in any order of terms. */
function scoreOf(
  weight: number,
  frequency: number,
  length: number,
  { base, perLength, rounder, quantum }: Bm25,
): number {
  const score = weight * (frequency / (frequency + (base + perLength * length)));
  return Math.max(score + rounder - rounder, quantum);
}

/** Scores of documents by key. */
interface Scores {
  get(key: number): number;
  set(key: number, score: number): void;
}

function scoresUpTo(lastKey: number): Scores {
  if (lastKey < maxDense) {
    const scores = new Float64Array(lastKey + 1);
    return {
      get: (key) => scores[key] as number,
      set: (key, score) => {
        scores[key] = score;
      },
    };
  }
  const scores = new Map<number, number>();
  return { get: (key) => scores.get(key) ?? 0, set: (key, score) => void scores.set(key, score) };
}

/**
 * The documents with the highest BM25, ties by key. Documents are found by the terms with the largest weights first. What has none of
 * these scores less than the sum of the other weights (as a term adds less than its weight), so it is not among the hits once `limit` of
 * them have more (MaxScore: Turtle and Flood 1995).
 *
 * @param limit number of hits; undefined for all documents that have a term.
 */
export async function bestByTerms(
  terms: readonly WeightedPostings[],
  bm25: Bm25,
  limit: number | undefined,
  without: ReadonlySet<number>,
  signal?: AbortSignal,
): Promise<TextHit[]> {
  const heaviestFirst = terms.toSorted((left, right) => right.weight - left.weight);
  const scores = scoresUpTo(Math.max(0, ...terms.map(({ postings }) => postings.keys.at(-1) ?? 0)));
  const found: number[] = [];
  const slice = new TimeSlice();
  let rest = heaviestFirst.reduce((sum, { weight }) => sum + weight, 0);
  for (const { weight, postings } of heaviestFirst) {
    const { keys, frequencies, lengths } = postings;
    const isLong = limit !== undefined && found.length >= limit && keys.length > 4 * found.length;
    if (isLong && rest * margin < leastOf(found, scores, limit, without)) {
      // No other document can be among the hits: the term adds to those that were found.
      for (const key of found) {
        const place = placeOfKey(keys, key);
        if (place < 0) continue;
        const added = scoreOf(weight, frequencies[place] as number, lengths[place] as number, bm25);
        scores.set(key, scores.get(key) + added);
      }
    } else {
      for (let place = 0; place < keys.length; place++) {
        const key = keys[place] as number;
        const before = scores.get(key);
        if (before === 0) found.push(key);
        scores.set(key, before + scoreOf(weight, frequencies[place] as number, lengths[place] as number, bm25));
        if (place % postingsPerLook === postingsPerLook - 1 && slice.due()) await slice.yieldIfDue(signal);
      }
    }
    rest -= weight;
    if (slice.due()) await slice.yieldIfDue(signal);
  }
  const kept = without.size === 0 ? found : found.filter((key) => !without.has(key));
  return limit === undefined ? kept.map((key) => ({ key, score: scores.get(key) })) : best(kept, scores, limit);
}

/** The score of the last of the best documents so far; 0 where there are fewer. */
function leastOf(found: readonly number[], scores: Scores, limit: number, without: ReadonlySet<number>): number {
  const kept = without.size === 0 ? found : found.filter((key) => !without.has(key));
  return kept.length < limit ? 0 : (best(kept, scores, limit).at(-1)?.score ?? 0);
}

/** The best documents, by a heap whose root is the worst of them. */
function best(keys: readonly number[], scores: Scores, limit: number): TextHit[] {
  const heap: TextHit[] = [];
  const isWorse = (left: TextHit, right: TextHit): boolean =>
    left.score < right.score || (left.score === right.score && left.key > right.key);
  for (const key of keys) {
    const score = scores.get(key);
    if (heap.length === limit) {
      const root = heap[0] as TextHit;
      if (score < root.score || (score === root.score && key > root.key)) continue;
    }
    const hit = { key, score };
    let place: number;
    if (heap.length < limit) {
      place = heap.length;
      heap.push(hit);
      while (place > 0) {
        const above = (place - 1) >> 1;
        if (!isWorse(hit, heap[above] as TextHit)) break;
        heap[place] = heap[above] as TextHit;
        place = above;
      }
    } else {
      place = 0;
      for (;;) {
        let below = 2 * place + 1;
        if (below >= limit) break;
        if (below + 1 < limit && isWorse(heap[below + 1] as TextHit, heap[below] as TextHit)) below++;
        if (!isWorse(heap[below] as TextHit, hit)) break;
        heap[place] = heap[below] as TextHit;
        place = below;
      }
    }
    heap[place] = hit;
  }
  return heap.sort((left, right) => right.score - left.score || left.key - right.key);
}

/** The scores of some documents, those with a term, in their order. */
export function scoresOfKeys(terms: readonly WeightedPostings[], bm25: Bm25, keys: readonly number[]): TextHit[] {
  return keys.flatMap((key) => {
    let score = 0;
    for (const { weight, postings } of terms) {
      const place = placeOfKey(postings.keys, key);
      if (place < 0) continue;
      score += scoreOf(weight, postings.frequencies[place] as number, postings.lengths[place] as number, bm25);
    }
    return score > 0 ? [{ key, score }] : [];
  });
}
