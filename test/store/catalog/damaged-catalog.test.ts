import { randomFillSync } from 'node:crypto';
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SemanticIndex, SemanticIndexError } from '../../../src/index.js';
import { Random } from '../../../src/random.js';
import { sqlite } from '../../../src/store/sqlite/sqlite.js';
import { deterministicProvider } from '../../../src/testing.js';

const provider = deterministicProvider({ dimensions: 16 });
const folder = mkdtempSync(join(tmpdir(), 'semantic-index-pages-'));
const sound = join(folder, 'sound');
const size = 2_000;
let copies = 0;

beforeAll(async () => {
  await using index = await SemanticIndex.open(sound, { provider, ann: { background: false, threads: 1, trees: 2 } });
  const documents = Array.from({ length: size }, (_, id) => ({
    id,
    text: `text ${id} word${id % 31}`,
    metadata: { id },
  }));
  const vector = Array.from({ length: 16 }, (_, column) => column + 1);
  await index.addDocuments([...documents, { id: 'given', text: 'own vector', vector }]);
  await index.optimize({ full: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A copy of the index that is not open. */
function copied(change: (directory: string) => void): string {
  const directory = join(folder, `copy-${copies++}`);
  cpSync(sound, directory, { recursive: true, preserveTimestamps: true });
  change(directory);
  return directory;
}

const open = (directory: string) => SemanticIndex.open(directory, { provider, ann: { background: false, threads: 1 } });

describe('a table that lacks something', () => {
  const changes = [
    'DROP TABLE tail_terms',
    'DROP INDEX vectors_by_hash',
    'ALTER TABLE texts RENAME COLUMN text TO words',
    'ALTER TABLE segments DROP COLUMN columns_change',
  ];
  for (const sql of changes) {
    it(`is reported when the index is opened: ${sql}`, async () => {
      const directory = copied((directory) => {
        const db = new (sqlite())(join(directory, 'index.db'));
        db.exec(sql);
        db.close();
      });
      await expect(open(directory)).rejects.toMatchObject({ code: 'INTERNAL' });
    });
  }
});

/** Overwrites pages with random bytes, except the first ones, so that the index can be opened. */
function damagePages(directory: string, pages: number, random: Random): void {
  const path = join(directory, 'index.db');
  const pageSize = 16_384;
  const all = Math.floor(statSync(path).size / pageSize);
  const file = openSync(path, 'r+');
  for (let n = 0; n < pages; n++) {
    const page = 3 + random.integer(all - 3);
    writeSync(file, randomFillSync(Buffer.alloc(pageSize)), 0, pageSize, page * pageSize);
  }
  closeSync(file);
}

describe('an index with damaged pages', () => {
  it.each([1, 2, 3])('fails with typed errors only, and validates to findings (seed %i)', async (seed) => {
    const directory = copied((copy) => damagePages(copy, 12, new Random(seed)));
    const codes = new Set<string>();
    const isTyped = (error: unknown) => {
      expect(SemanticIndexError.is(error), String((error as Error).stack)).toBe(true);
      const { code, hint } = error as SemanticIndexError;
      codes.add(code);
      expect(hint).not.toMatch(/^Run `validate/);
    };
    const index = await open(directory).catch(isTyped);
    if (index === undefined) return;
    const ids = Array.from({ length: size }, (_, id) => id);
    const calls: (() => Promise<unknown>)[] = [
      () => index.search('text word3', { k: 500 }).then(({ hits }) => hits),
      () => index.search('text word3', { k: 500, mode: 'vector' }).then(({ hits }) => hits),
      () => index.search({ id: 5 }).then(({ hits }) => hits),
      () => index.getDocuments(ids),
      () => index.getVectors(ids),
      () => index.listDocuments({ limit: size }),
      () => index.count({ where: { id: { $gt: 5 } } }),
      () => index.addDocuments(ids.slice(0, 50).map((id) => ({ id, text: `changed ${id}` }))),
      () => index.deleteDocuments(ids.slice(60, 90)),
      () => index.updateMetadata([{ id: 3, metadata: { other: true } }]),
      () => index.exportTo(join(directory, 'export')),
      () => index.backup(join(directory, 'backup')),
      () => index.optimize({ full: true }),
      () => index.stats(),
      async () => {
        for await (const document of index.documents()) expect(document.vector).toHaveLength(16);
      },
    ];
    for (const call of calls) await call().catch(isTyped);
    for (const level of ['quick', 'full'] as const) {
      const { valid, checks } = await index.validate({ level });
      expect(valid).toBe(false);
      for (const { hint, passed } of checks) if (!passed) expect(hint).not.toContain('validate(');
    }
    await index.close().catch(isTyped);
    expect([...codes]).toContain('CORRUPT');
  });
});

describe('a full validation', () => {
  const change = (sql: string) => (directory: string) => {
    const db = new (sqlite())(join(directory, 'index.db'));
    db.exec(sql);
    db.close();
  };
  it.each<[string, string, string, string]>([
    ['a text that is not what was stored', `UPDATE texts SET text = 'other' WHERE key = 8`, 'text_hashes', '7'],
    [
      'a given vector that is not what was stored',
      'UPDATE vectors SET data = (SELECT data FROM vectors WHERE vector = 2) WHERE role = 2',
      'text_hashes',
      '"given"',
    ],
    ['metadata that are not JSON', 'UPDATE documents SET metadata = \'{"id":\' WHERE key = 8', 'metadata', '7'],
    [
      'a vector of another length than 1',
      'UPDATE vectors SET data = zeroblob(64) WHERE vector = (SELECT vector FROM documents WHERE key = 8)',
      'vectors',
      '7',
    ],
    [
      'a vector that is not that of the segment',
      `UPDATE vectors SET data = (SELECT data FROM vectors WHERE vector = (SELECT vector FROM documents WHERE key = 9))
       WHERE vector = (SELECT vector FROM documents WHERE key = 8)`,
      'segment',
      '7',
    ],
    [
      'a document with the vector of another content',
      'UPDATE documents SET vector = (SELECT vector FROM documents WHERE key = 9) WHERE key = 8',
      'document_vectors',
      '1 documents',
    ],
  ])('finds %s', async (_, sql, check, named) => {
    await using index = await open(copied(change(sql)));
    const { checks } = await index.validate({ level: 'full' });
    const failed = checks.filter(({ passed }) => !passed);
    expect(failed.map((finding) => finding.check)).toContain(check);
    expect(failed.find((finding) => finding.check === check)?.message).toContain(named);
  });

  it('finds nothing in a sound index', async () => {
    await using index = await open(sound);
    const { checks } = await index.validate({ level: 'full' });
    expect(checks.filter(({ passed }) => !passed)).toEqual([]);
  });

  it('reports a segment file that cannot be read as a warning', async () => {
    const directory = copied((copy) => {
      const file = readdirSync(join(copy, 'segments')).find((name) => name.endsWith('.ann')) as string;
      const path = join(copy, 'segments', file);
      unlinkSync(path);
      symlinkSync(path, path);
    });
    await using index = await open(directory);
    expect((await index.search('text 3', { k: 3 })).hits).toHaveLength(3);
    const { valid, checks } = await index.validate({ level: 'full' });
    expect(valid).toBe(true);
    expect(checks.find(({ passed }) => !passed)).toMatchObject({ check: 'segment', severity: 'warning' });
  });
});

describe('a call while the index moves to another model', () => {
  it('builds, compacts and rebuilds in the space that the index is in afterwards', async () => {
    await using index = await SemanticIndex.open(join(folder, 'moving'), {
      provider,
      ann: { background: false, threads: 1 },
    });
    await index.addDocuments(Array.from({ length: 1_500 }, (_, id) => ({ id, text: `text ${id}` })));
    const migrating = index.migrate(deterministicProvider({ dimensions: 16, seed: 2 }));
    const working = Array.from({ length: 4 }, () => [
      index.optimize({ full: true }),
      index.rebuild(),
      index.optimize(),
    ]).flat();
    expect(await migrating).toMatchObject({ cutOver: true });
    await Promise.all(working);
    expect(await index.validate({ level: 'full' })).toMatchObject({ valid: true });
  });
});

describe('an export that is not finished', () => {
  it('ends when the index is closed, and gives its log free', async () => {
    const directory = copied(() => {});
    const index = await open(directory);
    const reading = index.documents();
    expect(await reading.next()).toMatchObject({ done: false });
    const never = index.documents();
    await index.addDocuments(['one more']);
    await index.close();
    await expect(reading.next()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(never.next()).rejects.toMatchObject({ code: 'CLOSED' });
    expect(readdirSync(directory).sort()).toEqual(['index.db', 'segments']);
  });
});
