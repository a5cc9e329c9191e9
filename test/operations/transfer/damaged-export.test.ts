import { closeSync, cpSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IndexEvent, SemanticIndex } from '../../../src/index.js';
import { Random } from '../../../src/random.js';
import { sqlite } from '../../../src/store/sqlite/sqlite.js';
import { deterministicProvider } from '../../../src/testing.js';

const provider = deterministicProvider({ dimensions: 16 });
const folder = mkdtempSync(join(tmpdir(), 'semantic-index-damaged-export-'));
const sound = join(folder, 'sound');
const size = 2_000;
const textOf = (id: number) => `text ${id} ${`word${id % 31} `.repeat(10)}`;
let copies = 0;

const open = (directory: string, onEvent?: (event: IndexEvent) => void) =>
  SemanticIndex.open(directory, { provider, onEvent, ann: { background: false } });

beforeAll(async () => {
  await using index = await open(sound);
  const documents = Array.from({ length: size }, (_, id) => ({ id, text: textOf(id), metadata: { id } }));
  const vector = Array.from({ length: 16 }, (_, column) => column + 1);
  await index.addDocuments([...documents, { id: 'given', text: 'own vector', vector }]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function copied(change: (directory: string) => void): string {
  const directory = join(folder, `copy-${copies++}`);
  cpSync(sound, directory, { recursive: true, preserveTimestamps: true });
  change(directory);
  return directory;
}

const changed = (sql: string) =>
  copied((directory) => {
    const db = new (sqlite())(join(directory, 'index.db'));
    db.exec(sql);
    db.close();
  });

const linesOf = (path: string) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('exportTo of a damaged index', () => {
  it('writes the documents that can be read, lists the others, and reports damage', async () => {
    const directory = changed(`
      UPDATE vectors SET data = zeroblob(64) WHERE vector = (SELECT vector FROM documents WHERE id = 20);
      UPDATE texts SET text = 'changed' WHERE key = (SELECT key FROM documents WHERE id = 21);
      UPDATE documents SET metadata = '{"id"' WHERE id = 22`);
    const events: IndexEvent[] = [];
    const target = join(folder, 'incomplete');
    {
      await using index = await open(directory, (event) => events.push(event));
      const { documents, lost } = await index.exportTo(target);
      expect(documents).toBe(size + 1 - 2);
      expect(lost).toMatchObject([
        { id: 20, firstKey: 21, lastKey: 21, reason: expect.stringContaining('vector') },
        { id: 21, reason: expect.stringContaining('text') },
        { id: 22, reason: expect.stringContaining('metadata') },
      ]);
    }
    expect(events).toMatchObject([{ type: 'damage', error: { code: 'CORRUPT' } }]);
    expect(JSON.parse(readFileSync(join(target, 'manifest.json'), 'utf8'))).toMatchObject({
      complete: false,
      documents: size - 1,
    });
    expect(linesOf(join(target, 'texts.jsonl'))).toEqual([{ id: 20, text: textOf(20), metadata: { id: 20 } }]);
    await using copy = await open(':memory:');
    await expect(copy.importFrom(target)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      hint: expect.stringContaining('partial: true'),
    });
    expect(await copy.count()).toBe(0);
    expect(await copy.importFrom(target, { partial: true })).toMatchObject({ added: size - 1, embedded: 0 });
    expect(await copy.getDocuments([19, 22])).toMatchObject([{ metadata: { id: 19 } }, { metadata: {} }]);
  });

  it('finds documents without text though every page can be read', async () => {
    const directory = changed('DELETE FROM texts WHERE key = (SELECT key FROM documents WHERE id = 20)');
    await using index = await open(directory);
    const { documents, lost } = await index.exportTo(join(folder, 'without-text'));
    expect(documents).toBe(size);
    expect(lost).toMatchObject([{ id: 20 }]);
  });

  // The neighbours of a damaged leaf are where readings of ranges run into it.
  const leafOf = (path: string, table: string, nth: number) => {
    const db = new (sqlite())(path, { readonly: true });
    const leaves = "SELECT pageno - 1 FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET ?";
    const page = db.prepare(leaves).pluck().get(table, nth) as number;
    db.close();
    return page;
  };

  it.each([
    [['documents']],
    [['documents_by_id']],
    [['texts']],
    [['vectors']],
    [['vectors_by_hash']],
    [['documents', 'vectors_by_hash']],
    [['documents', 'documents_by_id', 'texts', 'vectors']],
  ])('writes each document that can be read one by one beside damage of %j', async (tables) => {
    const pageSize = 16_384;
    const random = new Random(7);
    const directory = copied((copy) => {
      const path = join(copy, 'index.db');
      const damaged = tables.map((table, nth) => leafOf(path, table, nth === 0 ? 1 : random.integer(2)));
      const file = openSync(path, 'r+');
      for (const page of damaged) {
        const bytes = Buffer.from(Array.from({ length: pageSize }, () => random.integer(256)));
        writeSync(file, bytes, 0, bytes.length, page * pageSize);
      }
      closeSync(file);
    });
    const index = await open(directory);
    const readable: number[] = [];
    for (let id = 0; id < size; id++) {
      const [document, vector] = await Promise.all([index.getDocument(id), index.getVectors([id])]).catch(() => []);
      if (document?.text === textOf(id) && vector?.[0] !== undefined) readable.push(id);
    }
    const target = join(folder, tables.join('-'));
    const { documents, lost } = await index.exportTo(target);
    const written = linesOf(join(target, 'documents.jsonl'));
    expect(written).toHaveLength(documents);
    const ids = new Set(written.map(({ id }) => id));
    const complete = new Set(written.filter(({ id, metadata }) => metadata?.id === id).map(({ id }) => id));
    expect(readable.filter((id) => !complete.has(id))).toEqual([]);
    const isListed = (id: number) =>
      ids.has(id) || lost.some((one) => one.id === id || (one.firstKey <= id + 1 && id + 1 <= one.lastKey));
    for (let id = 0; id < size; id++) expect(isListed(id), `document ${id}`).toBe(true);
    await index.close();
  });

  it('rejects when not even the settings can be read', async () => {
    const directory = changed("UPDATE texts SET text = 'changed' WHERE key = 1");
    await using index = await open(directory);
    const db = new (sqlite())(join(directory, 'index.db'));
    db.exec('PRAGMA foreign_keys = OFF; DELETE FROM spaces; DELETE FROM vectors');
    db.close();
    await expect(index.exportTo(join(folder, 'nothing'))).rejects.toMatchObject({ code: 'CORRUPT' });
  });
});
