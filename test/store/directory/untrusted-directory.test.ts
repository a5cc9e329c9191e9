import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SemanticIndex, SemanticIndexError } from '../../../src/index.js';
import { removeSegmentFiles, segmentFacts } from '../../../src/store/directory/segment-directory.js';
import { freshSegmentName, isSegmentName, segmentFiles } from '../../../src/store/directory/segment-names.js';
import { sqlite } from '../../../src/store/sqlite/sqlite.js';
import type { IndexEvent } from '../../../src/types.js';

let base: string;
let folder: string;
let events: IndexEvent[];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'semantic-index-untrusted-'));
  folder = join(base, 'index');
  events = [];
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const count = 60;
const documents = Array.from({ length: count }, (_, id) => ({ id, text: `text ${id}`, vector: [1, id / count, 0.5] }));

function open(background = false): Promise<SemanticIndex> {
  return SemanticIndex.open(folder, {
    provider: null,
    create: !existsSync(folder),
    ann: { background, sealAt: 50, threads: 1 },
    onEvent: (event) => events.push(event),
  });
}

/** An index with one segment and some documents in the tail. */
async function make(): Promise<string> {
  await using index = await open();
  await index.addDocuments(documents.slice(0, 50));
  await index.optimize({ full: true });
  await index.addDocuments(documents.slice(50));
  const [{ file } = { file: '' }] = (await index.stats()).segments;
  return file;
}

function sql(statement: string, ...values: unknown[]): void {
  const db = new (sqlite())(join(folder, 'index.db'));
  db.prepare(statement).run(...values);
  db.close();
}

async function expectAllFound(index: SemanticIndex): Promise<void> {
  for (const { id, vector } of [documents[3], documents[55]] as typeof documents) {
    for (const exact of [true, false]) {
      expect((await index.search(Float32Array.from(vector), { k: 1, exact })).hits[0]?.id).toBe(id);
    }
  }
}

async function settled(index: SemanticIndex): Promise<void> {
  await index.addDocuments([{ id: 'one more', text: '', vector: [0, 0, 1] }]);
  await index.optimize({ full: true });
}

describe('a table that names files elsewhere', () => {
  const names = ['../../victim', '../victim', '/etc/hostname', 'x/../../../victim', 'C:\\victim', '..', '', 'victim'];

  it('removes nothing for retired files with such names', async () => {
    await make();
    const kept = [join(base, 'victim'), join(folder, 'victim'), join(folder, 'segments', 'victim')];
    for (const path of kept) writeFileSync(path, 'years of work');
    for (const name of names) sql('INSERT INTO retired VALUES (?, 0)', name);
    await using index = await open(true);
    await settled(index);
    expect(kept.map((path) => existsSync(path))).toEqual([true, true, true]);
    await expectAllFound(index);
  });

  it('reads, copies and removes nothing for a segment that is named so', async () => {
    const file = await make();
    const outside = join(base, 'outside.ann');
    renameSync(join(folder, 'segments', file), outside);
    sql('UPDATE segments SET file = ?', '../../outside.ann');
    {
      await using index = await open();
      await expectAllFound(index);
      const message = expect.stringContaining('"../../outside.ann"');
      expect(events).toContainEqual(expect.objectContaining({ type: 'damage', message }));
      expect((await index.stats()).bytes.segments).toBe(0);
      await index.backup(join(base, 'deep', 'copy'));
      expect(readdirSync(join(base, 'deep'))).toEqual(['copy']);
      const { checks } = await index.validate({ level: 'full' });
      expect(checks.find(({ check }) => check === 'segment')).toMatchObject({ passed: false });
    }
    await using index = await open();
    await index.rebuild();
    expect(existsSync(outside)).toBe(true);
    expect((await index.stats()).segments.every(({ file, damaged }) => isSegmentName(file) && !damaged)).toBe(true);
    await expectAllFound(index);
  });

  it('takes no name but its own for one of a segment, and touches nothing for any other', async () => {
    mkdirSync(folder);
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.webPath(), fc.constantFrom(...names)), async (name) => {
        expect(isSegmentName(name)).toBe(false);
        expect(await removeSegmentFiles(folder, name)).toBe(true);
        expect(() => segmentFacts(folder, name)).toThrow(expect.objectContaining({ code: 'INVALID_FILE' }));
      }),
    );
    expect(isSegmentName(freshSegmentName())).toBe(true);
  });
});

describe('a link', () => {
  it('instead of segments/ is not followed: nothing behind it is removed or written', async () => {
    await make();
    const photos = join(base, 'photos');
    renameSync(join(folder, 'segments'), photos);
    writeFileSync(join(photos, 'holiday.jpg'), 'x');
    const before = readdirSync(photos);
    symlinkSync(photos, join(folder, 'segments'));
    await using index = await open();
    await expectAllFound(index);
    expect(events.map(({ type }) => type)).toContain('damage');
    await expect(index.rebuild()).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringContaining('symbolic link'),
    });
    expect(readdirSync(photos)).toEqual(before);
    await index.backup(join(base, 'copy'));
    expect(readdirSync(join(base, 'copy', 'segments'))).toEqual([]);
  });

  it.each(['', '.accel', '.meta.json'])('instead of a segment file (%s) is not read', async (end) => {
    const file = await make();
    const path = join(folder, 'segments', `${file}${end}`);
    const outside = join(base, 'outside');
    writeFileSync(outside, readFileSync(join(folder, 'segments', file)));
    rmSync(path, { force: true });
    symlinkSync(outside, path);
    await using index = await open();
    await expectAllFound(index);
    expect(events.find(({ type }) => type === 'damage')?.message).toContain('got a symbolic link');
    await index.rebuild();
    expect(existsSync(outside)).toBe(true);
    expect((await index.stats()).segments[0]).toMatchObject({ damaged: false });
  });

  it.each(['index.db', 'index.db-wal', 'index.db-shm', 'index.db-journal'])('named %s is refused', async (name) => {
    await make();
    const outside = join(base, 'outside');
    if (existsSync(join(folder, name))) renameSync(join(folder, name), outside);
    else writeFileSync(outside, '');
    symlinkSync(outside, join(folder, name));
    const before = readFileSync(outside);
    await expect(open()).rejects.toMatchObject({ code: 'NOT_AN_INDEX', message: expect.stringContaining(name) });
    expect(readFileSync(outside)).toEqual(before);
  });
});

it.each([
  'CREATE TRIGGER harm AFTER INSERT ON documents BEGIN DELETE FROM documents; END',
  'CREATE VIEW harm AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT * FROM n',
])('refuses a database with statements of its author: %s', async (statement) => {
  await make();
  sql(statement);
  const refused = await open().catch((error: unknown) => error);
  expect(SemanticIndexError.is(refused, 'NOT_AN_INDEX') && refused.message).toContain('harm');
});

it('is not held up by a lease that ends in a century', async () => {
  await make();
  const end = Date.now() + 100 * 365 * 86_400_000;
  for (const name of ['maintenance', 'backup:1@elsewhere#x']) {
    sql('INSERT OR REPLACE INTO leases VALUES (?, ?, 1, ?)', name, '1@elsewhere#x', end);
  }
  await using index = await open();
  await index.rebuild();
  expect(events.map(({ type }) => type)).toContain('sweep');
});

describe('segments/', () => {
  it('that was removed as a whole is made again, with its files', async () => {
    await make();
    rmSync(join(folder, 'segments'), { recursive: true });
    {
      await using index = await open();
      await expectAllFound(index);
      rmSync(join(folder, 'segments'), { recursive: true });
      await index.rebuild();
      await expectAllFound(index);
    }
    expect(readdirSync(join(folder, 'segments')).length).toBeGreaterThan(0);
  });

  it('keeps what the catalog does not know: segments of another index, notes, folders', async () => {
    const file = await make();
    const foreign = freshSegmentName();
    for (const name of [...segmentFiles(foreign), 'notes.txt']) writeFileSync(join(folder, 'segments', name), 'x');
    mkdirSync(join(folder, 'segments', 'folder'));
    await using index = await open(true);
    await settled(index);
    await index.rebuild();
    const left = readdirSync(join(folder, 'segments'));
    expect(left).toEqual(expect.arrayContaining([...segmentFiles(foreign), 'notes.txt', 'folder']));
    expect(left).not.toContain(file);
    expect((await index.validate()).checks.find(({ check }) => check === 'strays')).toMatchObject({ passed: false });
  });

  it('loses the files of a build that was killed', async () => {
    await make();
    const dead = freshSegmentName();
    const files = [dead, `${dead}.accel.123.tmp`, `${dead}.456.tmp`, `${dead}.meta.json`];
    for (const name of files) writeFileSync(join(folder, 'segments', name), 'x');
    sql('INSERT INTO retired VALUES (?, 0)', dead);
    await using index = await open();
    await index.rebuild();
    expect(readdirSync(join(folder, 'segments')).filter((name) => name.startsWith(dead))).toEqual([]);
  });
});
