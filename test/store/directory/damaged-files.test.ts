import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scoreAll, searchFault } from '../../../src/crash-test/exact-search.js';
import { deterministicProvider } from '../../../src/embed/testing/deterministic-provider.js';
import { SemanticIndex } from '../../../src/semantic-index.js';
import type { IndexEvent } from '../../../src/types.js';

const provider = deterministicProvider({ dimensions: 16 });
const folder = mkdtempSync(join(tmpdir(), 'semantic-index-damage-'));
const sound = join(folder, 'sound');
const texts = new Map(
  Array.from({ length: 600 }, (_, n) => [n, `word${n % 40} word${n % 7} number${n} group${n % 3}`] as const),
);
let oracle: { id: number; group: number; vector: Float32Array }[];
let files: string[];

async function open(directory: string, background: boolean, events: IndexEvent[] = []): Promise<SemanticIndex> {
  return SemanticIndex.open(directory, {
    provider,
    ann: { background, sealAt: 100, trees: 4, threads: 1 },
    onEvent: (event) => events.push(event),
  });
}

beforeAll(async () => {
  const index = await open(sound, false);
  const documents = [...texts].map(([id, text]) => ({ id, text, metadata: { group: id % 3 } }));
  await index.addDocuments(documents.slice(0, 500));
  await index.optimize({ full: true });
  await index.addDocuments(documents.slice(500));
  await index.deleteDocuments([3, 4, 5]);
  await index.close();
  const { vectors } = await provider.embed([...texts.values()], { role: 'document' });
  oracle = [...texts.keys()]
    .map((id) => ({ id, group: id % 3, vector: vectors[id] as Float32Array }))
    .filter(({ id }) => id < 3 || id > 5);
  // Damage of a tail image is a test of its own.
  files = readdirSync(join(sound, 'segments')).filter((name) => !name.endsWith('.tail'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Compares searches of every kind with brute force. */
async function compare(index: SemanticIndex): Promise<void> {
  for (const text of ['word3 number7', 'group1 word39']) {
    const [query] = (await provider.embed([text], { role: 'query' })).vectors as [Float32Array];
    for (const exact of [true, false]) {
      for (const group of [undefined, 1]) {
        const where = group === undefined ? undefined : { group };
        const meant = oracle.filter((document) => group === undefined || document.group === group);
        const { hits } = await index.search(text, { k: 10, mode: 'vector', exact, where });
        // Parts as small as these are scanned: every search is exact.
        expect(searchFault(hits, scoreAll(meant, query), 10, true)).toBeUndefined();
      }
    }
  }
  expect(await index.count()).toBe(oracle.length);
}

function flip(path: string, share: number): void {
  const bytes = readFileSync(path);
  const place = Math.min(bytes.length - 1, Math.floor(bytes.length * share));
  bytes[place] = (bytes[place] as number) ^ 0x10;
  writeFileSync(path, bytes);
  // Written in the millisecond of its making it would pass for untouched.
  utimesSync(path, new Date(), new Date(Date.now() + 2_000));
}

const damages: [string, (path: string) => void][] = [
  ['is deleted', (path) => rmSync(path)],
  ['is empty', (path) => truncateSync(path, 0)],
  ['has lost its second half', (path) => truncateSync(path, Math.floor(statSync(path).size / 2))],
  ['has lost its last byte', (path) => truncateSync(path, statSync(path).size - 1)],
  ['has other bits at its beginning', (path) => flip(path, 0)],
  ['has other bits in its middle', (path) => flip(path, 0.5)],
  ['has other bits at its end', (path) => flip(path, 1)],
  ['has grown', (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(100)]))],
];

describe.each(damages)('when a file of a segment %s', (what, damage) => {
  it('answers are right at once, and the file is there again later', async () => {
    expect(files.map((file) => file.replace(/^[^.]*/, '')).sort()).toEqual([
      '.ann',
      '.ann.accel',
      '.ann.meta.json',
      '.columns',
      '.terms',
    ]);
    for (const [position, file] of files.entries()) {
      const directory = join(folder, `${what}-${position}`);
      cpSync(sound, directory, { recursive: true, preserveTimestamps: true });
      damage(join(directory, 'segments', file));

      // As a read-only process sees it, and as it was left.
      const reader = await SemanticIndex.open(directory, { provider, readonly: true });
      await compare(reader);
      expect((await reader.validate({ level: 'full' })).valid).toBe(true);
      await reader.close();

      const events: IndexEvent[] = [];
      const index = await open(directory, true, events);
      await compare(index);
      const until = Date.now() + 60_000;
      const named = events.some(({ type }) =>
        ['damage', 'graph-missing', 'terms-missing', 'columns-missing'].includes(type),
      );
      while (named && !events.some(({ type }) => type === 'repair' || type === 'merge') && Date.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      // The last byte of a sidecar is the end of its last line: it says the same without.
      const harmless = what === 'has lost its last byte' && file.endsWith('.json');
      expect({ file, named }).toEqual({ file, named: !harmless });
      await compare(index);
      const { segments } = await index.stats();
      expect(segments.filter(({ damaged }) => damaged)).toEqual([]);
      const { checks } = await index.validate({ level: 'full' });
      expect(checks.filter(({ passed, severity }) => !passed && severity !== 'info')).toEqual([]);
      expect(events.filter(({ type }) => type === 'error')).toEqual([]);
      await index.close();
      rmSync(directory, { recursive: true, force: true });
    }
  }, 600_000);
});

describe('when bits of a forest decay on the medium, and its time of change says nothing', () => {
  it('validate names the file and rebuild derives it again', async () => {
    const directory = join(folder, 'decayed');
    cpSync(sound, directory, { recursive: true, preserveTimestamps: true });
    const forest = join(directory, 'segments', files.find((file) => file.endsWith('.ann')) as string);
    const { atime, mtime } = statSync(forest);
    flip(forest, 0.5);
    utimesSync(forest, atime, mtime);
    const index = await open(directory, false);
    const failed = async () => (await index.validate({ level: 'full' })).checks.filter(({ passed }) => !passed);
    expect((await failed()).map(({ check, severity }) => ({ check, severity }))).toContainEqual({
      check: 'segment',
      severity: 'warning',
    });
    await index.rebuild();
    expect(await failed()).toEqual([]);
    await compare(index);
    await index.close();
  });
});
