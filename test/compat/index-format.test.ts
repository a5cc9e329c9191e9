import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deterministicProvider } from '../../src/embed/testing/deterministic-provider.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { currentFormat } from '../../src/store/catalog/schema.js';
import { sqlite } from '../../src/store/sqlite/sqlite.js';
import type { DocumentId, IndexEvent } from '../../src/types.js';
import { expectExhaustive } from '../store/text-oracle.js';

const fixtures = fileURLToPath(new URL('./fixtures/', import.meta.url));
/** Formats of earlier versions, each written by test/compat/write-index-fixture.mjs of its time. */
const formats = readdirSync(fixtures).flatMap((name) => /^index-format-(\d+)$/.exec(name)?.[1] ?? []);
const options = { provider: deterministicProvider({ dimensions: 8 }), ann: { background: false } };

let directory: string;
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'semantic-index-format-')), 'index');
});
afterEach(() => rmSync(join(directory, '..'), { recursive: true, force: true }));

function catalog<T>(read: (db: Database) => T): T {
  const db = new (sqlite())(join(directory, 'index.db'));
  try {
    return read(db);
  } finally {
    db.close();
  }
}
const formatOf = () => catalog((db) => db.pragma('user_version', { simple: true }));
const schemaOf = () =>
  catalog((db) => db.prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name").all());

describe.each(formats.map((format) => [Number(format)]))('an index of format %i', (format) => {
  beforeEach(() => cpSync(join(fixtures, `index-format-${format}`), directory, { recursive: true }));

  it('opens, is migrated to the current format, and returns the same results', async () => {
    expect(formatOf()).toBe(format);
    const events: IndexEvent[] = [];
    const index = await SemanticIndex.open(directory, { ...options, onEvent: (event) => events.push(event) });
    try {
      expect(await index.count()).toBe(57);
      expect(await index.getDocument(2)).toEqual({ id: 2, text: 'a text that was changed', metadata: { n: 2 } });
      expect(await index.getDocuments([4, 'name 5', 44, 'name 7'])).toEqual([
        undefined,
        undefined,
        undefined,
        undefined,
      ]);
      expect(await index.getDocument('name 9')).toEqual({
        id: 'name 9',
        text: 'text 9 about word9 und Größe 1',
        metadata: { n: 9, tag: 'green', nested: { flag: true } },
      });
      const {
        hits: [byWords],
      } = await index.search('GRÖSSE 3 word9', { k: 3, mode: 'text' });
      expect(byWords?.text).toContain('word9');
      for (const id of ['name 9', 20, 58, 2]) {
        const text = (await index.getDocument(id))?.text as string;
        const {
          hits: [hit],
        } = await index.search(text, { k: 1, mode: 'vector' });
        expect(hit).toMatchObject({ id, score: expect.closeTo(1, 5) });
      }
      const {
        hits: [given],
      } = await index.search([1, 0, 0, 0, 0, 0, 0, 0], { k: 1 });
      expect(given).toMatchObject({ id: 'given', score: 1 });
      const { hits: red } = await index.search('word2', { k: 100, where: { tag: 'red', 'nested.flag': true } });
      expect(red.map(({ id }) => id).sort()).toEqual([12, 18, 24, 36, 42, 48, 54, 6]);
      // The segments are used as they are: nothing had to be derived again.
      const { segments } = await index.stats();
      expect(segments[0]).toMatchObject({ items: 37, dead: 1, damaged: false });
      expect(segments.filter(({ damaged }) => damaged)).toEqual([]);
      const { checks } = await index.validate({ level: 'full' });
      // Format 1 knew no graph indexes, and those of format 2 are of an older version; terms and columns are stored since format 4.
      const faults = checks.filter(
        ({ check, passed, message }) =>
          !passed &&
          !message.includes('another version of the format') &&
          !(format < 4 && /terms$|^columns$/.test(check)),
      );
      expect(faults).toEqual([]);
      expect(events.filter(({ type }) => type === 'damage' || type === 'error')).toEqual([]);
      expect(events.some(({ type }) => type === 'terms-missing')).toBe(format < 4);
      expect(events.some(({ type }) => type === 'columns-missing')).toBe(format < 4);
      await index.addDocuments(['and it goes on']);
      await index.optimize({ full: true });
      expect(await index.count()).toBe(58);
    } finally {
      await index.close();
    }
    expect(formatOf()).toBe(currentFormat);
  });

  it('has the same tables afterwards as a new index', async () => {
    await (await SemanticIndex.open(directory, options)).close();
    const migrated = schemaOf();
    rmSync(directory, { recursive: true });
    await (await SemanticIndex.open(directory, options)).close();
    expect(migrated).toEqual(schemaOf());
  });

  it.skipIf(format === currentFormat)('is left unchanged by a read-only open, which fails with a hint', async () => {
    await expect(SemanticIndex.open(directory, { ...options, readonly: true })).rejects.toMatchObject({
      code: 'READ_ONLY',
      hint: expect.stringContaining('migrates'),
    });
    expect(formatOf()).toBe(format);
  });

  it('is migrated once when several processes open it at the same time', async () => {
    const opened = await Promise.all(Array.from({ length: 4 }, () => SemanticIndex.open(directory, options)));
    expect(await Promise.all(opened.map((index) => index.count()))).toEqual([57, 57, 57, 57]);
    await Promise.all(opened.map((index) => index.close()));
    expect(formatOf()).toBe(currentFormat);
  });
});

describe('an index of format 3 with segments, deletions and a tail', () => {
  beforeEach(() => cpSync(join(fixtures, 'segments-format-3'), directory, { recursive: true }));

  async function textsOf(index: SemanticIndex): Promise<Map<DocumentId, string>> {
    const { documents } = await index.listDocuments({ limit: 1_000 });
    return new Map(documents.map(({ id, text }) => [id, text]));
  }

  it('answers searches by text at once, as the score of every document does', async () => {
    const events: IndexEvent[] = [];
    await using index = await SemanticIndex.open(directory, {
      ann: { background: false },
      // Its terms come from the texts: no model is asked.
      provider: null,
      onEvent: (event) => events.push(event),
    });
    const texts = await textsOf(index);
    expect(texts.size).toBeGreaterThan(280);
    await expectExhaustive(index, texts);
    expect(events.map(({ type }) => type).sort()).toEqual([
      ...['columns-missing', 'columns-missing'],
      ...['terms-missing', 'terms-missing', 'terms-missing'],
    ]);
    const { hits } = await index.search('GENEROUSLY 東京', { mode: 'text', where: { n: { $exists: true } } });
    expect(hits.length).toBeGreaterThan(0);
    for (const { text } of hits) expect(text).toMatch(/generously|東京/);
  });

  it('stores its terms and columns in the background, and answers the same afterwards', async () => {
    const events: IndexEvent[] = [];
    {
      await using index = await SemanticIndex.open(directory, {
        provider: null,
        onEvent: (event) => events.push(event),
      });
      await expect.poll(() => events.filter(({ type }) => type === 'repair').length, { timeout: 20_000 }).toBe(4);
      await expectExhaustive(index, await textsOf(index));
      const isMissing = async () =>
        (await index.validate()).checks.some(({ check, passed }) => /terms$|^columns$/.test(check) && !passed);
      await expect.poll(isMissing, { timeout: 20_000 }).toBe(false);
    }
    events.length = 0;
    await using index = await SemanticIndex.open(directory, {
      ann: { background: false },
      provider: null,
      readonly: true,
      onEvent: (event) => events.push(event),
    });
    await expectExhaustive(index, await textsOf(index));
    expect(events).toEqual([]);
    const { hits } = await index.search([0, 1, 0, 0, 0, 0, 0, 0], { k: 1 });
    expect(hits).toMatchObject([{ id: 'empty' }]);
  });
});

it('there is a fixture of every format before the current one', () => {
  for (let format = 1; format < currentFormat; format++) expect(formats).toContain(String(format));
});
