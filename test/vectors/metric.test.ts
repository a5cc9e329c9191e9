import { describe, expect, it } from 'vitest';
import { SemanticIndexError } from '../../src/errors.js';
import { checkMetric, cosine, distanceSign, dotProduct, METRICS, scoreOf } from '../../src/vectors/metric.js';
import { randomRows } from './reference.js';

describe('scoreOf', () => {
  it('is the cosine for angular distances', () => {
    expect(scoreOf('angular', 0)).toBe(1);
    expect(scoreOf('angular', Math.SQRT2)).toBeCloseTo(0, 12);
    expect(scoreOf('angular', 2)).toBe(-1);
  });

  it('is the dot product itself for dot', () => {
    expect(scoreOf('dot', -3.5)).toBe(-3.5);
  });

  it('falls from one to zero for euclidean and manhattan', () => {
    expect(scoreOf('euclidean', 0)).toBe(1);
    expect(scoreOf('manhattan', 3)).toBe(0.25);
  });

  it('is the share of equal bits for hamming, and needs to know how many there are', () => {
    expect(scoreOf('hamming', 16, 64)).toBe(0.75);
    expect(() => scoreOf('hamming', 16)).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('distanceSign', () => {
  it('puts the larger dot product and every other smaller distance first', () => {
    for (const metric of METRICS) expect(distanceSign(metric)).toBe(metric === 'dot' ? -1 : 1);
  });
});

describe('dotProduct and cosine', () => {
  it.each([1, 2, 3, 8, 33])('agree with sums in order for %i dimensions', (dimensions) => {
    const [a, b] = [randomRows(1, dimensions, 'dot', 1), randomRows(1, dimensions, 'dot', 2)];
    const product = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, column) => sum + value * y[column]!, 0);
    expect(dotProduct(a, b)).toBeCloseTo(product(a, b), 12);
    expect(cosine(a, b)).toBeCloseTo(product(a, b) / Math.sqrt(product(a, a) * product(b, b)), 12);
    const packed = Float32Array.from([...a, ...b]);
    expect(dotProduct(packed, packed, dimensions, 0, dimensions)).toBe(dotProduct(a, b));
  });

  it('returns NaN without a common direction', () => {
    const vector = Float32Array.of(1, 2);
    for (const other of [[1], [0, 0], [Number.NaN, 1], [Number.POSITIVE_INFINITY, 1]]) {
      expect(cosine(vector, Float32Array.from(other))).toBeNaN();
    }
  });
});

describe('checkMetric', () => {
  it('accepts the five and suggests the nearest for another', () => {
    for (const metric of METRICS) expect(checkMetric('test', metric)).toBe(metric);
    try {
      checkMetric('test', 'angluar');
      expect.unreachable();
    } catch (error) {
      expect(SemanticIndexError.is(error, 'INVALID_ARGUMENT')).toBe(true);
      expect((error as SemanticIndexError).hint).toContain('"angular"');
    }
    expect(() => checkMetric('test', 7)).toThrow(/unknown metric 7/);
  });
});
