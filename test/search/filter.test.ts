import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { SemanticIndexError } from '../../src/errors.js';
import { compileFilter } from '../../src/search/filter.js';
import { sqlite } from '../../src/store/sqlite.js';
import type { Metadata, Where } from '../../src/types.js';

const db = new (sqlite())(':memory:');
db.exec('CREATE TABLE documents (key INTEGER PRIMARY KEY, metadata TEXT)');
afterAll(() => db.close());

function matching(documents: readonly (Metadata | null)[], where: Where): number[] {
  db.exec('DELETE FROM documents');
  const insert = db.prepare('INSERT INTO documents VALUES (?, ?)');
  documents.forEach((metadata, key) => {
    insert.run(key, metadata === null ? null : JSON.stringify(metadata));
  });
  const { sql, parameters } = compileFilter(where);
  return db
    .prepare(`SELECT d.key FROM documents d WHERE ${sql} ORDER BY d.key`)
    .pluck()
    .all(...parameters) as number[];
}

const documents: (Metadata | null)[] = [
  { lang: 'en', year: 2020, tags: ['a', 'b'], author: { name: 'Ada' }, draft: true },
  { lang: 'de', year: 2021.5, tags: [], author: { name: 'Bob' }, draft: false },
  { lang: 'en', year: '2022', note: null },
  {},
  null,
];

describe('compileFilter', () => {
  it.each<[string, Where, number[]]>([
    ['equality', { lang: 'en' }, [0, 2]],
    ['two fields', { lang: 'en', year: 2020 }, [0]],
    ['a nested field', { 'author.name': 'Bob' }, [1]],
    ['booleans', { draft: false }, [1]],
    ['null means null or missing', { note: null }, [0, 1, 2, 3, 4]],
    ['$ne also holds where the field is missing', { lang: { $ne: 'en' } }, [1, 3, 4]],
    ['$in over types', { year: { $in: [2020, '2022'] } }, [0, 2]],
    ['$in of nothing', { year: { $in: [] } }, []],
    ['$nin', { year: { $nin: [2020, '2022'] } }, [1, 3, 4]],
    ['numbers compare with numbers only', { year: { $gt: 2020 } }, [1]],
    ['a range', { year: { $gte: 2020, $lt: 2021 } }, [0]],
    ['strings compare with strings only', { year: { $lte: '3' } }, [2]],
    ['$exists', { note: { $exists: true } }, [2]],
    ['$exists false', { lang: { $exists: false } }, [3, 4]],
    ['$contains in an array', { tags: { $contains: 'b' } }, [0]],
    ['$contains in a string', { 'author.name': { $contains: 'o' } }, [1]],
    ['$not', { $not: { lang: 'en' } }, [1, 3, 4]],
    ['$not on a field', { year: { $not: { $gt: 2020 } } }, [0, 2, 3, 4]],
    ['$or', { $or: [{ lang: 'de' }, { draft: true }] }, [0, 1]],
    ['$and of nothing', { $and: [] }, [0, 1, 2, 3, 4]],
    ['$or of nothing', { $or: [] }, []],
    ['an empty filter', {}, [0, 1, 2, 3, 4]],
  ])('%s', (_, where, expected) => {
    expect(matching(documents, where)).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ['an unknown operator', { year: { $gtt: 3 } }],
    ['an unknown connective', { $nor: [] }],
    ['an array as value', { lang: ['en'] }],
    ['a comparison with null', { year: { $gt: null } }],
    ['NaN', { year: { $eq: Number.NaN } }],
    ['an empty name', { '': 1 }],
    ['a name with a quote', { 'a"b': 1 }],
    ['no object', 'lang = en'],
    ['a field without condition', { year: {} }],
  ])('refuses %s', (_, where) => {
    expect(() => compileFilter(where as Where)).toThrowError(SemanticIndexError);
  });

  it('suggests the operator that was meant', () => {
    try {
      compileFilter({ year: { $gtee: 3 } } as unknown as Where);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVALID_FILTER', hint: 'Did you mean $gte?' });
    }
  });

  it('never lets a field name or a value be read as SQL', () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom("') OR 1=1 --", "'; DROP TABLE documents; --", '$."a"', 'a.b[0]', '?', '??', '\\', '%', '`x`'),
    );
    fc.assert(
      fc.property(nasty, nasty, (name, value) => {
        if (name === '' || name.startsWith('$') || /["\\\p{Cc}]/u.test(name) || name.split('.').includes('')) {
          expect(() => compileFilter({ [name]: value })).toThrowError(SemanticIndexError);
          return;
        }
        expect(matching(documents, { [name]: value })).toEqual([]);
        if (/^\d+$|[.]/.test(name)) return;
        expect(matching([{ [name]: value }, { other: value }], { [name]: value })).toEqual([0]);
      }),
      { numRuns: 500 },
    );
  });

  it('agrees with plain JavaScript on random filters', () => {
    const scalar = fc.constantFrom<string | number | boolean | null>('a', 'b', 1, 2, 2.5, true, false, null);
    const metadata = fc.dictionary(fc.constantFrom('x', 'y'), scalar, { maxKeys: 2 });
    const condition = fc.record({
      field: fc.constantFrom('x', 'y'),
      operator: fc.constantFrom('$eq', '$ne', '$gt', '$lte'),
      value: scalar,
    });
    fc.assert(
      fc.property(
        fc.array(metadata, { maxLength: 8 }),
        fc.array(condition, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (rows, conditions, any) => {
          const usable = conditions.filter(
            ({ operator, value }) => /eq|ne/.test(operator) || (typeof value !== 'boolean' && value !== null),
          );
          const where = {
            [any ? '$or' : '$and']: usable.map(({ field, operator, value }) => ({ [field]: { [operator]: value } })),
          };
          const holds = (
            row: Record<string, unknown>,
            { field, operator, value }: (typeof usable)[number],
          ): boolean => {
            const found = row[field] ?? null;
            if (operator === '$eq') return found === value;
            if (operator === '$ne') return found !== value;
            if (typeof found !== typeof value) return false;
            return operator === '$gt' ? (found as number) > (value as number) : (found as number) <= (value as number);
          };
          const expected = rows.flatMap((row, key) =>
            usable[any ? 'some' : 'every']((one) => holds(row, one)) ? [key] : [],
          );
          expect(matching(rows, where as Where)).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });
});
