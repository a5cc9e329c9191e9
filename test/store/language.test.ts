import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenOptions, SemanticIndex } from '../../src/index.js';
import { sqlite } from '../../src/store/sqlite/sqlite.js';
import { deterministicProvider } from '../../src/testing.js';

const documents = [
  { id: 'haus', text: 'Unsere Häuser werden mit Fernwärme beheizt.', metadata: {} },
  { id: 'house', text: 'The houses are heated with gas, and they are warm.', metadata: {} },
  { id: 'cheval', text: 'Les chevaux courent dans le pré avec les élèves.', metadata: {} },
  { id: 'doroga', text: 'Зимой горные дороги часто закрыты.', metadata: {} },
];
const fillers = Array.from({ length: 400 }, (_, n) => ({
  id: `filler ${n}`,
  text: `The note has number ${n} of all.`,
}));

describe('the language of an index', () => {
  let folder: string;
  let embedded = 0;
  const provider = deterministicProvider({ dimensions: 8 });
  const counting = {
    ...provider,
    embed: (...args: Parameters<typeof provider.embed>) => {
      if (args[1]?.role === 'document') embedded += args[0].length;
      return provider.embed(...args);
    },
  };
  const open = (options: Partial<OpenOptions> = {}): Promise<SemanticIndex> =>
    SemanticIndex.open(join(folder, 'index'), { provider: counting, ann: { sealAt: 100, threads: 1 }, ...options });
  const idsOf = async (index: SemanticIndex, query: string): Promise<unknown[]> =>
    (await index.search(query, { mode: 'text' })).hits.map(({ id }) => id);

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'semantic-index-language-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('decides how words are found, and another one has them indexed again without embedding', async () => {
    let index = await open({ language: 'en' });
    await index.addDocuments([...documents.slice(0, 2), ...fillers]);
    await index.optimize();
    await index.addDocuments(documents.slice(2));
    expect(await idsOf(index, 'Haus')).toEqual([]);
    expect(await idsOf(index, 'cheval')).toEqual([]);
    expect((await idsOf(index, 'house'))[0]).toBe('house');
    const before = embedded;

    // Another process, which has it open meanwhile.
    const other = await open();
    expect(await idsOf(other, 'Haus')).toEqual([]);
    await index.close();
    const repaired: string[] = [];
    index = await open({
      language: 'auto',
      onEvent: ({ type, message }) => type === 'repair' && repaired.push(message),
    });
    for (const one of [index, other]) {
      expect(await idsOf(one, 'Haus')).toEqual(['haus']);
      expect(await idsOf(one, 'cheval')).toEqual(['cheval']);
      expect(await idsOf(one, 'дорога')).toEqual(['doroga']);
      expect((await idsOf(one, 'house'))[0]).toBe('house');
    }
    await other.close();
    await expect.poll(() => repaired.length, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(await idsOf(index, 'Haus')).toEqual(['haus']);
    expect((await index.validate({ level: 'full' })).checks.filter(({ passed }) => !passed)).toEqual([]);
    expect(embedded).toBe(before);
    await index.close();

    index = await open();
    expect(await idsOf(index, 'Haus')).toEqual(['haus']);
    await index.close();
    index = await open({ language: 'de' });
    expect(await idsOf(index, 'Haus')).toEqual(['haus']);
    expect(await idsOf(index, 'cheval')).toEqual([]);
    await index.addDocuments([{ id: 'pferd', text: 'Pferde und Häuser' }]);
    expect((await idsOf(index, 'Häusern')).sort()).toEqual(['haus', 'pferd']);
    await index.close();
  });

  it('refuses unknown languages with the list, and any change when it is read only', async () => {
    for (const language of ['xx', 'german', '']) {
      await expect(open({ language })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(JSON.stringify(language)),
        hint: expect.stringContaining('de, el'),
      });
    }
    await expect(open({ language: 7 as never })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(open({ languageField: '' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(open({ languageField: 7 as never })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(open({ language: 'fr', readonly: true })).rejects.toMatchObject({ code: 'READ_ONLY' });
    await (await open({ language: 'de', readonly: true })).close();
  });

  it('analyzes an index without exact forms again when it is opened, and searches it as it is when it is read only', async () => {
    const database = new (sqlite())(join(folder, 'index', 'index.db'));
    const setting = "SELECT value FROM settings WHERE name = 'analysis'";
    const now = String(database.prepare(setting).pluck().get());
    expect(JSON.parse(now)).toEqual({ language: 'de', exactForms: true });
    database.prepare("UPDATE settings SET value = ? WHERE name = 'analysis'").run(JSON.stringify({ language: 'de' }));
    const readonly = await open({ readonly: true });
    expect((await idsOf(readonly, 'Häusern')).sort()).toEqual(['haus', 'pferd']);
    await readonly.close();
    expect(database.prepare(setting).pluck().get()).not.toBe(now);
    const index = await open();
    expect((await idsOf(index, 'Häusern')).sort()).toEqual(['haus', 'pferd']);
    await index.close();
    expect(database.prepare(setting).pluck().get()).toBe(now);
    database.close();
  });
});

describe('the language of a document', () => {
  it('is that which its metadata names, also after that has changed', async () => {
    const index = await SemanticIndex.open(':memory:', {
      provider: deterministicProvider({ dimensions: 8 }),
      language: 'en',
      languageField: 'lang',
    });
    const found = async (query: string): Promise<unknown[]> =>
      (await index.search(query, { mode: 'text' })).hits.map(({ id }) => id);
    await index.addDocuments([
      { id: 1, text: 'Häuser', metadata: { lang: 'de-AT' } },
      { id: 2, text: 'journaux', metadata: { lang: 'fr' } },
      { id: 3, text: 'houses Häuser', metadata: { other: 1 } },
    ]);
    expect(await found('Haus')).toEqual([1]);
    expect(await found('journal')).toEqual([2]);
    expect(await found('house')).toEqual([3]);
    expect((await found('Häuser')).sort()).toEqual([1, 3]);
    await index.updateMetadata([{ id: 3, metadata: { lang: 'de' } }]);
    expect((await found('Haus')).sort()).toEqual([1, 3]);
    await index.addDocuments([{ id: 1, text: 'Häuser', metadata: { lang: 'en' } }]);
    expect(await found('Haus')).toEqual([3]);
    expect(await index.count()).toBe(3);
    await expect(index.addDocuments([{ id: 9, text: 'x', metadata: { lang: 'klingon' } }])).rejects.toMatchObject({
      code: 'INVALID_METADATA',
      hint: expect.stringContaining('de, el'),
    });
    await expect(index.updateMetadata([{ id: 3, metadata: { lang: 5 } }])).rejects.toMatchObject({
      code: 'INVALID_METADATA',
    });
    await index.close();
  });
});
