import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type DocumentId, type IndexEvent, type Metadata, SemanticIndex } from '../../src/index.js';
import { MetadataColumns } from '../../src/store/snapshot/metadata-columns.js';
import { sqlite } from '../../src/store/sqlite/sqlite.js';
import { deterministicProvider } from '../../src/testing.js';
import { matches } from '../operations/search/filter-oracle.js';
import { failedChecks, fileDamages, flip, segmentFiles } from './damaged-segment-files.js';

const provider = deterministicProvider({ dimensions: 8 });
const base = mkdtempSync(join(tmpdir(), 'semantic-index-columns-'));
const sound = join(base, 'sound');
const known = new Map<DocumentId, Metadata>();
const filters = [
  { n: { $lt: 40 } },
  { n: 7 },
  { tag: 'red' },
  { 'nested.deep': { $gte: 3 } },
  { list: 'b' },
  { extra: null },
];
let directory: string;
let copies = 0;

function metadataOf(n: number, round = 0): Metadata {
  return {
    n: n % 50,
    tag: ['red', 'green', 'blue'][(n + round) % 3] as string,
    ...(n % 4 === 0 && { nested: { deep: (n + round) % 7 } }),
    ...(n % 5 === 0 && { list: ['a', ...(n % 2 === 0 ? ['b'] : [])] }),
    ...(n % 9 === 0 && { extra: [{ of: 'objects' }] }),
  };
}

/** Two segments and a tail; metadata was replaced, and documents deleted, in each. */
beforeAll(async () => {
  // So low that they are not merged into one.
  await using index = await open(sound, [], false, false, 30);
  for (const [first, end] of [
    [0, 150],
    [150, 300],
    [300, 360],
  ] as const) {
    const added = Array.from({ length: end - first }, (_, place) => first + place);
    await index.addDocuments(added.map((n) => ({ id: n, text: `text ${n}`, metadata: metadataOf(n) })));
    for (const n of added) known.set(n, metadataOf(n));
    // Some before it is sealed, some after.
    await update(
      index,
      added.filter((n) => n % 11 === 0),
      1,
    );
    if (end < 360) await index.optimize();
    await update(
      index,
      added.filter((n) => n % 13 === 0),
      2,
    );
  }
  const deleted = [3, 4, 160, 305, 359];
  await index.deleteDocuments(deleted);
  for (const id of deleted) known.delete(id);
}, 60_000);
afterAll(() => rmSync(base, { recursive: true, force: true }));
beforeEach(() => {
  directory = join(base, `copy ${copies++}`);
  cpSync(sound, directory, { recursive: true, preserveTimestamps: true });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true, force: true });
});

async function update(index: SemanticIndex, ids: readonly number[], round: number, of = known): Promise<void> {
  await index.updateMetadata(ids.map((id) => ({ id, metadata: metadataOf(id, round) })));
  for (const id of ids) of.set(id, metadataOf(id, round));
}

function open(
  path: string,
  events: IndexEvent[],
  background = false,
  readonly = false,
  sealAt = 250,
): Promise<SemanticIndex> {
  const onEvent = (event: IndexEvent) => events.push(event);
  return SemanticIndex.open(path, {
    provider,
    readonly,
    onEvent,
    ann: { background, trees: 2, threads: 1, sealAt },
  });
}

const columnsFiles = (path: string): string[] => segmentFiles(path, '.columns');

/** Compares filters with a predicate. */
async function expectMatching(index: SemanticIndex, of: ReadonlyMap<DocumentId, Metadata> = known): Promise<void> {
  for (const where of filters) {
    const { hits } = await index.search('which documents', { where, k: 1000, mode: 'vector' });
    const expected = [...of].flatMap(([id, metadata]) => (matches(metadata as object, where as never) ? [id] : []));
    expect({ where, ids: hits.map(({ id }) => id).sort() }).toEqual({ where, ids: expected.sort() });
  }
}

/** How many filters were not evaluated by columns. */
function countSql(): { count: number } {
  const sql = { count: 0 };
  const matching = MetadataColumns.prototype.matching;
  vi.spyOn(MetadataColumns.prototype, 'matching').mockImplementation(async function (this: MetadataColumns, ...args) {
    const found = await matching.apply(this, args);
    if (found === undefined) sql.count += 1;
    return found;
  });
  return sql;
}

const damages = fileDamages('columns-missing');

describe('columns files', () => {
  it('answer the first filters after opening, without SQL', async () => {
    await using index = await open(directory, [], false, true);
    const sql = countSql();
    await index.search('which documents', { where: { n: 1 } });
    // The tail is read in the background.
    await vi.waitFor(async () => {
      const before = sql.count;
      await expectMatching(index);
      expect(sql.count).toBe(before);
    }, 20_000);
    expect((await index.stats()).bytes.columns).toBeGreaterThan(0);
  });

  it('are written again with all changes of metadata when segments are merged', async () => {
    const changed = new Map(known);
    {
      await using index = await open(directory, []);
      await update(index, [0, 26, 151, 302], 4, changed);
      await index.optimize({ full: true });
      await expectMatching(index, changed);
      expect(columnsFiles(directory).length).toBe(1);
      expect(await failedChecks(index)).toEqual([]);
    }
    const sql = countSql();
    await using index = await open(directory, [], false, true);
    await expectMatching(index, changed);
    expect(sql.count).toBe(0);
  });

  it('have the same bytes whatever they were made from, and for any number of threads', async () => {
    const bytes: Buffer[] = [];
    for (const threads of [1, 2, 7]) {
      const copy = join(base, `threads ${threads}`);
      cpSync(sound, copy, { recursive: true, preserveTimestamps: true });
      // One is made from files and the log, the others from the catalog.
      if (threads > 1) for (const file of columnsFiles(copy)) rmSync(file);
      await using index = await SemanticIndex.open(copy, { provider, ann: { background: false, trees: 2, threads } });
      await index.optimize({ full: true });
      bytes.push(readFileSync(columnsFiles(copy)[0] as string));
    }
    expect(bytes[1]?.equals(bytes[0] as Buffer)).toBe(true);
    expect(bytes[2]?.equals(bytes[0] as Buffer)).toBe(true);
  });

  it('are read from the catalog when the log of changed metadata does not reach back to them', async () => {
    const db = new (sqlite())(join(directory, 'index.db'));
    db.prepare('UPDATE segments SET columns_change = -1').run();
    db.prepare('DELETE FROM metadata_changes WHERE sequence <= 3').run();
    db.close();
    const sql = countSql();
    await using index = await open(directory, []);
    await vi.waitFor(async () => {
      const before = sql.count;
      await expectMatching(index);
      expect(sql.count).toBe(before);
    }, 20_000);
    const changed = new Map(known);
    await update(index, [1], 5, changed);
    await expectMatching(index, changed);
    await index.optimize({ full: true });
    await expectMatching(index, changed);
  });
});

describe.each(damages)('a columns file that %s', (what, type, damage) => {
  it('before opening: answers are right, an event reports it, and it is rebuilt', async () => {
    for (const keepsTime of what === 'is removed' ? [false] : [false, true]) {
      const [file] = columnsFiles(directory) as [string];
      const { atime, mtime } = statSync(file);
      damage(file);
      if (what !== 'is removed') utimesSync(file, atime, keepsTime ? mtime : new Date(Date.now() + 2_000));
      const events: IndexEvent[] = [];
      {
        await using index = await open(directory, events, false, true);
        expect(await failedChecks(index)).toEqual(['columns']);
        await expectMatching(index);
        expect(events).toMatchObject([{ type }]);
      }
      {
        await using index = await open(directory, events, true);
        await expectMatching(index);
        await expect.poll(() => events.map((event) => event.type), { timeout: 20_000 }).toContain('repair');
        await expectMatching(index);
        await expect.poll(() => failedChecks(index), { timeout: 20_000 }).toEqual([]);
      }
      expect(events.filter((event) => event.type === 'error')).toEqual([]);
      rmSync(directory, { recursive: true });
      cpSync(sound, directory, { recursive: true, preserveTimestamps: true });
    }
  }, 60_000);

  it('while it is open: answers are right, and it is rebuilt', async () => {
    const events: IndexEvent[] = [];
    await using index = await open(directory, events);
    await expectMatching(index);
    damage(columnsFiles(directory)[0] as string);
    await expectMatching(index);
    await index.optimize({ full: true });
    await expectMatching(index);
    expect(await failedChecks(index)).toEqual([]);
    expect(events.filter((event) => event.type === 'error')).toEqual([]);
  }, 60_000);
});

it('answers are right whichever byte of a columns file is changed, and wherever it is cut', async () => {
  const [file] = columnsFiles(directory) as [string];
  const whole = readFileSync(file);
  for (let place = 0; place < whole.length; place += 97) {
    if (place % 2 === 0) flip(file, place);
    else truncateSync(file, place);
    await using index = await open(directory, [], false, true);
    await expectMatching(index);
    writeFileSync(file, whole);
  }
}, 120_000);
