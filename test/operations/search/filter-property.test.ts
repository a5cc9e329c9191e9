import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parseFilter } from '../../../src/operations/parse-filter.js';
import { FieldIndexes } from '../../../src/store/catalog/metadata/field-indexes.js';
import { compileFilter, indexedField } from '../../../src/store/catalog/metadata/filter-sql.js';
import { SettingsTable } from '../../../src/store/catalog/settings-table.js';
import { sqlite } from '../../../src/store/sqlite/sqlite.js';
import { metadata, where } from './filter-arbitraries.js';
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
