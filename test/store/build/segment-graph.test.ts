import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SemanticIndex } from '../../../src/semantic-index.js';
import type { IndexEvent } from '../../../src/types.js';
import { randomRows } from '../../vectors/reference.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-graph-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const dimensions = 16;
const count = 6_000;
const rows = randomRows(count, dimensions, 'angular');
const vectorOf = (row: number): Float32Array => rows.slice(row * dimensions, (row + 1) * dimensions);
const queries = Array.from({ length: 50 }, (_, query) =>
  randomRows(50, dimensions, 'angular', 2).slice(query * dimensions, (query + 1) * dimensions),
);

async function make(): Promise<void> {
  await using index = await SemanticIndex.open(folder, { provider: null, ann: { background: false } });
  await index.addDocuments(Array.from({ length: count }, (_, id) => ({ id, text: '', vector: vectorOf(id) })));
  await index.optimize({ full: true });
}

function graphFile(): string {
  const [file, ...rest] = readdirSync(join(folder, 'segments')).filter((name) => name.endsWith('.accel'));
  expect(rest).toEqual([]);
  return join(folder, 'segments', file as string);
}

async function recallOf(index: SemanticIndex): Promise<number> {
  const truth = (await index.searchMany(queries, { exact: true })).map(({ hits }) => hits);
  const found = (await index.searchMany(queries)).map(({ hits }) => hits);
  const ids = found.map((hits) => new Set(hits.map(({ id }) => id)));
  const hits = truth.flatMap((list, query) => list.filter(({ id }) => ids[query]?.has(id)));
  return hits.length / (10 * queries.length);
}

describe('the graph index of a segment', () => {
  it('is built, published and counted with it', async () => {
    await make();
    await using index = await SemanticIndex.open(folder, { provider: null, ann: { background: false } });
    const { bytes, segments } = await index.stats();
    expect(bytes.graphs).toBe(readFileSync(graphFile()).length);
    expect(bytes.forests).toBe(segments[0]?.bytes);
    expect(bytes.terms).toBe(readFileSync(graphFile().replace(/\.ann\.accel$/, '.terms')).length);
    expect(bytes.segments).toBeGreaterThan(bytes.forests + bytes.graphs + bytes.terms);
    expect(await recallOf(index)).toBeGreaterThan(0.95);
    // It goes with the segment, too.
    await index.deleteDocuments(Array.from({ length: 100 }, (_, id) => id));
    await index.optimize();
    expect(readFileSync(graphFile()).length).toBeLessThan(bytes.graphs);
    expect(await recallOf(index)).toBeGreaterThan(0.95);
  });

  it.each([
    ['missing', 'graph-missing', (file: string) => rmSync(file)],
    [
      'cut short',
      'damage',
      (file: string) => {
        const bytes = readFileSync(file);
        rmSync(file);
        writeFileSync(file, bytes.subarray(0, bytes.length / 2));
      },
    ],
  ])('that is %s costs time only, is reported, and comes back', async (_, reported, damage) => {
    await make();
    damage(graphFile());
    const events: IndexEvent[] = [];
    const onEvent = (event: IndexEvent): void => void events.push(event);
    {
      await using index = await SemanticIndex.open(folder, { provider: null, onEvent, ann: { background: false } });
      expect(await recallOf(index)).toBeGreaterThan(0.95);
      expect(events.map(({ type }) => type)).toEqual([reported]);
      expect(events[0]?.message).toMatch(/(?:accel|graph index).*; searches take longer$/);
      expect((await index.stats()).segments).toMatchObject([{ damaged: false }]);
    }
    await using healing = await SemanticIndex.open(folder, { provider: null, onEvent });
    await healing.search(queries[0] as Float32Array);
    await expect.poll(() => events.map(({ type }) => type), { timeout: 60_000 }).toContain('repair');
    events.length = 0;
    await using again = await SemanticIndex.open(folder, { provider: null, onEvent, ann: { background: false } });
    expect(await recallOf(again)).toBeGreaterThan(0.95);
    expect(events).toEqual([]);
    expect((await again.stats()).bytes.graphs).toBeGreaterThan(0);
  });

  it('is checked from end to end by a full validation', async () => {
    await make();
    const file = graphFile();
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1]! ^= 1;
    rmSync(file);
    writeFileSync(file, bytes);
    await using index = await SemanticIndex.open(folder, { provider: null, ann: { background: false } });
    const { valid, checks } = await index.validate({ level: 'full' });
    expect(valid).toBe(true);
    expect(checks.find(({ check }) => check === 'segment')).toMatchObject({
      passed: false,
      message: expect.stringMatching(/damaged section/),
    });
    await index.rebuild();
    expect((await index.validate({ level: 'full' })).checks.filter(({ passed }) => !passed)).toEqual([]);
  });
});
