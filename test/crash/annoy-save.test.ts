import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Metric } from '../../src/types.js';
import { AnnoyIndex } from '../../src/vectors/annoy/annoy-index.js';
import { randomNumbers, randomRows, temporaryFolder } from '../vectors/reference.js';

const folder = temporaryFolder();
const path = join(folder, 'target', 'index.ann');
/** A minute's worth; `SEMANTIC_INDEX_CRASH_ROUNDS=200 npx vitest run test/crash` is the long run. */
const rounds = Number(process.env.SEMANTIC_INDEX_CRASH_ROUNDS ?? 20);

/** Three indexes that take turns under one name: two of almost equal size, one of another metric and dimension. */
const variants: { name: string; metric: Metric; f: number; count: number }[] = [
  { name: 'first', metric: 'angular', f: 64, count: 15_000 },
  { name: 'second', metric: 'angular', f: 64, count: 15_000 },
  { name: 'third', metric: 'manhattan', f: 40, count: 10_000 },
];
const source = (name: string) => join(folder, `${name}.ann`);

// Saves repeatedly until killed, and reports the first save.
const program = `
  import { AnnoyIndex } from ${JSON.stringify(new URL('../../dist/vectors/annoy/annoy-index.js', import.meta.url).href)};
  const [path, start, ...sources] = process.argv.slice(1);
  const indexes = await Promise.all(sources.map((source) => AnnoyIndex.open(source)));
  for (let turn = Number(start); ; turn++) {
    const copy = await AnnoyIndex.fromSnapshot(await indexes[turn % indexes.length].toSnapshot());
    await copy.save(path);
    copy.close();
    process.send?.('saved');
  }`;

beforeAll(async () => {
  const { mkdirSync } = await import('node:fs');
  mkdirSync(join(folder, 'target'));
  for (const [seed, { name, metric, f, count }] of variants.entries()) {
    const index = new AnnoyIndex(f, metric, { seed });
    index.addItems(randomRows(count, f, metric, seed));
    await index.build(3);
    await index.save(source(name));
    index.close();
  }
});

/** Starts a writer, lets it finish one save, and kills it `delay` milliseconds later. */
function killWhileSaving(turn: number, delay: number): Promise<void> {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '--eval', program, path, String(turn), ...variants.map(({ name }) => source(name))],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  return new Promise((resolve, reject) => {
    child.once('message', () => setTimeout(() => child.kill('SIGKILL'), delay));
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      signal === 'SIGKILL' ? resolve() : reject(new Error(`the writer ended by itself with ${code}`)),
    );
  });
}

describe('a process that is killed while it saves', () => {
  it(`${rounds} times leaves the old file or the new one, whole, with the sidecar that describes it`, async () => {
    const random = randomNumbers(1);
    const expected = variants.map(({ name }) => readFileSync(source(name)));
    const found = new Map<string, number>();
    for (let round = 0; round < rounds; round++) {
      await killWhileSaving(round, random() * 250);
      const bytes = readFileSync(path);
      const variant = variants[expected.findIndex((each) => each.equals(bytes))];
      expect(variant).toBeDefined();
      const { name, metric, f, count } = variant!;
      const index = await AnnoyIndex.open(path);
      expect(index.info()).toMatchObject({ metric, f, items: count, seed: variants.indexOf(variant!) });
      expect((await index.validate({ strict: true })).valid).toBe(true);
      index.close();
      found.set(name, (found.get(name) ?? 0) + 1);
    }
    const leftovers = readdirSync(join(folder, 'target')).filter((file) => file.endsWith('.tmp'));
    console.log(
      `killed ${rounds} times; found ${JSON.stringify(Object.fromEntries(found))}; ${leftovers.length} leftovers`,
    );
    if (rounds >= 100) {
      expect([...found.keys()].sort()).toEqual(['first', 'second', 'third']);
      // If no kill had hit a write, this would have shown little.
      expect(leftovers.length).toBeGreaterThan(0);
    }

    // What was left behind goes away with a later save, once it is old enough not to be somebody's work.
    writeFileSync(`${path}.1.tmp`, 'x');
    writeFileSync(`${path}.meta.json.2.tmp`, 'x');
    writeFileSync(`${path}.3.tmp`, 'x');
    const young = [...leftovers, 'index.ann.3.tmp'];
    for (const old of ['.1.tmp', '.meta.json.2.tmp']) utimesSync(path + old, new Date(1e9), new Date(1e9));
    await (await AnnoyIndex.open(source('first'))).save(path);
    expect(
      readdirSync(join(folder, 'target'))
        .filter((file) => file.endsWith('.tmp'))
        .sort(),
    ).toEqual(young.sort());
    expect(statSync(path).size).toBe(expected[0]!.length);
  }, 600_000);
});
