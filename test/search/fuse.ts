import { byRank, type Ranked } from '../../src/ranking/ranked.js';

/** Share of the similarity of vectors in a fused score; the rest is that of words. */
export const vectorWeight = 1 / 3;

/**
 * Fuses a ranking by words with one by vectors: BM25 as a share of the most that a document could reach for this query
 * (`maxByWords`), and the similarity, whose share is `weight`. So words decide when they are telling and the
 * document has them, and meaning decides when only a common or stray word matches; and scores of different queries
 * compare. A document that only one side found counts 0 on the other. Scores are from 0 to 1: a sum below zero, of a negative
 * similarity, orders documents but counts as 0. bench/retrieval.ts measures it.
 */
export function fuse(
  words: readonly Ranked[],
  maxByWords: number,
  vectors: readonly Ranked[],
  weight = vectorWeight,
): Ranked[] {
  // A dot product has no upper end; it is measured by the best one.
  const best = vectors.reduce((most, { score }) => Math.max(most, score), 1);
  const sums = new Map<number, number>();
  const add = (key: number, share: number): void => void sums.set(key, (sums.get(key) ?? 0) + share);
  for (const { key, score } of words) add(key, maxByWords > 0 ? ((1 - weight) * score) / maxByWords : 0);
  for (const { key, score } of vectors) add(key, (weight * score) / best);
  return [...sums]
    .map(([key, score]) => ({ key, score }))
    .sort(byRank)
    .map(({ key, score }) => ({ key, score: Math.min(1, Math.max(0, score)) }));
}
