import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SemanticIndex } from '../../../src/semantic-index.js';
import type { IndexEvent } from '../../../src/types.js';

const dimensions = 24;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semantic-index-tune-'));
});
afterEach(() => rm(folder, { recursive: true }));

let state = 1;
const random = (): number => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return state / 2 ** 32;
};
const vector = (): Float32Array => Float32Array.from({ length: dimensions }, () => random() + random() - 1);
const documents = (count: number, first = 0) =>
  Array.from({ length: count }, (_, row) => ({ id: first + row, text: '', vector: vector() }));

async function recallOf(index: SemanticIndex, queries: Float32Array[]): Promise<number> {
  const truth = (await index.searchMany(queries, { exact: true })).map(({ hits }) => hits);
  const found = (await index.searchMany(queries)).map(({ hits }) => hits);
  let hits = 0;
  truth.forEach((list, query) => {
    const ids = new Set(list.map(({ id }) => id));
    hits += (found[query] ?? []).filter(({ id }) => ids.has(id)).length;
  });
  return hits / (10 * queries.length);
}

/**
 * A clock that runs slower and slower: what is timed first, which is exact search, takes longest. What is chosen, and how
 * many knobs are measured, depends on nothing but what searches find.
 */
function slowingClock(): Disposable {
  let calls = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => 100 * Math.log(++calls));
  return { [Symbol.dispose]: () => clock.mockRestore() };
}

/**
 * How far below the bound 2,000 queries may be that are neither documents nor mixtures of some: they find up to 0.01 less than
 * those that certify, of which 400 have a standard deviation of 0.0035; that of 2,000 is 0.0017. With 4.75 deviations of both
 * together, less the 2.326 that the bound is away from the mean, fewer than one run in a million is outside.
 */
const strangers = 2_000;
const chance = 0.01 + 4.75 * Math.hypot(0.0035, 0.0017) - 2.326 * 0.0035;

describe('tune', () => {
  it('reaches the target on queries it never saw, and remembers', { timeout: 240_000 }, async () => {
    const queries = Array.from({ length: strangers }, vector);
    {
      await using index = await SemanticIndex.open(folder, { provider: null, ann: { background: false } });
      await index.addDocuments(documents(12_000));
      await index.optimize({ full: true });
      expect((await index.stats()).tuning).toBeUndefined();
      using _ = slowingClock();
      const stages = new Set<string>();
      const { tuning, curve, trees, svg } = await index.tune({
        recall: 0.9,
        trees: [2, 8],
        onProgress: ({ stage }) => void stages.add(stage),
      });
      expect(tuning.exact).toBe(false);
      expect(tuning.low).toBeGreaterThanOrEqual(0.9);
      expect(tuning.recall).toBeGreaterThanOrEqual(tuning.low);
      expect(tuning.high).toBeGreaterThanOrEqual(tuning.recall);
      expect(curve.at(-1)).toMatchObject({ exact: true, recall: 1 });
      const reaching = curve.filter(({ low }) => low >= 0.9).map(({ milliseconds }) => milliseconds);
      expect(tuning.milliseconds).toBe(Math.min(...reaching));
      const knobs = curve.filter(({ exact }) => !exact);
      expect(knobs.length).toBeGreaterThan(2);
      expect(knobs.map(({ searchK }) => searchK)).toEqual(
        knobs.map(({ searchK }) => searchK as number).toSorted((a, b) => a - b),
      );
      // Searches of the graph begin high: the curve rises by what is left.
      expect((knobs.at(-1)?.recall ?? 0) - (knobs[0]?.recall ?? 1)).toBeGreaterThan(0.04);
      expect(trees.map(({ trees }) => trees)).toEqual([2, 8]);
      expect(trees[0]?.bytes).toBeLessThan(trees[1]?.bytes as number);
      expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg".*<\/svg>\n$/s);
      expect(svg.match(/<circle/g)).toHaveLength(curve.length);
      expect(stages).toContain('truth');
      expect(stages).toContain('measure');
      expect(stages).toContain('trees');
      expect(await recallOf(index, queries)).toBeGreaterThanOrEqual(0.9 - chance);
      expect((await index.search(queries[0] as Float32Array, { explain: true })).explanation?.exact).toBe(tuning.exact);
    }
    await using again = await SemanticIndex.open(folder, { provider: null, ann: { background: false } });
    const { tuning } = await again.stats();
    expect(tuning).toMatchObject({ targetRecall: 0.9, k: 10, drift: 0, drifted: false });
    expect(await recallOf(again, queries)).toBeGreaterThanOrEqual(0.9 - chance);
  });

  it('chooses something that reaches the target, whatever the clock says', { timeout: 240_000 }, async () => {
    await using index = await SemanticIndex.open(folder, { provider: null, ann: { background: false } });
    await index.addDocuments(documents(6_000));
    await index.optimize({ full: true });
    const clock = vi.spyOn(performance, 'now');
    for (const turn of [() => 1, random]) {
      let now = 0;
      clock.mockImplementation(() => {
        now += turn();
        return now;
      });
      const { tuning } = await index.tune({ recall: 0.9, dryRun: true });
      expect(tuning.low).toBeGreaterThanOrEqual(0.9);
    }
    clock.mockRestore();
  });

  it('takes queries of the caller', { timeout: 240_000 }, async () => {
    await using index = await SemanticIndex.open(folder, { provider: null, ann: { background: false } });
    await index.addDocuments(documents(9_000));
    await index.optimize({ full: true });
    const { tuning } = await index.tune({
      recall: 0.8,
      queries: Array.from({ length: 300 }, vector),
      dryRun: true,
    });
    expect(tuning).toMatchObject({ queriesFrom: 'given', queries: 150 });
    expect((await index.stats()).tuning).toBeUndefined();
  });

  it('finds a small index exact', async () => {
    await using index = await SemanticIndex.open(':memory:', { provider: null });
    await expect(index.tune()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await index.addDocuments(documents(50));
    const { tuning, curve } = await index.tune({ recall: 1 });
    expect(tuning).toMatchObject({ exact: true, recall: 1, low: 1 });
    expect(curve).toHaveLength(1);
  });

  it.each([
    [{ recall: 0 }, 'INVALID_ARGUMENT'],
    [{ recall: 1.1 }, 'INVALID_ARGUMENT'],
    [{ k: 0 }, 'INVALID_ARGUMENT'],
    [{ confidence: 1 }, 'INVALID_ARGUMENT'],
    [{ queries: [] }, 'INVALID_ARGUMENT'],
    [{ trees: [0] }, 'INVALID_ARGUMENT'],
    [{ targetRecall: 0.9 } as never, 'UNKNOWN_OPTION'],
  ])('refuses %j', async (options, code) => {
    await using index = await SemanticIndex.open(':memory:', { provider: null });
    await index.addDocuments(documents(5));
    await expect(index.tune(options)).rejects.toMatchObject({ code });
  });

  it('stops when aborted', async () => {
    await using index = await SemanticIndex.open(':memory:', { provider: null });
    await index.addDocuments(documents(2_000));
    const reason = new Error('enough');
    const controller = new AbortController();
    const tuning = index.tune({ signal: controller.signal, onProgress: () => controller.abort(reason) });
    await expect(tuning).rejects.toBe(reason);
  });
});

describe('open with a recall', () => {
  it('searches exactly what it has not measured', { timeout: 240_000 }, async () => {
    await using index = await SemanticIndex.open(folder, { provider: null, recall: 0.95, ann: { background: false } });
    await index.addDocuments(documents(7_000));
    await index.optimize({ full: true });
    const queries = Array.from({ length: 400 }, vector);
    expect((await index.search(queries[0] as Float32Array, { explain: true })).explanation?.exact).toBe(true);
    expect(await recallOf(index, queries)).toBe(1);
  });

  it('measures automatically, and again after drift', { timeout: 300_000 }, async () => {
    const events: IndexEvent[] = [];
    const heard = async (event: string, times: number): Promise<void> => {
      while (events.filter((one) => one.type === event).length < times) {
        expect(events.filter((one) => one.type === 'error')).toEqual([]);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await using index = await SemanticIndex.open(folder, {
      provider: null,
      recall: 0.95,
      onEvent: (event) => void events.push(event),
      ann: { sealAt: 6_000 },
    });
    const queries = Array.from({ length: strangers }, vector);
    await index.addDocuments(documents(7_000));
    await heard('tune', 1);
    const first = (await index.stats()).tuning;
    expect(first?.low).toBeGreaterThanOrEqual(0.95);
    expect(first?.drifted).toBe(false);
    expect(await recallOf(index, queries)).toBeGreaterThanOrEqual(0.95 - chance);
    await index.addDocuments(documents(7_000, 7_000));
    await heard('tune', 2);
    const second = (await index.stats()).tuning;
    expect(second?.measuredAt).not.toBe(first?.measuredAt);
    expect(second?.drifted).toBe(false);
    expect(await recallOf(index, queries)).toBeGreaterThanOrEqual(0.95 - chance);
  });

  it('refuses what is no share', async () => {
    await expect(SemanticIndex.open(':memory:', { recall: 2 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
