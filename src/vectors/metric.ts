import { SemanticIndexError } from '../errors.js';
import { describe, suggestName } from '../options.js';
import type { Metric } from '../types.js';

/** The five distances, in the order of their numbers in the native addon. */
export const METRICS: readonly Metric[] = ['angular', 'euclidean', 'manhattan', 'dot', 'hamming'];

/** Aliases of the metrics, ignoring case, spaces and punctuation. */
const ALIASES: Readonly<Record<string, Metric>> = {
  cos: 'angular',
  cosine: 'angular',
  cosinesimilarity: 'angular',
  cosinedistance: 'angular',
  angle: 'angular',
  l2: 'euclidean',
  l2norm: 'euclidean',
  euclid: 'euclidean',
  lstsq: 'euclidean',
  squaredeuclidean: 'euclidean',
  sqeuclidean: 'euclidean',
  l1: 'manhattan',
  l1norm: 'manhattan',
  cityblock: 'manhattan',
  taxicab: 'manhattan',
  taxi: 'manhattan',
  ip: 'dot',
  inner: 'dot',
  mips: 'dot',
  innerproduct: 'dot',
  maxinnerproduct: 'dot',
  dotproduct: 'dot',
  scalarproduct: 'dot',
  bits: 'hamming',
  binary: 'hamming',
  bitwise: 'hamming',
};

/** The metric for an alias or a misspelled name, if any. */
function suggestMetric(name: string): Metric | undefined {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  return Object.hasOwn(ALIASES, plain) ? ALIASES[plain] : (suggestName(name, METRICS) as Metric | undefined);
}

/**
 * Returns `value` when it names one of the five metrics.
 *
 * @throws INVALID_ARGUMENT with the nearest name as hint.
 */
export function checkMetric(method: string, value: unknown): Metric {
  if (METRICS.includes(value as Metric)) return value as Metric;
  const meant = typeof value === 'string' ? suggestMetric(value) : undefined;
  throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: unknown metric ${describe(value)}`, {
    hint: `${meant === undefined ? '' : `Did you mean "${meant}"? `}The metrics are ${METRICS.join(', ')}.`,
    details: { metric: value, known: METRICS },
  });
}

/**
 * Sign that puts distances in ascending order, nearest first: of two distances times this sign, the smaller one is nearer. Of a
 * dot product, the larger one is nearer.
 */
export function distanceSign(metric: Metric): 1 | -1 {
  return metric === 'dot' ? -1 : 1;
}

/** The dot product of two vectors, or of two parts of `dimensions` components of packed vectors, in double precision. */
export function dotProduct(
  a: Float32Array,
  b: Float32Array,
  dimensions: number = a.length,
  startA = 0,
  startB = 0,
): number {
  // Two sums, which the processor adds at the same time.
  let [even, odd] = [0, 0];
  const last = dimensions - 1;
  let i = 0;
  for (; i < last; i += 2) {
    even += (a[startA + i] as number) * (b[startB + i] as number);
    odd += (a[startA + i + 1] as number) * (b[startB + i + 1] as number);
  }
  if (i === last) even += (a[startA + i] as number) * (b[startB + i] as number);
  return even + odd;
}

/**
 * The cosine of the angle between two vectors, from -1 to 1, in double precision. NaN for vectors of different dimensions, and
 * when one is all zeros or has a component that is not finite.
 */
export function cosine(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.NaN;
  return dotProduct(a, b) / Math.sqrt(dotProduct(a, a) * dotProduct(b, b));
}

/**
 * Converts a distance into a score, where larger is better: for angular the cosine `1 - d²/2`, for dot
 * the dot product itself, for euclidean and manhattan `1 / (1 + d)`, for hamming the share of equal bits `1 - d / f`.
 *
 * @throws INVALID_ARGUMENT when the metric is hamming and `dimensions` is missing.
 */
export function scoreOf(metric: Metric, distance: number, dimensions?: number): number {
  switch (metric) {
    case 'angular':
      return 1 - (distance * distance) / 2;
    case 'dot':
      return distance;
    case 'euclidean':
    case 'manhattan':
      return 1 / (1 + distance);
    case 'hamming':
      if (dimensions === undefined || !(dimensions > 0)) {
        throw new SemanticIndexError(
          'INVALID_ARGUMENT',
          'scoreOf: the score of a hamming distance needs the dimensions',
        );
      }
      return 1 - distance / dimensions;
  }
}
