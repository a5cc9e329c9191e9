import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type IndexEvent, SemanticIndex } from '../../../src/index.js';
import { sqlite } from '../../../src/store/sqlite/sqlite.js';
import { deterministicProvider } from '../../../src/testing.js';

const dimensions = 16;
const provider = deterministicProvider({ dimensions });
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-unsound-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const documents = Array.from({ length: 100 }, (_, id) => ({ id, text: `text of number ${id}` }));
/** Indexes of these documents, of which each test takes a copy: without a forest, and with one. */
const prepared = mkdtempSync(join(tmpdir(), 'semantic-index-unsound-'));
const [tail, built] = [join(prepared, 'tail'), join(prepared, 'built')];
beforeAll(async () => {
  await using index = await SemanticIndex.open(tail, { provider, ann: { background: false } });
  await index.addDocuments(documents);
  await index.close();
  cpSync(tail, built, { recursive: true, preserveTimestamps: true });
  await using other = await SemanticIndex.open(built, { provider, ann: { background: false } });
  await other.optimize({ full: true });
});
afterAll(() => rmSync(prepared, { recursive: true, force: true }));

const unsound: [string, () => Buffer][] = [
  ['a component that is NaN', () => Buffer.from(new Float32Array(dimensions).fill(0.25).with(3, Number.NaN).buffer)],
  ['an infinite component', () => Buffer.from(new Float32Array(dimensions).fill(0.25).with(3, -Infinity).buffer)],
  ['a component too few', () => Buffer.from(new Float32Array(dimensions - 1).fill(0.25).buffer)],
  ['a byte too many', () => Buffer.alloc(dimensions * 4 + 1, 1)],
  ['no bytes', () => Buffer.alloc(0)],
];

/** Writes other bytes over the stored vectors of some documents. */
function spoil(path: string, data: Buffer, ids: readonly number[]): void {
  const db = new (sqlite())(path);
  const spoiled = db.prepare('UPDATE vectors SET data = ? WHERE vector = (SELECT vector FROM documents WHERE id = ?)');
  for (const id of ids) expect(spoiled.run(data, id).changes).toBe(1);
  db.close();
}

describe.each(unsound.slice(0, 3))('a stored vector with %s', (_, bytes) => {
  it.each([
    ['among documents without a forest', false],
    ['in a segment whose forest has to be built again', true],
  ])('is left out with an event, %s', async (_, isBuilt) => {
    const directory = join(folder, 'index');
    cpSync(isBuilt ? built : tail, directory, { recursive: true, preserveTimestamps: true });
    const ids = [0, 7, 99];
    spoil(join(directory, 'index.db'), bytes(), ids);
    if (isBuilt) rmSync(join(directory, 'segments'), { recursive: true });
    const events: IndexEvent[] = [];
    const onEvent = (event: IndexEvent) => events.push(event);
    await using index = await SemanticIndex.open(directory, { provider, onEvent, ann: { background: false } });
    const found = async () =>
      new Set((await index.search('text', { k: 200, mode: 'vector' })).hits.map(({ id }) => id));
    const sound = new Set(documents.map(({ id }) => id).filter((id) => !ids.includes(id)));
    expect(await found()).toEqual(sound);
    await index.optimize({ full: true });
    expect(await found()).toEqual(sound);
    const named = events.flatMap((event) =>
      event.type === 'damage' && event.error?.code === 'CORRUPT' ? [event] : [],
    );
    expect(named.length).toBeGreaterThan(0);
    for (const { ids: listed } of named) expect(listed).toEqual(ids);
    expect((await index.search('number 7', { k: 3 })).hits.every(({ score }) => Number.isFinite(score))).toBe(true);
    expect(await index.addDocuments(['one more'])).toMatchObject({ added: 1 });
    const { valid, checks } = await index.validate({ level: 'full' });
    expect(valid).toBe(false);
    expect(checks.find(({ check }) => check === 'vectors')).toMatchObject({ passed: false });
    await expect(index.search({ id: 7 })).rejects.toMatchObject({ code: 'CORRUPT', details: { ids: [7] } });
    expect(await index.exportTo(join(folder, 'export'))).toMatchObject({
      documents: 98,
      lost: ids.map((id) => ({ id })),
    });
    // What the hint says.
    await index.rebuild({ from: 'texts' });
    expect((await found()).size).toBe(101);
    expect(await index.validate({ level: 'full' })).toMatchObject({ valid: true });
  });

  it('is embedded again when its text is added under another id', async () => {
    await using index = await SemanticIndex.open(join(folder, 'index'), { provider, ann: { background: false } });
    await index.addDocuments([{ id: 1, text: 'the same text' }]);
    spoil(join(folder, 'index', 'index.db'), bytes(), [1]);
    expect(await index.addDocuments([{ id: 2, text: 'the same text' }])).toMatchObject({ embedded: 1 });
    const { hits } = await index.search('the same text', { mode: 'vector' });
    expect(hits.find(({ id }) => id === 2)?.score).toBeGreaterThan(0.999);
  });
});

describe('a shared cache of embeddings', () => {
  it.each([
    ...unsound,
    ['another length than 1', () => Buffer.from(new Float32Array(dimensions).fill(3).buffer)] as const,
  ])('embeds again what it holds with %s', async (_, bytes) => {
    const path = join(folder, 'shared.db');
    const open = (name: string) =>
      SemanticIndex.open(join(folder, name), {
        provider: deterministicProvider({ dimensions }),
        cache: { embeddings: path },
      });
    const documents = Array.from({ length: 20 }, (_, id) => ({ id, text: `text of number ${id}` }));
    {
      await using index = await open('one');
      await index.addDocuments(documents);
    }
    const db = new (sqlite())(path);
    db.prepare('UPDATE vectors SET data = ? WHERE vector IN (SELECT vector FROM vectors WHERE role = 0 LIMIT 3)').run(
      bytes(),
    );
    db.close();
    for (const [name, embedded] of [
      ['two', 3],
      ['three', 0],
    ] as const) {
      await using index = await open(name);
      expect(await index.addDocuments(documents)).toMatchObject({ added: 20, embedded });
      for (const { id, text } of documents) {
        const {
          hits: [hit],
        } = await index.search(text, { mode: 'vector', k: 1 });
        expect(hit).toMatchObject({ id });
        expect(hit?.score).toBeCloseTo(1, 3);
      }
    }
  });

  it('is named, and not the index, when its file is damaged', async () => {
    const path = join(folder, 'shared.db');
    writeFileSync(path, 'no database at all, and long enough for the header of one. '.repeat(100));
    const options = { provider: deterministicProvider({ dimensions }), cache: { embeddings: path } };
    await using index = await SemanticIndex.open(join(folder, 'index'), options);
    const error = await index.addDocuments(['some text']).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'NOT_AN_INDEX', message: expect.stringContaining(path) });
    expect(error).toMatchObject({ hint: expect.stringContaining('Delete this file') });
  });
});
