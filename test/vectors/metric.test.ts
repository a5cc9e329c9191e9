import { describe, expect, it } from 'vitest';
import { SemanticIndexError } from '../../src/errors.js';
import { checkMetric, METRICS, scoreOf } from '../../src/vectors/metric.js';

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
