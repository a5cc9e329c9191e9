import { describe, expect, it } from 'vitest';
import type { Metric } from '../../src/types.js';
import { ModelRun } from './model/model-run.js';

// More of them: SEMANTIC_INDEX_MODEL_SEEDS=100 SEMANTIC_INDEX_MODEL_OPERATIONS=2000 npm test -- test/store/model.test.ts
const seeds = Number(process.env.SEMANTIC_INDEX_MODEL_SEEDS ?? 1);
const operations = Number(process.env.SEMANTIC_INDEX_MODEL_OPERATIONS ?? 160);
const first = Number(process.env.SEMANTIC_INDEX_MODEL_FIRST ?? 1);

const kinds: { metric: Metric; start: number; seed: number }[] = [
  { metric: 'angular', start: 0, seed: 0 },
  { metric: 'angular', start: 7_000, seed: 1_000 },
  { metric: 'euclidean', start: 6_000, seed: 2_000 },
  { metric: 'dot', start: 0, seed: 3_000 },
  { metric: 'manhattan', start: 0, seed: 4_000 },
];

describe.each(kinds)('$metric, $start documents at the beginning', ({ metric, start, seed }) => {
  it.each(Array.from({ length: seeds }, (_, n) => seed + first + n))(
    'an index does what a map and brute force do (seed %i)',
    async (seed) => {
      const few = start > 0 ? operations / 2 : operations;
      const result = await new ModelRun({ seed, operations: few, metric, start }).run();
      expect(result.searches).toBeGreaterThan(few / 5);
      const recall = result.good / result.wanted;
      if (seeds > 1) console.log(JSON.stringify({ seed, metric, start, recall, ...result }));
      expect(recall).toBeGreaterThanOrEqual(0.9);
    },
    240_000 + operations * 400,
  );
});
