import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parseFilter } from '../../../src/operations/parse-filter.js';
import { FieldIndexes } from '../../../src/store/catalog/field-indexes.js';
import { compileFilter, indexedField } from '../../../src/store/catalog/filter-sql.js';
import { SettingsTable } from '../../../src/store/catalog/settings-table.js';
import { sqlite } from '../../../src/store/sqlite/sqlite.js';
import { matches } from './filter-oracle.js';

/** Runs of each property; more of them find rarer shapes. */
const runs = Number(process.env.SEMANTIC_INDEX_PROPERTY_RUNS ?? 250);

const declared = ['a', 'b', 'a.b', 'a.b.c'];
const plain = table([]);
const indexed = table(declared);
afterAll(() => {
  plain.close();
  indexed.close();
});

type Db = InstanceType<ReturnType<typeof sqlite>>;

/** Documents without an index, and with the SQL indexes of declared fields. */
function table(fields: readonly string[]): Db {
  const db = new (sqlite())(':memory:');
  db.exec('CREATE TABLE documents (key INTEGER PRIMARY KEY, metadata TEXT) STRICT');
  db.exec('CREATE TABLE settings (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID');
  new FieldIndexes(db, new SettingsTable(db)).declare(
    Object.fromEntries(
      fields.map((name) => {
        const field = indexedField(name);
        return [name, { type: 'number', path: field?.path ?? '', irregular: field?.irregular?.('') ?? null }];
      }),
    ),
  );
  return db;
}

function fill(db: Db, rows: readonly string[]): void {
  db.exec('DELETE FROM documents');
  const insert = db.prepare('INSERT INTO documents VALUES (?, ?)');
  for (const [key, row] of rows.entries()) insert.run(key, row === '{}' ? null : row);
}

function matching(db: Db, where: object, fields: readonly string[]): number[] {
  const { sql, parameters } = compileFilter(parseFilter(where), new Set(fields));
  const found = db.prepare(`SELECT d.key FROM documents d WHERE ${sql} ORDER BY d.key`).pluck();
  return found.all(...parameters) as number[];
}

const number = fc.oneof(
  fc.constantFrom(0, -0, 1, 2, -1, 0.1, 2.5, 1e21, 5e-324, 1.7976931348623157e308),
  fc.constantFrom(2 ** 53, 2 ** 53 + 2, 2 ** 62, -(2 ** 62), 2 ** 62 + 1024, 2 ** 63, -(2 ** 63), 2 ** 64),
  fc.constantFrom(
    ...['1234567890123456789', '1234567890123457000', '9223372036854774784', '1e18', '1.2345e20'].map(Number),
  ),
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const string = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'ab',
    '',
    '1',
    '0',
    'true',
    'null',
    'é',
    'e\u0301',
    '😀',
    '\uffff',
    'a\u0000b',
    'a"b',
    '\\',
    '[1]',
  ),
  fc.constantFrom('2024-01-01T00:00:00.000Z', '2024-06-01', '$eq', '%', '\ud800'),
  fc.string({ unit: 'binary', maxLength: 3 }),
);
const scalar = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(1, 2, 'a', 'b') },
  number,
  string,
  fc.boolean(),
  fc.constant(null),
);
const key = fc.constantFrom(
  'a',
  'b',
  'c',
  '0',
  '1',
  '2024',
  'a.b',
  'b.c',
  'a.b.c',
  'a.0',
  'b.',
  '.a',
  '',
  'x y',
  'a"b',
  'a\\b',
  'é',
  '[0]',
  '-1',
  '00',
  'a.b.c.d.e',
  'toString',
  '\n',
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4, depthSize: 'small' }, scalar, tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 3 }),
  object: fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
}));
const metadata = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true });

const field = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'c',
    '0',
    '2024',
    'a.b',
    'b.c',
    'a.b.c',
    'a.0',
    'a.0.b',
    'b.1',
    'b.1.0',
    'a.2024',
    'b.',
    '.a',
    'x y',
  ),
  fc.constantFrom(
    '',
    'a"b',
    'a\\b',
    'é',
    '[0]',
    'a.[0]',
    'a.-1',
    'a.00',
    '0.0',
    'a.b.c.d',
    'a.b.c.d.e',
    'a.b.0.c.1',
    'toString',
    'a.length',
    '\n',
    'a.',
  ),
);
const scalars = fc.array(scalar, { maxLength: 3 });
const { list } = fc.letrec((tie) => ({
  list: fc.array(fc.oneof({ depthSize: 'small', maxDepth: 2 }, scalar, tie('list')), { maxLength: 3 }),
}));
/** In `$elemMatch` a `$not` at the beginning is one of the element itself. */
function isOfObjects(where: unknown): boolean {
  return Object.keys(where as object)[0] !== '$not';
}

const ordered = fc.oneof(number, string, fc.constantFrom(1, 'a'));
const { where } = fc.letrec<{ where: object; conditions: object }>((tie) => ({
  conditions: fc
    .array(
      fc.oneof(
        fc.record({ $eq: fc.oneof(scalar, list) }),
        fc.record({ $ne: fc.oneof(scalar, list) }),
        fc.record({ $in: scalars }),
        fc.record({ $nin: scalars }),
        ...['$gt', '$gte', '$lt', '$lte'].map((sign) => fc.record({ [sign]: ordered })),
        fc.record({ $exists: fc.boolean() }),
        fc.record({ $contains: scalar }),
        fc.record({ $all: fc.array(fc.oneof(scalar, list), { maxLength: 2 }) }),
        fc.record({ $size: fc.nat({ max: 3 }) }),
        fc.record({ $elemMatch: fc.oneof({ maxDepth: 2 }, tie('conditions'), tie('where').filter(isOfObjects)) }),
        fc.record({ $not: tie('conditions') }),
      ),
      { minLength: 1, maxLength: 2 },
    )
    .map((all) => Object.assign({}, ...all)),
  where: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.dictionary(field, fc.oneof(scalar, list, tie('conditions')), { maxKeys: 2, noNullPrototype: true }),
    fc.record({ $and: fc.array(tie('where'), { maxLength: 3 }) }),
    fc.record({ $or: fc.array(tie('where'), { maxLength: 3 }) }),
    fc.record({ $not: tie('where') }),
  ),
}));

describe('compiled filters', () => {
  it('match what a JavaScript predicate matches, with declared fields and without', () => {
    let [pairs, matched] = [0, 0];
    fc.assert(
      fc.property(
        fc.array(metadata, { minLength: 1, maxLength: 6 }),
        fc.array(where, { minLength: 1, maxLength: 4 }),
        (documents, filters) => {
          const rows = documents.map((document) => JSON.stringify(document));
          fill(plain, rows);
          fill(indexed, rows);
          for (const filter of filters) {
            const expected = rows.flatMap((row, position) =>
              matches(JSON.parse(row), filter as never) ? [position] : [],
            );
            expect(matching(plain, filter, [])).toEqual(expected);
            expect(matching(indexed, filter, declared)).toEqual(expected);
            pairs += rows.length;
            matched += expected.length;
          }
        },
      ),
      { numRuns: runs },
    );
    if (process.env.SEMANTIC_INDEX_PROPERTY_RUNS !== undefined) console.log(`${pairs} pairs, ${matched} matched`);
    // Neither nothing nor everything: the filters tell documents apart.
    expect(matched / pairs).toBeGreaterThan(0.1);
    expect(matched / pairs).toBeLessThan(0.9);
  });
});
