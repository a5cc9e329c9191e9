import {
  closeSync,
  copyFileSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SemanticIndex } from '../../../src/index.js';
import type { AnnOptions } from '../../../src/options.js';
import { Scrubber } from '../../../src/store/snapshot/scrubber.js';
import { RefCounted } from '../../../src/store/snapshot/searchable-segment.js';
import type { IndexEvent } from '../../../src/types.js';
import { randomRows } from '../../vectors/reference.js';

const dimensions = 16;
const count = 5_000;
const rows = randomRows(count, dimensions, 'angular');
const vectorOf = (id: number): Float32Array => rows.slice(id * dimensions, (id + 1) * dimensions);
const base = mkdtempSync(join(tmpdir(), 'semantic-index-changed-'));
const sound = join(base, 'sound');
const other = join(base, 'other');
let copies = 0;

async function make(folder: string, shift: number): Promise<void> {
  await using index = await SemanticIndex.open(folder, { provider: null, ann: { background: false, threads: 1 } });
  const documents = Array.from({ length: count }, (_, id) => ({
    id,
    text: '',
    vector: vectorOf((id + shift) % count),
  }));
  await index.addDocuments(documents);
  await index.optimize({ full: true });
}

beforeAll(async () => {
  await make(sound, 0);
  await make(other, 1_234);
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** A copy that keeps times, as a backup does. */
function copy(): string {
  const folder = join(base, `copy-${copies++}`);
  cpSync(sound, folder, { recursive: true, preserveTimestamps: true });
  return folder;
}

function fileOf(folder: string, end: string): string {
  const segments = join(folder, 'segments');
  const name = readdirSync(segments).find((file) => file.endsWith(`.ann${end}`));
  return join(segments, name as string);
}

function open(folder: string, events: IndexEvent[], ann: AnnOptions = {}): Promise<SemanticIndex> {
  return SemanticIndex.open(folder, {
    provider: null,
    ann: { background: false, threads: 1, ...ann },
    onEvent: (event) => events.push(event),
  });
}

const sample = Array.from({ length: 40 }, (_, position) => position * 121 + 3);

/** Each document is the nearest to its own vector, at the distance 0. */
async function expectRight(index: SemanticIndex, ids: readonly number[] = sample): Promise<void> {
  for (const exact of [false, true]) {
    const found = (await index.searchMany(ids.map(vectorOf), { k: 1, exact })).map(({ hits }) => hits);
    expect(found.map(([hit]) => hit?.id)).toEqual(ids);
    for (const [hit] of found) expect(hit?.score).toBeCloseTo(1, 4);
  }
}

function overwrite(path: string, bytes: Uint8Array, at = 0): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

const changes: [string, (path: string, end: string) => void][] = [
  [
    'overwritten in place by that of another index',
    (path, end) => overwrite(path, readFileSync(fileOf(other, end)).subarray(0, statSync(path).size)),
  ],
  ['cut short', (path) => truncateSync(path, 50_000)],
  ['emptied', (path) => truncateSync(path, 0)],
  [
    'filled with zeros, its times set back',
    (path) => {
      const { size, atime, mtime } = statSync(path);
      overwrite(path, new Uint8Array(size));
      utimesSync(path, atime, mtime);
    },
  ],
  [
    'replaced by renaming',
    (path, end) => {
      copyFileSync(fileOf(other, end), `${path}.new`);
      renameSync(`${path}.new`, path);
    },
  ],
  ['touched', (path) => utimesSync(path, new Date(), new Date())],
];

describe.each(['', '.accel'])('a mapped .ann%s', (end) => {
  it.each(changes)('that is %s changes no result, and is restored', async (what, change) => {
    const folder = copy();
    const events: IndexEvent[] = [];
    await using index = await open(folder, events);
    await expectRight(index);
    await index.deleteDocuments([sample[0] as number]);
    const left = sample.slice(1);
    change(fileOf(folder, end), end);
    await expectRight(index, left);
    expect(events.some(({ type }) => type === 'damage')).toBe(what !== 'touched');
    expect((await index.search(vectorOf(sample[0] as number), { k: 1 })).hits[0]?.id).not.toBe(sample[0]);
    // Items are distinguished by key, even while the forest contains the deleted one.
    const {
      hits: [hit],
    } = await index.search(vectorOf(4_000), { k: 1, where: { none: { $exists: false } } });
    expect(hit?.id).toBe(4_000);
    await index.rebuild();
    await expectRight(index, left);
    expect((await index.validate({ level: 'full' })).checks.filter(({ passed }) => !passed)).toEqual([]);
  });

  it('is derived again in the background', async () => {
    const folder = copy();
    const events: IndexEvent[] = [];
    await using index = await open(folder, events, { background: true });
    await expectRight(index);
    truncateSync(fileOf(folder, end), 10_000);
    await expectRight(index);
    await expect.poll(() => events.map(({ type }) => type), { timeout: 60_000 }).toContain('repair');
    await expectRight(index);
    expect((await index.stats()).segments).toMatchObject([{ damaged: false }]);
  });
});

describe('bytes that went bad on the medium, under the same size and times', () => {
  it('are found before the first search of a small segment', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('', '.accel'),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        async (end, share) => {
          const folder = copy();
          const path = fileOf(folder, end);
          const { size, atime, mtime } = statSync(path);
          const bytes = readFileSync(path);
          const at = Math.floor(share * (size - 64));
          for (let place = at; place < at + 64; place++) bytes[place] = (bytes[place] as number) ^ 0x55;
          writeFileSync(path, bytes);
          utimesSync(path, atime, mtime);
          const events: IndexEvent[] = [];
          const index = await open(folder, events);
          await expectRight(index);
          expect(events.map(({ type }) => type)).toContain('damage');
          await index.close();
          rmSync(folder, { recursive: true });
        },
      ),
      { numRuns: 6 },
    );
  });

  it('are found by reading all segments from time to time', async () => {
    const verified: string[] = [];
    const part = (name: string) => ({
      shared: new RefCounted(() => {}),
      vectors: { verify: async () => void verified.push(name) },
      terms: { verify: async () => {} },
    });
    const scrubber = new Scrubber(() => [part('a'), part('b')] as never, { firstAfter: 1, every: 1 });
    await expect.poll(() => verified.length).toBeGreaterThan(3);
    await scrubber.stop();
    const { length } = verified;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(verified.length).toBe(length);
    expect(verified.slice(0, 4)).toEqual(['a', 'b', 'a', 'b']);
  });
});
