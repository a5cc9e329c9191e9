import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  compactColumns,
  createColumns,
  filterColumns,
  openColumns,
  snapshotOf,
  validateColumns,
  writeColumns,
} from '../../src/columns/columns.js';
import { compileFilterProgram } from '../../src/columns/filter-program.js';
import { parseFilter } from '../../src/operations/parse-filter.js';
import { metadata, where } from '../operations/search/filter-arbitraries.js';
import { matches } from '../operations/search/filter-oracle.js';
import { denseMetadata, denseWhere } from './dense-arbitraries.js';
import { firstKey, hasItem, pack } from './packs.js';

/** Runs of each property; more of them find rarer shapes. */
const runs = Number(process.env.SEMANTIC_INDEX_PROPERTY_RUNS ?? 250);
const directory = mkdtempSync(join(tmpdir(), 'semantic-index-columns-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Tally {
  pairs: number;
  matched: number;
  undecided: number;
}

/** Compares each document with the predicate: what is certain matches, and what is not possible does not. */
async function compare(
  columns: ReturnType<typeof createColumns>,
  rows: readonly string[],
  filter: object,
  tally: Tally,
) {
  const snapshot = snapshotOf(columns);
  const [found] = await filterColumns([snapshot], compileFilterProgram(parseFilter(filter)));
  if (found === undefined) throw new Error('no result');
  for (const [item, row] of rows.entries()) {
    const expected = matches(JSON.parse(row), filter as never);
    const certain = hasItem(found.certain, item);
    const possible = found.possible === undefined ? certain : hasItem(found.possible, item);
    if (certain !== expected && (certain || !possible)) {
      expect({ filter, row, matches: expected }).toEqual({ filter, row, matches: certain });
    }
    tally.pairs += 1;
    tally.matched += expected ? 1 : 0;
    tally.undecided += certain === possible ? 0 : 1;
  }
  snapshot.close();
}

describe('filters on columns', () => {
  it.each([
    { of: 'odd names and values', documents: metadata, filters: where, mostUndecided: 0.2 },
    { of: 'few names and values', documents: denseMetadata, filters: denseWhere, mostUndecided: 0.4 },
  ])(
    'match what a predicate matches, on $of, while documents change',
    async ({ documents, filters, mostUndecided }) => {
      const change = fc.record({
        positions: fc.array(fc.nat(), { maxLength: 4 }),
        replacement: fc.array(documents, { maxLength: 4 }),
      });
      const tally: Tally = { pairs: 0, matched: 0, undecided: 0 };
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(documents, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 }),
          fc.array(change, { maxLength: 3 }),
          fc.array(fc.boolean(), { minLength: 32, maxLength: 32 }),
          fc.array(filters, { minLength: 1, maxLength: 5 }),
          async (batches, changes, deleted, conditions) => {
            const columns = createColumns();
            const rows: string[] = [];
            for (const batch of batches) {
              const added = batch.map((document) => JSON.stringify(document));
              // A document without members has no metadata in the catalog.
              columns.append(pack(added.map((row) => (row === '{}' ? null : row))), firstKey, undefined);
              rows.push(...added);
            }
            for (const { positions, replacement } of changes) {
              const items = [...new Set(positions.map((position) => position % rows.length))].slice(
                0,
                replacement.length,
              );
              const replaced = items.map((_, index) => JSON.stringify(replacement[index]));
              const keys = Float64Array.from(items, (_, index) => firstKey + 2 * index);
              columns.replace(pack(replaced), firstKey, keys, Int32Array.from(items));
              for (const [index, item] of items.entries()) rows[item] = replaced[index] as string;
            }
            for (const filter of conditions) await compare(columns, rows, filter, tally);
            await compactColumns(columns);

            const dead = Uint32Array.of(deleted.reduce((word, bit, item) => (bit ? word | (1 << item) : word), 0));
            const path = join(directory, 'merged.columns');
            await writeColumns(path, [{ snapshot: snapshotOf(columns), dead }]);
            expect(await validateColumns(path)).toBeUndefined();
            const merged = openColumns(path);
            const survivors = rows.filter((_, item) => deleted[item] !== true);
            expect(merged.items).toBe(survivors.length);
            for (const filter of conditions) await compare(merged, survivors, filter, tally);
            merged.close();
            columns.close();
          },
        ),
        { numRuns: runs },
      );
      if (process.env.SEMANTIC_INDEX_PROPERTY_RUNS !== undefined) console.log(tally);
      expect(tally.matched / tally.pairs).toBeGreaterThan(0.1);
      expect(tally.matched / tally.pairs).toBeLessThan(0.9);
      expect(tally.undecided / tally.pairs).toBeLessThan(mostUndecided);
    },
  );

  it('decide every document of plain metadata', async () => {
    const scalar = fc.oneof(
      fc.constantFrom('a', 'b', 'ab', '', 1, 2, -1.5, true, false, null),
      fc.integer(),
      fc.string(),
    );
    const plain: fc.Arbitrary<object> = fc.record(
      {
        a: fc.oneof(scalar, fc.array(scalar, { maxLength: 4 })),
        b: fc.record({ c: scalar, d: fc.array(scalar, { maxLength: 3 }) }, { requiredKeys: [] }),
        'x y': scalar,
      },
      { requiredKeys: [], noNullPrototype: true },
    );
    const name = fc.constantFrom('a', 'b', 'b.c', 'b.d', 'x y', 'none', 'b.none');
    const ordered = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom('a', 'ab', ''));
    const test = fc.oneof(
      scalar,
      ...['$eq', '$ne', '$contains'].map((operator) => fc.record({ [operator]: scalar })),
      ...['$gt', '$gte', '$lt', '$lte'].map((operator) => fc.record({ [operator]: ordered })),
      ...['$in', '$nin', '$all'].map((operator) => fc.record({ [operator]: fc.array(scalar, { maxLength: 3 }) })),
      fc.record({ $exists: fc.boolean() }),
      fc.record({ $size: fc.nat({ max: 4 }) }),
      fc.record({ $elemMatch: fc.record({ $gt: ordered, $ne: scalar }) }),
      fc.array(scalar, { maxLength: 1 }),
    );
    const condition = fc.tuple(name, test).map(([field, of]) => ({ [field]: of }));
    const filter = fc.oneof(
      condition,
      fc.record({ $and: fc.array(condition, { maxLength: 3 }) }),
      fc.record({ $not: fc.record({ $or: fc.array(condition, { maxLength: 3 }) }) }),
    );
    const tally: Tally = { pairs: 0, matched: 0, undecided: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(plain, { minLength: 1, maxLength: 40 }),
        fc.array(filter, { minLength: 1, maxLength: 4 }),
        async (documents, filters) => {
          const rows = documents.map((document) => JSON.stringify(document));
          const columns = createColumns();
          columns.append(pack(rows), firstKey, undefined);
          for (const one of filters) await compare(columns, rows, one, tally);
          columns.close();
        },
      ),
      { numRuns: runs },
    );
    expect(tally.undecided).toBe(0);
  });
});
