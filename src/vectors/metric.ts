import { SemanticIndexError } from '../errors.js';
import { describe, suggestName } from '../options.js';
import type { Metric } from '../types.js';

/** The five distances, in the order of their numbers in the native addon. */
export const METRICS: readonly Metric[] = ['angular', 'euclidean', 'manhattan', 'dot', 'hamming'];

/** Other names of the metrics, without case, spaces and signs. */
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

/** The metric that another name means, if any. */
function metricMeant(name: string): Metric | undefined {
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
  const meant = typeof value === 'string' ? metricMeant(value) : undefined;
  throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: unknown metric ${describe(value)}`, {
    hint: `${meant === undefined ? '' : `Did you mean "${meant}"? `}The metrics are ${METRICS.join(', ')}.`,
    details: { metric: value, known: METRICS },
  });
}

/**
 * Turns a distance, of which small is near, into a score, of which large is good: for angular the cosine `1 - d²/2`, for dot
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
