import type { MeasuredRecall } from '../../types.js';

/** For each query, how many of its true neighbours a search found; `k` of them there are at most. */
export interface FoundCounts {
  readonly found: ArrayLike<number>;
  /** True neighbours of a query: fewer than k where the index has fewer. */
  readonly of: ArrayLike<number>;
}

/**
 * The quantile of the standard normal distribution, by Newton's method on the error function (Abramowitz, Stegun 1964, 7.1.26,
 * good to 1.5e-7).
 */
export function normalQuantile(probability: number): number {
  let z = 0;
  for (let step = 0; step < 50; step++) {
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    const change = (normalDistribution(z) - probability) / Math.max(density, 1e-12);
    z -= Math.max(-1, Math.min(1, change));
    if (Math.abs(change) < 1e-9) break;
  }
  return z;
}

function normalDistribution(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = (series * Math.exp(-x * x)) / 2;
  return z > 0 ? 1 - tail : tail;
}

/** Share of the true neighbours that were found. */
export function recallOf({ found, of }: FoundCounts): number {
  let [sum, total] = [0, 0];
  for (let query = 0; query < found.length; query++) {
    sum += found[query] as number;
    total += of[query] as number;
  }
  return total === 0 ? 1 : sum / total;
}

/**
 * How much less the neighbours of one query tell than as many of different queries, from 1 (as much) to k (all are found or
 * missed together); undefined when nothing, or everything, was missed.
 */
export function designEffect(counts: FoundCounts): number | undefined {
  const { found, of } = counts;
  const recall = recallOf(counts);
  if (recall <= 0 || recall >= 1 || found.length < 2) return undefined;
  let [squares, size] = [0, 0];
  for (let query = 0; query < found.length; query++) {
    squares += ((found[query] as number) - recall * (of[query] as number)) ** 2;
    size += of[query] as number;
  }
  const independent = size * recall * (1 - recall);
  const k = size / found.length;
  return Math.max(1, Math.min(k, squares / independent));
}

/**
 * Recall with one-sided bounds at a confidence: Wilson's score interval (Wilson 1927) with the number of neighbours divided by
 * a design effect (Kish 1965), as those of one query are missed together.
 */
export function recallInterval(counts: FoundCounts, confidence: number, effect: number): MeasuredRecall {
  const recall = recallOf(counts);
  let size = 0;
  for (let query = 0; query < counts.of.length; query++) size += counts.of[query] as number;
  const n = Math.max(1, size / effect);
  const z = normalQuantile(confidence);
  const center = (recall + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((recall * (1 - recall)) / n + (z * z) / (4 * n * n));
  return { recall, low: Math.max(0, center - half), high: Math.min(1, center + half) };
}
