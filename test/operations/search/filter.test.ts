import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { matchesAll } from '../../../src/backend/filter-tree.js';
import { SemanticIndexError } from '../../../src/errors.js';
import { parseFilter } from '../../../src/operations/parse-filter.js';
import { compileFilter } from '../../../src/store/catalog/metadata/filter-sql.js';
import { sqlite } from '../../../src/store/sqlite/sqlite.js';
import type { Metadata, Where } from '../../../src/types.js';

const db = new (sqlite())(':memory:');
db.exec('CREATE TABLE documents (key INTEGER PRIMARY KEY, metadata TEXT)');
afterAll(() => db.close());

function matching(documents: readonly (Metadata | null)[], where: Where): number[] {
  db.exec('DELETE FROM documents');
  const insert = db.prepare('INSERT INTO documents VALUES (?, ?)');
  documents.forEach((metadata, key) => {
    insert.run(key, metadata === null ? null : JSON.stringify(metadata));
  });
  const { sql, parameters } = compileFilter(parseFilter(where));
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

/** As those of messages and posts: a number whose last digits are lost. */
const snowflake = Number('1234567890123456789');

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

  it.each<[string, Where, Metadata, Metadata]>([
    ['a list by one of its elements', { x: 'a' }, { x: ['b', 'a'] }, { x: ['b'] }],
    ['a list by none of its elements', { x: { $ne: 'a' } }, { x: ['b'] }, { x: ['b', 'a'] }],
    ['a list by none of many', { x: { $nin: ['a', 'c'] } }, { x: ['b'] }, { x: ['b', 'c'] }],
    ['a list by one of many', { x: { $in: ['a', 'c'] } }, { x: ['b', 'c'] }, { x: ['b'] }],
    ['a list by an order', { x: { $gt: 5, $lt: 2 } }, { x: [1, 6] }, { x: [3, 4] }],
    ['a list by one element for all', { x: { $elemMatch: { $gt: 5, $lt: 7 } } }, { x: [1, 6] }, { x: [4, 8] }],
    ['a whole list', { x: ['a', 'b'] }, { x: ['a', 'b'] }, { x: ['b', 'a'] }],
    ['a list of lists', { x: ['a', 'b'] }, { x: [['a', 'b']] }, { x: [['a'], 'b'] }],
    ['all of some elements', { x: { $all: ['a', 'b'] } }, { x: ['b', 'c', 'a'] }, { x: ['b', 'c'] }],
    ['the size of a list', { x: { $size: 2 } }, { x: [[], 1] }, { x: [1] }],
    ['the empty list', { x: [] }, { x: [] }, { x: null }],
    ['null in a list', { x: null }, { x: [1, null] }, { x: [1] }],
    ['objects of a list by a field', { 'x.n': 'Ada' }, { x: [{ n: 'Bob' }, { n: 'Ada' }] }, { x: [{ n: 'Bob' }] }],
    [
      'an object of a list by several fields',
      { x: { $elemMatch: { n: 'Ada', year: { $lt: 1900 } } } },
      { x: [{ n: 'Ada', year: 1843 }] },
      {
        x: [
          { n: 'Ada', year: 1980 },
          { n: 'Bob', year: 1843 },
        ],
      },
    ],
    ['objects of a list in which the field is missing', { 'x.n': null }, { x: [{ n: 1 }, {}] }, { x: [{ n: 1 }] }],
    ['an element by its index', { 'x.1': 'b' }, { x: ['a', 'b'] }, { x: ['b', 'a'] }],
    ['a key of digits', { 'x.2024': 7 }, { x: { 2024: 7 } }, { x: [7] }],
    ['a key of digits at the top', { 2024: 'good' }, { 2024: 'good' }, { x: 'good' }],
    ['a key with a dot', { 'service.name': 'api' }, { 'service.name': 'api' }, { service: { nam: 'api' } }],
    ['a key with a dot in an object', { 'x.a.b': 1 }, { x: { 'a.b': 1 } }, { x: { a: { c: 1 } } }],
    ['a long key with dots', { 'www.example.org/a.html#b.c': 1 }, { 'www.example.org/a.html#b.c': 1 }, {}],
    ['an empty key', { '': 1 }, { '': 1 }, {}],
    ['a key with a quote and a backslash', { 'a"\\b': 1 }, { 'a"\\b': 1 }, { a: 1 }],
    ['null, not for a key of digits that is there', { 'x.2024': null }, { x: {} }, { x: { 2024: 7 } }],
    ['a number of 61 bits', { x: snowflake }, { x: snowflake }, { x: 1234567890123457000 }],
    ['2^62 and more', { x: { $gte: 2 ** 62 } }, { x: 2 ** 62 }, { x: 2 ** 62 - 1024 }],
    ['-2^63 and less', { x: { $lte: -(2 ** 63) } }, { x: -(2 ** 63) }, { x: -(2 ** 63) + 2048 }],
    ['a large number in a list', { x: { $contains: 2 ** 60 } }, { x: [2 ** 60] }, { x: [2 ** 60 + 256] }],
    ['-0 as 0', { x: -0 }, { x: 0 }, { x: 1 }],
    ['dates as ISO strings', { x: { $gte: '2024-02-01' } }, { x: '2024-02-01T08:00:00.000Z' }, { x: '2024-01-31' }],
  ])('compares %s', (_, where, matched, other) => {
    expect(matching([matched, other], where)).toEqual([0]);
    expect(matching([matched, other], { $not: where })).toEqual([1]);
  });

  it('counts 500 conditions within limits of SQLite', () => {
    const each = Array.from({ length: 500 }, (_, n) => ({ [`a${n}.b`]: { $ne: n } }));
    expect(matching([{ a7: { b: 7 } }, { a7: { b: 8 } }], { $and: each })).toEqual([1]);
    const long = Array.from({ length: 200_000 }, (_, n) => n);
    expect(matching([{ n: 199_999 }, { n: -1 }], { n: { $in: long } })).toEqual([0]);
  });
});

describe('parseFilter', () => {
  class Tenant {
    tenant = 'a';
  }
  const circle: { $and: unknown[] } = { $and: [] };
  circle.$and.push(circle);

  it.each<[string, unknown, RegExp]>([
    ['an unknown operator', { year: { $gtt: 3 } }, /where\.year\.\$gtt: there is no operator \$gtt/],
    ['an unknown connective', { $nor: [] }, /\$nor.*\$or/],
    ['$regex', { title: { $regex: 'x' } }, /\$regex.*\$contains/],
    ['an operator without its sign', { year: { gt: 3 } }, /Did you mean \$gt\?/],
    ['an operator without a field', { $gt: 3 }, /expected \$gt on a field/],
    ['an object as value', { author: { name: 'Ada' } }, /"author\.name"/],
    ['a comparison with null', { year: { $gt: null } }, /year\.\$gt: expected a string or a number, got null/],
    ['NaN', { year: { $eq: Number.NaN } }, /year\.\$eq: .*got NaN/],
    ['an infinite bound', { year: { $lt: Number.POSITIVE_INFINITY } }, /got Infinity/],
    ['a string', 'lang = en', /expected a filter.*got "lang = en"/],
    ['null', null, /got null/],
    ['a list', [{ lang: 'en' }], /got an array of 1/],
    ['a Map', new Map([['lang', 'en']]), /got a Map/],
    ['URLSearchParams', new URLSearchParams('lang=en'), /got a URLSearchParams/],
    ['a promise', Promise.resolve({ lang: 'en' }), /got a Promise.*await/],
    ['an instance of a class', new Tenant(), /got a Tenant/],
    ['an object with inherited members', Object.create({ tenant: 'a' }), /expected a filter/],
    ['a member named by a symbol', { [Symbol('or')]: [] }, /Symbol\(or\)/],
    ['a function', () => ({ lang: 'en' }), /got a function/],
    ['undefined', { tenant: undefined }, /where\.tenant: expected a value, got undefined/],
    ['undefined beside another member', { lang: 'en', tenant: undefined }, /where\.tenant/],
    ['undefined in $and', { $and: [{ tenant: undefined }] }, /where\.\$and\[0\]\.tenant/],
    ['undefined as a filter of $or', { $or: [{ lang: 'en' }, undefined] }, /where\.\$or\[1\].*undefined/],
    // biome-ignore lint/suspicious/noSparseArray: that is the case.
    ['a hole in $or', { $or: [, { lang: 'en' }] }, /where\.\$or\[0\].*undefined/],
    ['undefined as $and', { $and: undefined }, /where\.\$and/],
    ['undefined as $not', { $not: undefined }, /where\.\$not/],
    ['an operand that is undefined', { year: { $gte: undefined } }, /where\.year\.\$gte/],
    ['an operand that is undefined beside another', { year: { $gte: 1, $lt: undefined } }, /where\.year\.\$lt/],
    ['undefined in $in', { tenant: { $in: ['a', undefined] } }, /where\.tenant\.\$in\[1\]/],
    ['undefined in a list', { tags: ['a', undefined] }, /where\.tags\[1\]/],
    ['undefined in $all', { tags: { $all: [undefined] } }, /where\.tags\.\$all\[0\]/],
    ['undefined in $elemMatch', { tags: { $elemMatch: { n: undefined } } }, /where\.tags\.\$elemMatch\.n/],
    ['undefined in $not', { tags: { $not: { $eq: undefined } } }, /where\.tags\.\$not\.\$eq/],
    ['a Date', { created: new Date(0) }, /got a Date.*toISOString/],
    ['a Date as a bound', { created: { $gte: new Date(0) } }, /got a Date.*toISOString/],
    ['a Set', { tags: new Set(['a']) }, /got a Set.*\$in/],
    ['a RegExp', { title: /x/ }, /got a RegExp.*\$contains/],
    ['a BigInt', { n: 5n }, /got the BigInt 5/],
    ['a BigInt in a list', { n: { $in: [1, 5n] } }, /n\.\$in\[1\].*BigInt/],
    ['bytes', { n: Buffer.from('a') }, /got a Buffer/],
    ['a field without condition', { year: {} }, /expected a condition/],
    ['several elements for $contains', { tags: { $contains: ['a'] } }, /\$all.*\$contains/],
    ['a list within $in', { tags: { $in: [['a']] } }, /\$in\[0\].*\$or/],
    ['a size that is not an integer', { tags: { $size: 1.5 } }, /expected a number of elements, got 1\.5/],
    ['$exists with a string', { x: { $exists: 'no' } }, /expected true or false, got "no"/],
    ['a circle', circle, /at most 32 levels/],
    ['501 conditions', { $or: Array.from({ length: 501 }, () => ({ x: 1 })) }, /at most 500 conditions.*\$in/],
    ['2000 fields', Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`f${n}`, n])), /at most 500 conditions/],
    ['a name of nine steps', { 'a.b.c.d.e.f.g.h.i': 1 }, /at most 8 steps, got 9/],
    ['many long names', { $or: Array.from({ length: 100 }, () => ({ 'a.0.1.2': 1 })) }, /more than 2000 places/],
  ])('refuses %s', (_, where, said) => {
    try {
      parseFilter(where);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVALID_FILTER' });
      const { message, hint } = error as SemanticIndexError;
      expect(`${message} | ${hint}`).toMatch(said);
    }
  });

  it.each<[unknown]>([
    [{ year: '2020' }],
    [{ year: { $gte: '2000' } }],
    [{ year: { $in: [2020, '2020'] } }],
    [{ year: { $not: { $eq: true } } }],
    [{ year: { $contains: '20' } }],
    [{ year: { $size: 1 } }],
    [{ year: [2020] }],
    [{ $not: { $or: [{ 'author.name': 5 }] } }],
    [{ read: 1 }],
    [{ author: { $elemMatch: { name: 5 } } }],
  ])('refuses %j where the field is declared with another type', (where) => {
    const declared = new Map([
      ['year', 'number'],
      ['author.name', 'string'],
      ['read', 'boolean'],
    ] as const);
    expect(() => parseFilter(where, declared)).toThrowError(/declared/);
    expect(
      parseFilter({ year: { $in: [2020, null] }, 'author.name': 'Ada', read: { $ne: true } }, declared),
    ).toBeDefined();
  });

  it('takes objects of other realms and objects without prototype', () => {
    const bare = Object.assign(Object.create(null), { lang: 'en' });
    for (const where of [bare, runInNewContext('({ lang: "en" })'), JSON.parse('{ "lang": "en" }')]) {
      expect(matching(documents, where)).toEqual([0, 2]);
    }
    expect(matching([JSON.parse('{ "__proto__": 1 }'), {}], JSON.parse('{ "__proto__": 1 }'))).toEqual([0]);
  });

  it('suggests the operator that was meant', () => {
    try {
      parseFilter({ year: { $gtee: 3 } });
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
        if (name.startsWith('$') || name.split('.').length > 8) {
          expect(() => parseFilter({ [name]: value })).toThrowError(SemanticIndexError);
          return;
        }
        expect(matching(documents, { [name]: value })).toEqual([]);
        expect(matching([{ [name]: value }, { other: value }], { [name]: value })).toEqual([0]);
      }),
      { numRuns: 500 },
    );
  });
});

describe('matchesAll', () => {
  it('recognizes the filters that match everything by their form', () => {
    const all = [{}, { $and: [] }, { $and: [{}, { $and: [{}] }] }, { $or: [{ x: 1 }, {}] }, { $not: { $or: [] } }];
    for (const where of [...all, { x: { $nin: [] } }, { $not: { x: { $in: [] } } }, { x: { $not: { $all: [] } } }]) {
      expect(matchesAll(parseFilter(where))).toBe(true);
    }
    for (const where of [{ x: 1 }, { $or: [] }, { $not: {} }, { $and: [{}, { x: null }] }, { x: { $in: [] } }]) {
      expect(matchesAll(parseFilter(where))).toBe(false);
    }
  });
});
