import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Boost, type DocumentId, type Hit, type SearchOptions, SemanticIndex } from '../../../src/index.js';
import { Random } from '../../../src/random.js';
import { deterministicProvider } from '../../../src/testing.js';
import { pick } from './column-corpus.js';

/** Cases of each mode. SEMANTIC_INDEX_COLUMN_CASES=500 for a long run. */
const cases = Number(process.env.SEMANTIC_INDEX_COLUMN_CASES ?? 15);
const seed = Number(process.env.SEMANTIC_INDEX_COLUMN_SEED ?? 1);
const random = new Random(seed);
const folder = mkdtempSync(join(tmpdir(), 'semantic-index-ranges-'));

/** More than the 8,192 from which on segments are searched by ranges of items (decision 90), and common terms for these. */
const [documents, vocabulary] = [12_000, 600];
const [now, day] = [Date.UTC(2026, 5, 1), 86_400_000];
const dates: number[] = [];
const stars: (number | undefined)[] = [];
const isInSet: boolean[] = [];
let index: SemanticIndex;

/** The first words come often. */
const randomWord = (): string => `w${Math.floor(vocabulary ** random.number() - 1)}`;

beforeAll(async () => {
  index = await SemanticIndex.open(folder, {
    provider: deterministicProvider({ dimensions: 8 }),
    ann: { background: false, trees: 2, threads: 1 },
  });
  const all = Array.from({ length: documents }, (_, id) => {
    dates.push(now - Math.floor(random.number() * 1_000) * day);
    stars.push(random.integer(5) === 0 ? undefined : random.integer(500));
    isInSet.push(random.integer(6) === 0);
    const text = Array.from({ length: 4 + random.integer(16) }, randomWord).join(' ');
    const date = new Date(dates[id] as number).toISOString();
    return {
      id,
      text,
      metadata: { date, set: isInSet[id] as boolean, ...(stars[id] !== undefined && { stars: stars[id] }) },
    };
  });
  await index.addDocuments(all);
  await index.deleteDocuments(all.filter(() => random.integer(50) === 0).map(({ id }) => id));
  await index.optimize();
}, 600_000);
afterAll(async () => {
  await index.close();
  rmSync(folder, { recursive: true, force: true });
});

const decay = (days: number) => ({
  boost: { field: 'date', halfLife: `${days}d`, now } as Boost,
  factor: (id: number) => 2 ** (-(now - (dates[id] as number)) / (days * day)),
});
const scale = (factor: number) => ({
  boost: { field: 'stars', scale: 100, factor } as Boost,
  factor: (id: number) => 1 + ((factor - 1) * (stars[id] ?? 0)) / ((stars[id] ?? 0) + 100),
});
const where = (factor: number) => ({
  boost: { where: { set: true }, factor } as Boost,
  factor: (id: number) => (isInSet[id] ? factor : 1),
});
const boosts = [1, 7, 60, 365, 5_000].map(decay).concat([0, 0.5, 2, 50].map(scale), [0, 0.3, 1.5, 20].map(where));

async function check(mode: 'text' | 'hybrid'): Promise<void> {
  const chosen = Array.from({ length: 1 + random.integer(3) }, () => pick(random, boosts));
  const query = Array.from({ length: 1 + random.integer(5) }, randomWord).join(' ');
  const filter: SearchOptions = random.integer(4) === 0 ? { where: { stars: { $gte: 100 } } } : {};
  const options: SearchOptions = { mode, ...filter, exact: true, typos: false };
  const all = await index.search(query, { ...options, k: documents });
  const scores = new Map<DocumentId, number>();
  for (const { id, score } of all.hits) {
    const factor = chosen.reduce((product, one) => product * one.factor(id as number), 1);
    scores.set(id, score * Math.max(2 ** -512, factor));
  }
  const best = [...scores.values()].sort((left, right) => right - left);
  const k = pick(random, [1, 10, 40]);
  const { hits } = await index.search(query, { ...options, boost: chosen.map(({ boost }) => boost), k });
  expect(hits).toHaveLength(Math.min(k, scores.size));
  expect(new Set(hits.map(({ id }: Hit) => id)).size).toBe(hits.length);
  for (const [rank, { id, score }] of hits.entries()) {
    const tolerance = 1e-9 * Math.max(1e-300, score);
    expect(Math.abs(score - (scores.get(id) ?? Number.NaN))).toBeLessThanOrEqual(tolerance);
    expect(Math.abs(score - (best[rank] ?? Number.NaN))).toBeLessThanOrEqual(tolerance);
  }
}

it.each(['text', 'hybrid'] as const)(
  'finds the best products of all documents of a large segment in mode %s',
  async (mode) => {
    for (let number = 0; number < cases; number++) await check(mode);
    if (cases > 100) console.log(`${cases} random cases in mode ${mode}, seed ${seed}, 0 differences`);
  },
  600_000,
);
