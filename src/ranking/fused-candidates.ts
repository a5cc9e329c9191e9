import type { RankBoost, RankedDocument, RankedDocuments } from '../backend/read-snapshot.js';
import type { Metric } from '../types.js';
import { scoreOf } from '../vectors/metric.js';

/** A document that one side has found, with what both sides say about it. */
export interface Candidate {
  readonly key: number;
  /** NaN where there is none. */
  readonly distance: number;
  readonly textScore: number;
  readonly factor: number;
}

/** How candidates were found, and what is made of them. */
export interface CandidateRanking {
  readonly metric: Metric;
  readonly dimensions: number;
  readonly k: number;
  readonly depth: number;
  readonly isByVector: boolean;
  readonly isByText: boolean;
  /** Share of the similarity in a fused score. */
  readonly vectorWeight: number;
  readonly maxTextScore: number;
  /** What the share of the text is multiplied by, see `evidenceOf`; 1 for a query by one side. */
  readonly evidence: number;
  /** The greatest factor that a document can have; undefined without boosts. */
  readonly greatestFactor: number | undefined;
  /** What the vectors found, nearest first. */
  readonly near: readonly { readonly distance: number }[];
  /** What the terms found, best first. */
  readonly hits: readonly Pick<Candidate, 'textScore' | 'factor'>[];
}

/**
 * How much the terms of a query say, from 0 to 1, by the highest BM25 that a document has and the sum of the squared weights of the terms
 * that some document has. The same as `evidence_of` of native/kernel/search/fusion.h.
 */
export function evidenceOf(bestTextScore: number, squaredTextWeight: number): number {
  return squaredTextWeight > 0 ? Math.min(1, (4 * bestTextScore * bestTextScore) / squaredTextWeight) : 0;
}

/** More than what a product and a quotient lose by rounding. */
const rounding = 1e-9;

/**
 * The best of the candidates of one query by the rules of native/kernel/search/block_search.cpp: by vector in the order of distances, by
 * text in that of BM25, by both fused; equal scores by key.
 *
 * @param candidates those of both sides; nearest first where they are ranked by distance alone.
 */
export function rankCandidates(
  candidates: readonly Candidate[],
  ranking: CandidateRanking,
): Pick<RankedDocuments, 'ranked' | 'similarityScale' | 'isComplete'> {
  const { metric, dimensions, k, isByVector, isByText, vectorWeight, maxTextScore, greatestFactor } = ranking;
  const similarity = (distance: number): number => (Number.isNaN(distance) ? 0 : scoreOf(metric, distance, dimensions));
  const isFused = isByVector && isByText;
  let best = 1;
  if (isFused) for (const { distance } of candidates) best = Math.max(best, similarity(distance));
  const textWeight = (1 - vectorWeight) * ranking.evidence;
  const fused = (textScore: number, distance: number): number =>
    textWeight * (maxTextScore > 0 ? textScore / maxTextScore : 0) + (vectorWeight * similarity(distance)) / best;
  const scored = candidates.map((candidate): RankedDocument => {
    const { key, textScore, distance, factor } = candidate;
    const score = isFused
      ? boosted(fused(textScore, distance), factor)
      : isByVector
        ? boosted(similarity(distance), factor)
        : textScore * factor;
    return { key, score, textScore, distance, factor };
  });
  // By distance alone they are in order: scores of great distances may be equal.
  if (isFused || !isByVector || greatestFactor !== undefined) scored.sort((a, b) => b.score - a.score || a.key - b.key);
  const kept = scored.slice(0, k);
  const isComplete = isBeyondReach(kept, ranking, fused, similarity);
  // Fused scores are from 0 to 1.
  const ranked = isFused ? kept.map((one) => ({ ...one, score: Math.min(one.factor, Math.max(0, one.score)) })) : kept;
  return { ranked, similarityScale: best, isComplete };
}

/** Whether no document that was not a candidate can be among the best (the threshold algorithm of Fagin, Lotem and Naor 2003). */
function isBeyondReach(
  kept: readonly RankedDocument[],
  { k, depth, isByVector, isByText, greatestFactor, near, hits }: CandidateRanking,
  fused: (textScore: number, distance: number) => number,
  similarity: (distance: number) => number,
): boolean {
  if (!isByVector || (!isByText && greatestFactor === undefined)) return true;
  const hasMoreNeighbors = near.length >= depth;
  const hasMoreTerms = isByText && hits.length >= depth && hits.length > 0;
  if (!hasMoreNeighbors && !hasMoreTerms) return true;
  if (kept.length < k) return false;
  const farthest = hasMoreNeighbors ? (near.at(-1)?.distance ?? Number.NaN) : Number.NaN;
  const bySimilarity = isByText ? fused(0, farthest) : hasMoreNeighbors ? similarity(farthest) : 0;
  const worst = hits.at(-1);
  const byTerms = hasMoreTerms && worst !== undefined ? fused(worst.textScore * worst.factor, Number.NaN) : 0;
  const least = kept.at(-1)?.score ?? 0;
  return least > (byTerms + Math.max(0, bySimilarity) * (greatestFactor ?? 1)) * (1 + rounding);
}

/** A score with a factor: a negative one is divided, so that a larger factor always is better. */
function boosted(score: number, factor: number): number {
  return score >= 0 ? score * factor : score / factor;
}

/** No document has a larger product of factors. */
export function greatestFactorOf(boosts: readonly RankBoost[]): number {
  // That of an age is at most 1, and 1 for a document without a value.
  const product = boosts.reduce((all, boost) => all * (boost.by === 'decay' ? 1 : Math.max(1, boost.factor)), 1);
  return Math.min(2 ** 512, product);
}
