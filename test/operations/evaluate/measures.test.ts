import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measuresOf } from '../../../src/operations/evaluate/measures.js';
import type { RankingMeasure } from '../../../src/types.js';

/** Each measure by its definition, one rank at a time, with nothing shared. */
function byDefinition(found: string[], grades: Map<string, number>, k: number): Record<RankingMeasure, number> {
  const grade = (rank: number): number => Math.max(0, grades.get(found[rank - 1] ?? '') ?? 0);
  const isRelevant = (rank: number): boolean => grade(rank) > 0;
  const ranks = Array.from({ length: k }, (_, place) => place + 1);
  const relevant = [...grades.values()].filter((one) => one > 0).sort((a, b) => b - a);
  const precisionAt = (depth: number): number =>
    ranks.filter((rank) => rank <= depth && isRelevant(rank)).length / depth;
  const dcg = ranks.reduce((sum, rank) => sum + (grade(rank) * Math.LN2) / Math.log(rank + 1), 0);
  const ideal = ranks.reduce((sum, rank) => sum + ((relevant[rank - 1] ?? 0) * Math.LN2) / Math.log(rank + 1), 0);
  const first = ranks.find(isRelevant);
  return {
    ndcg: dcg / ideal,
    recall: (precisionAt(k) * k) / relevant.length,
    mrr: first === undefined ? 0 : 1 / first,
    hitRate: first === undefined ? 0 : 1,
    precision: precisionAt(k),
    map: ranks.filter(isRelevant).reduce((sum, rank) => sum + precisionAt(rank), 0) / relevant.length,
  };
}

describe('measures of a result list', () => {
  // Figures that trec_eval 10.0 printed for these judgments and lists, with nine decimals.
  const first = new Map(Object.entries({ a: 3, b: 0, c: 1, d: 2, e: -1, f: 1 }));
  const second = new Map(Object.entries({ a: 1, z: 4 }));
  it.each([
    ['bcxaed', first, 5, { ndcg: 0.370331453, recall: 0.5, mrr: 0.5, hitRate: 1, precision: 0.4, map: 0.25 }],
    ['bcxaed', first, 2, { ndcg: 0.148040955, recall: 0.25, mrr: 0.5, hitRate: 1, precision: 0.5, map: 0.125 }],
    ['ayz', second, 5, { ndcg: 0.647818075, recall: 1, mrr: 1, hitRate: 1, precision: 0.4, map: 0.833333333 }],
    ['ayz', second, 2, { ndcg: 0.215939358, recall: 0.5, mrr: 1, hitRate: 1, precision: 0.5, map: 0.5 }],
  ])('are those of trec_eval for %s', (list, grades, k, expected) => {
    const measures = measuresOf([...list], grades, k);
    for (const [name, value] of Object.entries(expected)) {
      expect(measures[name as RankingMeasure], name).toBeCloseTo(value, 8);
    }
  });

  it('are their definitions for random lists and grades', () => {
    const ids = fc.uniqueArray(fc.stringMatching(/^[a-l]$/), { maxLength: 12 });
    const judged = fc.dictionary(fc.stringMatching(/^[a-p]$/), fc.constantFrom(-1, 0, 0.5, 1, 2, 3), { minKeys: 1 });
    fc.assert(
      fc.property(ids, judged, fc.integer({ min: 1, max: 15 }), (found, judgments, k) => {
        const grades = new Map(Object.entries(judgments));
        fc.pre([...grades.values()].some((grade) => grade > 0));
        const measures = measuresOf(found, grades, k);
        const expected = byDefinition(found, grades, k);
        for (const name of Object.keys(expected) as RankingMeasure[]) {
          expect(Math.abs(measures[name] - expected[name]), name).toBeLessThan(1e-9);
        }
      }),
    );
  });
});
