import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseFilter } from '../../src/operations/parse-filter.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { compileFilter, indexedField } from '../../src/store/catalog/metadata/filter-sql.js';
import { sqlite } from '../../src/store/sqlite/sqlite.js';
import type { Where } from '../../src/types.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semantic-index-fields-'));
});
afterEach(() => rm(folder, { recursive: true }));

const vector = [1, 0, 0];
const books = [
  { id: 1, text: 'a', vector, metadata: { year: 1851, author: { name: 'Melville' }, read: true } },
  { id: 2, text: 'b', vector, metadata: { year: 1861, author: { name: 'Dickens' }, read: false } },
  { id: 3, text: 'c', vector, metadata: { year: null } },
  { id: 4, text: 'd', vector },
];

function plan(where: Where, fields: readonly string[]): string {
  const db = new (sqlite())(join(folder, 'index.db'), { readonly: true });
  const { sql, parameters } = compileFilter(parseFilter(where), new Set(fields));
  const rows = db
    .prepare(`EXPLAIN QUERY PLAN SELECT d.key FROM documents d WHERE ${sql} ORDER BY d.key`)
    .all(...parameters) as { detail: string }[];
  db.close();
  return rows.map(({ detail }) => detail).join('\n');
}

describe('declared fields', () => {
  const fields = { year: 'number', 'author.name': 'string' } as const;

  it('have SQL indexes, which filters use and other processes know', async () => {
    {
      await using index = await SemanticIndex.open(folder, { provider: null, fields });
      await index.addDocuments(books);
      const ids = async (where: Where) => (await index.listDocuments({ where })).documents.map(({ id }) => id);
      expect(await ids({ year: { $gt: 1855 } })).toEqual([2]);
      expect(await ids({ year: null })).toEqual([3, 4]);
      expect(await ids({ 'author.name': { $in: ['Melville', 'Dickens'] } })).toEqual([1, 2]);
      expect(await ids({ year: { $not: { $gt: 1855 } } })).toEqual([1, 3, 4]);
      expect(await ids({ $not: { 'author.name': 'Melville' } })).toEqual([2, 3, 4]);
    }
    expect(plan({ year: { $gt: 1855 } }, Object.keys(fields))).toContain('INDEX field_year');
    expect(plan({ 'author.name': 'Melville' }, Object.keys(fields))).toContain('INDEX field_author.name');
    await using later = await SemanticIndex.open(folder, { provider: null, readonly: true });
    expect((await later.search(vector, { where: { year: 1851 } })).hits.map(({ id }) => id)).toEqual([1]);
  });

  it('can be dropped and declared again', async () => {
    for (const given of [fields, {}, { year: 'number' }] as const) {
      await using index = await SemanticIndex.open(folder, { provider: null, fields: given });
      await index.addDocuments(books);
      expect(await index.count({ where: { year: { $gte: 1851 } } })).toBe(2);
    }
    expect(plan({ year: 1851 }, ['year'])).toContain('INDEX field_year');
    expect(plan({ 'author.name': 'Melville' }, ['author.name'])).not.toContain('INDEX field_author');
  });

  it('refuse other types, and names that are not plain', async () => {
    await using index = await SemanticIndex.open(':memory:', { provider: null, fields });
    await expect(index.addDocuments([{ text: 'e', vector, metadata: { year: '1851' } }])).rejects.toMatchObject({
      code: 'INVALID_METADATA',
    });
    await index.addDocuments(books);
    await expect(index.updateMetadata([{ id: 1, metadata: { author: { name: 3 } } }])).rejects.toMatchObject({
      code: 'INVALID_METADATA',
    });
    for (const bad of [{ "a'b": 'number' }, { 'a b': 'string' }, { year: 'date' }, ['year'], { '': 'number' }]) {
      await expect(SemanticIndex.open(':memory:', { provider: null, fields: bad as never })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }
  });

  it('never let a name stand in SQL that is not plain', () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom("a'b", "a') OR 1=1 --", 'a"b', 'a.b', 'a..b', 'a\nb', 'a;b', 'year'),
    );
    fc.assert(
      fc.property(name, (given) => {
        const path = indexedField(given)?.path;
        if (path !== undefined) expect(path).toMatch(/^\$(\."\w+")+$/);
        // Even if such a name were declared, it would travel as a parameter.
        if (path !== undefined || given.startsWith('$') || given.includes('.')) return;
        expect(compileFilter(parseFilter({ [given]: 1 }), new Set([given])).sql).toBe(
          compileFilter(parseFilter({ x: 1 })).sql,
        );
      }),
      { numRuns: 500 },
    );
  });

  it('find the same with and without an index, whatever the filter', async () => {
    await using plain = await SemanticIndex.open(':memory:', { provider: null });
    await using indexed = await SemanticIndex.open(':memory:', {
      provider: null,
      fields: { x: 'number', y: 'string' },
    });
    const metadata = fc.record(
      { x: fc.option(fc.integer({ min: 0, max: 5 })), y: fc.constantFrom('a', 'b', null) },
      { requiredKeys: [] },
    );
    const operator = fc.constantFrom('$eq', '$ne', '$gt', '$gte', '$lt', '$lte');
    const condition = fc.oneof(
      fc.tuple(fc.constant('x'), operator, fc.integer({ min: 0, max: 5 }), fc.boolean()),
      fc.tuple(fc.constant('y'), operator, fc.constantFrom('a', 'b'), fc.boolean()),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(metadata, { maxLength: 12 }),
        fc.array(condition, { minLength: 1, maxLength: 3 }),
        fc.constantFrom('$and', '$or'),
        async (rows, conditions, connective) => {
          const where: Where = {
            [connective]: conditions.map(([field, sign, value, negated]) => {
              const one = { [field]: { [sign]: value } };
              return negated ? { $not: one } : one;
            }),
          };
          const found = [];
          for (const index of [plain, indexed]) {
            await index.deleteDocuments({ all: true });
            await index.addDocuments(rows.map((row, id) => ({ id, text: `${id}`, vector, metadata: row })));
            found.push((await index.listDocuments({ where })).documents.map(({ id }) => id));
          }
          expect(found[1]).toEqual(found[0]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** A schema as the libraries make them: years as numbers, or as text that is turned into numbers. */
const schema: StandardSchemaV1<{ year: string | number }, { year: number }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async (value) => {
      const year = Number((value as { year?: unknown }).year);
      if (Number.isInteger(year)) return { value: { year } };
      return { issues: [{ message: 'not a year', path: ['year'] }] };
    },
  },
};

describe('schema', () => {
  it('checks and transforms metadata, and gives hits their type', async () => {
    await using index = await SemanticIndex.open(':memory:', { provider: null, schema });
    await index.addDocuments([{ id: 1, text: 'a', vector, metadata: { year: '1851' as never } }]);
    const {
      hits: [hit],
    } = await index.search(vector);
    const year: number | undefined = hit?.metadata.year;
    expect(year).toBe(1851);
    await index.updateMetadata([{ id: 1, metadata: { year: 1900 } }]);
    expect((await index.getDocument(1))?.metadata).toEqual({ year: 1900 });
    for (const metadata of [{ year: 'soon' as never }, undefined]) {
      await expect(index.addDocuments([{ text: 'b', vector, metadata }])).rejects.toMatchObject({
        code: 'INVALID_METADATA',
        details: { issues: [{ path: 'year', message: 'not a year' }] },
      });
    }
    expect(await index.count()).toBe(1);
  });
});

describe('filters', () => {
  it('have the types of the metadata', async () => {
    type Book = { year: number; author: { name: string }; tags: string[]; read?: boolean };
    await using index = await SemanticIndex.open<Book>(':memory:', { provider: null });
    const metadata: Book = { year: 1851, author: { name: 'Melville' }, tags: ['sea'] };
    await index.addDocuments([{ id: 1, text: 'a', vector, metadata }]);
    expect(await index.count({ where: { year: { $gt: 1850 }, 'author.name': { $in: ['Melville'] } } })).toBe(1);
    expect(await index.count({ where: { tags: { $contains: 'sea' }, read: null } })).toBe(1);
    expect(await index.count({ where: { $or: [{ read: true }, { $not: { year: 1 } }] } })).toBe(1);
    // What the compiler refuses finds nothing, at best.
    // @ts-expect-error years are numbers
    expect(await index.count({ where: { year: '1851' } })).toBe(0);
    // @ts-expect-error there is no such field
    expect(await index.count({ where: { yaer: 1851 } })).toBe(0);
    // @ts-expect-error nor this one
    expect(await index.count({ where: { 'author.nmae': 'Melville' } })).toBe(0);
    // @ts-expect-error in a list neither
    expect(await index.count({ where: { $and: [{ year: { $in: ['x'] } }] } })).toBe(0);
    // Any JSON may be asked for anything.
    const untyped = index as unknown as SemanticIndex;
    expect(await untyped.count({ where: { yaer: 1851 } })).toBe(0);
  });

  it.each([undefined, null, {}, { value: undefined }, { value: null }, { value: 'text' }])(
    'names the schema where it returns %j',
    async (result) => {
      const wrong = { '~standard': { version: 1, vendor: 'test', validate: () => result } } as never;
      await using index = await SemanticIndex.open(':memory:', { provider: null, schema: wrong });
      await expect(index.addDocuments([{ id: 'a', text: 'a', vector }])).rejects.toMatchObject({
        code: 'INVALID_METADATA',
        message: expect.stringMatching(/^The schema returned (undefined|null|"text") for the metadata of document 0/),
      });
      expect(await index.count()).toBe(0);
    },
  );
});
