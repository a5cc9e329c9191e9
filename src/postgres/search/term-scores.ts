import { addon } from '../../addon/addon.js';
import { runNativeReading } from '../../addon/native-task.js';
import type { NativePostings } from '../../addon/native-terms.js';
import type { Postings } from '../tables/postings.js';
import type { CollectionSizes } from './text-query.js';

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

/** The terms of a query, and what their scores depend on. */
export interface ScoredTerms {
  readonly terms: readonly WeightedPostings[];
  readonly sizes: CollectionSizes;
  /** Sum of the weights: no score is above it. */
  readonly total: number;
}

/** Postings that are scored in this thread: about a millisecond. */
const maxHere = 100_000;

/**
 * The documents with the highest BM25, the same bits as in the embedded store: the `limit` best, ties by key, or, without a limit, all
 * that have a term, in the order of keys.
 */
export async function rankByTerms(
  scored: ScoredTerms,
  limit: number | undefined,
  without: readonly number[],
  signal?: AbortSignal,
): Promise<TextHit[]> {
  if (scored.terms.length === 0) return [];
  const [postings, weights, sizes] = packed(scored);
  const leftOut = Float64Array.from(without).sort();
  const count = postings.reduce((sum, { keys }) => sum + keys.length, 0);
  const pairs =
    count <= maxHere
      ? addon().rankPostings(postings, weights, sizes, leftOut, limit ?? -1)
      : await runNativeReading('search', { signal }, (task) =>
          addon().rankPostingsLater(postings, weights, sizes, leftOut, limit ?? -1, task),
        );
  const hits: TextHit[] = [];
  for (let at = 0; at < pairs.length; at += 2) hits.push({ key: pairs[at] as number, score: pairs[at + 1] as number });
  return hits;
}

/** The scores of some documents, those with a term, in their order. */
export function scoresOfKeys(scored: ScoredTerms, keys: readonly number[]): TextHit[] {
  const scores = addon().scorePostings(...packed(scored), Float64Array.from(keys));
  return keys.flatMap((key, place) => {
    const score = scores[place] as number;
    return score > 0 ? [{ key, score }] : [];
  });
}

function packed({
  terms,
  sizes: { documents, length },
  total,
}: ScoredTerms): [NativePostings[], Float64Array, Float64Array] {
  return [
    terms.map(({ postings }) => postings),
    Float64Array.from(terms, ({ weight }) => weight),
    Float64Array.of(documents, length, total),
  ];
}
