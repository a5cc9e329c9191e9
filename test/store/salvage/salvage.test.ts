import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SemanticIndex, salvage } from '../../../src/index.js';
import { Random } from '../../../src/random.js';
import { sqlite } from '../../../src/store/sqlite/sqlite.js';
import { deterministicProvider } from '../../../src/testing.js';

const provider = deterministicProvider({ dimensions: 16 });
const folder = mkdtempSync(join(tmpdir(), 'semantic-index-salvage-'));
const sound = join(folder, 'sound');
const size = 3_000;
const textOf = (id: number) => `text ${id} ${`word${id % 31} `.repeat(10)}`;
let copies = 0;

const open = (directory: string) => SemanticIndex.open(directory, { provider, ann: { background: false, threads: 1 } });

beforeAll(async () => {
  await using index = await open(sound);
  const documents = Array.from({ length: size }, (_, id) => ({ id, text: textOf(id), metadata: { id } }));
  const vector = Array.from({ length: 16 }, (_, column) => column + 1);
  await index.addDocuments([...documents, { id: 'given', text: 'own vector', vector }]);
  await index.deleteDocuments([5, 6, 7]);
  await index.optimize({ full: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function copied(change: (directory: string) => void): string {
  const directory = join(folder, `copy-${copies++}`);
  cpSync(sound, directory, { recursive: true, preserveTimestamps: true });
  change(directory);
  return directory;
}

/** Overwrites pages that pass the filter; the first two stay. */
function damagePages(directory: string, count: number, random: Random): void {
  const path = join(directory, 'index.db');
  const pageSize = 16_384;
  const all = statSync(path).size / pageSize;
  const file = openSync(path, 'r+');
  for (let n = 0; n < count; n++) {
    const bytes = Buffer.from(Array.from({ length: pageSize }, () => random.integer(256)));
    writeSync(file, bytes, 0, pageSize, (2 + random.integer(all - 2)) * pageSize);
  }
  closeSync(file);
}

describe('salvage', () => {
  it('saves every document of a sound index, without asking the model', async () => {
    const target = join(folder, 'all');
    expect(await salvage(sound, target)).toEqual({ documents: size - 2, texts: 0, lost: [], unreadable: [] });
    await using one = await open(sound);
    await using two = await open(target);
    const lists = [one, two].map(async (index) => {
      const all: unknown[] = [];
      for await (const document of index.documents()) all.push(document);
      return all.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
    });
    const [expected, saved] = await Promise.all(lists);
    expect(saved).toEqual(expected);
    expect(await two.validate({ level: 'full' })).toMatchObject({ valid: true });
    await expect(salvage(sound, target)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(salvage(join(folder, 'nowhere'), join(folder, 'x'))).rejects.toMatchObject({ code: 'NOT_AN_INDEX' });
  });

  it.each([1, 2, 3])(
    'saves at least what can be read one by one of 10 damaged pages, and nothing else (seed %i)',
    async (seed) => {
      const directory = copied((copy) => damagePages(copy, 10, new Random(seed)));
      const readable = new Set<unknown>();
      const index = await open(directory).catch(() => undefined);
      for (let id = 0; id < size && index !== undefined; id++) {
        const [document, vector] = await Promise.all([index.getDocument(id), index.getVectors([id])]).catch(() => []);
        if (document?.text === textOf(id) && vector?.[0] !== undefined) readable.add(id);
      }
      await index?.close().catch(() => {});
      const target = join(folder, `saved-${seed}`);
      const report = await salvage(directory, target).catch((error: unknown) => error as Error);
      // The roots of the tables of settings and models are on two of some hundred pages.
      if (report instanceof Error) return expect(report).toMatchObject({ code: 'CORRUPT' });
      await using saved = await open(target);
      const { documents } = await saved.listDocuments({ limit: 10_000 });
      const ids = new Set(documents.map(({ id }) => id));
      for (const id of readable) expect(ids).toContain(id);
      for (const { id, text } of documents) if (typeof id === 'number') expect(text).toBe(textOf(id));
      for (const id of [5, 6, 7]) expect(ids).not.toContain(id);
      expect(report.documents).toBe(ids.size);
      if (report.textsFile !== undefined) {
        const lines = readFileSync(report.textsFile, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
        expect(lines).toHaveLength(report.texts);
        for (const { id, text } of lines) if (typeof id === 'number') expect(text).toBe(textOf(id));
      }
      // Every document is in the new index, or listed, or in a range of which nothing is left.
      const listed = new Set(report.lost.map(({ id }) => id));
      const isTold = (id: number) =>
        ids.has(id) ||
        listed.has(id) ||
        report.lost.some(({ id: known, key }) => known === undefined && key === id + 1) ||
        report.unreadable.some(({ firstKey, lastKey }) => firstKey <= id + 1 && id + 1 <= lastKey);
      for (let id = 8; id < size; id++) expect(isTold(id), `document ${id}`).toBe(true);
      expect(await saved.validate({ level: 'full' })).toMatchObject({ valid: true });
    },
  );

  const change = (sql: string) => (directory: string) => {
    const db = new (sqlite())(join(directory, 'index.db'));
    db.exec(sql);
    db.close();
  };

  it('takes a vector that is lost from the segment, and lists a changed text', async () => {
    const directory = copied(
      change(`UPDATE vectors SET data = zeroblob(64) WHERE vector = (SELECT vector FROM documents WHERE id = 20);
        UPDATE texts SET text = 'changed' WHERE key = (SELECT key FROM documents WHERE id = 21);
        UPDATE documents SET metadata = '{"id"' WHERE id = 22`),
    );
    const report = await salvage(directory, join(folder, 'segment'));
    expect(report.lost).toEqual([
      { id: 21, key: 22, lost: ['text'] },
      { id: 22, key: 23, lost: ['metadata'] },
    ]);
    expect(report.documents).toBe(size - 3);
  });

  it('writes a text whose vector is lost everywhere to a file, which can be added', async () => {
    const directory = copied((copy) => {
      change('UPDATE vectors SET data = zeroblob(64) WHERE vector = (SELECT vector FROM documents WHERE id = 20)')(
        copy,
      );
      rmSync(join(copy, 'segments'), { recursive: true });
    });
    const target = join(folder, 'texts');
    const report = await salvage(directory, target);
    expect(report).toMatchObject({
      texts: 1,
      textsFile: `${target}.texts.jsonl`,
      lost: [{ id: 20, lost: ['vector'] }],
    });
    const line = JSON.parse(readFileSync(`${target}.texts.jsonl`, 'utf8'));
    expect(line).toEqual({ id: 20, text: textOf(20), metadata: { id: 20 } });
    await using saved = await open(target);
    expect(await saved.addDocuments([line])).toMatchObject({ added: 1 });
    expect(readdirSync(folder).filter((name) => name.includes('.partial-'))).toEqual([]);
  });
});
