import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
import { columnsOf, filtered, firstKey, itemsOf, pack } from './packs.js';

const directory = mkdtempSync(join(tmpdir(), 'semantic-index-columns-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function articles(count: number, from = 0): object[] {
  return Array.from({ length: count }, (_, position) => {
    const number = from + position;
    return {
      id: `article-${number}`,
      year: 2000 + (number % 20),
      tags: Array.from({ length: number % 4 }, (_unused, tag) => `tag ${(number + tag) % 7}`),
      ...(number % 3 === 0 && { place: { section: number % 5 } }),
      [`key ${number % 40}`]: null,
    };
  });
}

describe('columns', () => {
  it('append the documents with the given keys', async () => {
    const columns = createColumns();
    const batch = pack(['{"a":0}', '{"a":1}', '{"a":2}', '{"a":3}']);
    expect(columns.append(batch, firstKey, Float64Array.of(1, firstKey + 2, firstKey + 3, firstKey + 6, 1e9))).toBe(2);
    expect(await columns.appendLater(batch, firstKey, Float64Array.of(firstKey))).toBe(1);
    expect(columns.items).toBe(3);
    expect((await filtered(columns, { a: { $in: [1, 0] } })).certain).toEqual([0, 2]);
  });

  it('replace the metadata of items, and keep that of a snapshot', async () => {
    const columns = columnsOf([{ a: 0 }, { a: 1 }, { a: 2 }]);
    const before = snapshotOf(columns);
    const batch = pack(['{"a":7}', '{"b":8}', null]);
    const keys = Float64Array.of(firstKey, firstKey + 2, firstKey + 4);
    expect(columns.replace(batch, firstKey, keys, Int32Array.of(2, -1, 0))).toBe(3);
    expect((await filtered(columns, { a: { $exists: true } })).certain).toEqual([1, 2]);
    expect((await filtered(columns, { a: 7 })).certain).toEqual([2]);
    expect(await columns.replaceLater(batch, firstKey, keys.subarray(1, 2), Int32Array.of(2))).toBe(1);
    expect((await filtered(columns, { b: 8 })).certain).toEqual([2]);
    const [old] = await filterColumns([before], compileFilterProgram(parseFilter({ a: { $gte: 0 } })));
    expect(itemsOf(old?.certain as Uint32Array)).toEqual([0, 1, 2]);
    expect(() => columns.replace(batch, firstKey, keys, Int32Array.of(0, 1, 3))).toThrow('different items of the part');
    expect(() => columns.replace(batch, firstKey, keys, Int32Array.of(0, 1, 1))).toThrow('different items of the part');
  });

  it('have few pieces after many small changes', async () => {
    const columns = createColumns();
    const documents = articles(600);
    for (const [position, document] of documents.entries()) {
      columns.append(pack([JSON.stringify(document)]), firstKey, undefined);
      columns.replace(pack(['{"year":1}']), firstKey, Float64Array.of(firstKey), Int32Array.of(position % 50));
      if (position % 8 === 0) await compactColumns(columns);
    }
    await compactColumns(columns);
    expect(columns.layers).toBeLessThan(30);
    expect((await filtered(columns, { year: 1 })).certain).toEqual(Array.from({ length: 50 }, (_, item) => item));
    expect(await filtered(columns, { year: { $gt: 1 }, id: 'article-77' })).toEqual({ certain: [77], undecided: [] });
  });

  it('write the same bytes however the documents came, for any number of threads', async () => {
    const [whole, pieces] = [columnsOf(articles(1000)), createColumns()];
    for (let first = 0; first < 1000; first += 125) {
      const rows = articles(125, first).map((document) => JSON.stringify(document));
      pieces.append(pack(rows), firstKey, undefined);
    }
    const written = [];
    for (const [name, columns, threads] of [
      ['a', whole, 1],
      ['b', pieces, 2],
      ['c', pieces, 7],
    ] as const) {
      const path = join(directory, `${name}.columns`);
      const facts = await writeColumns(path, [{ snapshot: snapshotOf(columns) }], { source: 2 ** 53 - 1, threads });
      const opened = openColumns(path);
      expect(opened.file()).toEqual({ ...omitItems(facts), source: 2 ** 53 - 1, opaque: 0, incomplete: 0 });
      expect(opened.hasChanged()).toBe(false);
      opened.close();
      written.push(readFileSync(path));
    }
    expect(written[1]?.equals(written[0] as Buffer)).toBe(true);
    expect(written[2]?.equals(written[0] as Buffer)).toBe(true);
  });

  it('refuse files that are damaged, of another kind, or missing', async () => {
    const path = join(directory, 'good.columns');
    await writeColumns(path, [{ snapshot: snapshotOf(columnsOf(articles(200))) }]);
    const bytes = readFileSync(path);
    const [damaged, other] = [join(directory, 'damaged.columns'), join(directory, 'other.columns')];
    writeFileSync(
      damaged,
      bytes.map((byte, place) => (place === bytes.length - 3000 ? byte ^ 1 : byte)),
    );
    expect(await validateColumns(damaged)).toBe('damaged section: data');
    writeFileSync(other, 'something else, long enough to be a header'.repeat(9));
    expect(() => openColumns(other)).toThrow(expect.objectContaining({ code: 'INVALID_FILE' }));
    expect(await validateColumns(other)).toBe('the file is not a columns file');
    for (const size of [0, 100, 144, bytes.length - 1]) {
      writeFileSync(other, bytes.subarray(0, size));
      expect(() => openColumns(other)).toThrow(expect.objectContaining({ code: 'INVALID_FILE' }));
    }
    expect(() => openColumns(join(directory, 'none.columns'))).toThrow(expect.objectContaining({ code: 'IO' }));
    await expect(validateColumns(join(directory, 'none.columns'))).rejects.toMatchObject({ code: 'IO' });
  });

  it('refuse damaged batches and stay as they were', () => {
    const columns = columnsOf([{ a: 1 }]);
    const batch = pack(['{"a":[1,"b"]}', '{"c":{"d":null}}']);
    for (let size = 0; size < batch.length; size++) {
      expect(() => columns.append(batch.subarray(0, size), firstKey, undefined)).toThrow(
        expect.objectContaining({ code: 'INVALID_FILE' }),
      );
    }
    expect(columns.items).toBe(1);
  });

  it('are closed', async () => {
    const columns = columnsOf([{ a: 1 }]);
    const snapshot = snapshotOf(columns);
    columns.close();
    columns.close();
    expect(columns.items).toBe(0);
    expect(() => snapshotOf(columns)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    expect(() => columns.append(pack([null]), firstKey, undefined)).toThrow(
      expect.objectContaining({ code: 'CLOSED' }),
    );
    expect(snapshot.items).toBe(1);
    const program = compileFilterProgram(parseFilter({ a: 1 }));
    const pending = filterColumns([snapshot], program);
    snapshot.close();
    expect(itemsOf((await pending)[0]?.certain as Uint32Array)).toEqual([0]);
    expect(() => snapshot.filter(program)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });
});

describe('large filters', () => {
  it('have lists of 100,000 values', async () => {
    const columns = columnsOf(articles(2000));
    const wanted = Array.from({ length: 100_000 }, (_, number) => `article-${3 * number}`);
    const numbers = Array.from({ length: 100_000 }, (_, number) => 2005 + number);
    const found = await filtered(columns, { id: { $in: wanted }, year: { $nin: numbers } });
    expect(found.certain).toEqual(
      Array.from({ length: 2000 }, (_, item) => item).filter((item) => item % 3 === 0 && item % 20 < 5),
    );
    expect(found.undecided).toEqual([]);
  });

  it('are refused beyond the limits of a program', () => {
    const tree = parseFilter({ a: 1 });
    const program = compileFilterProgram({ kind: 'any', of: Array.from({ length: 40_000 }, () => tree) });
    const snapshot = snapshotOf(columnsOf([{ a: 1 }]));
    expect(() => snapshot.filter(program)).toThrow('expected a filter of fewer conditions');
    const small = compileFilterProgram({ kind: 'any', of: Array.from({ length: 10_000 }, () => tree) });
    expect(itemsOf(snapshot.filter(small).certain)).toEqual([0]);
  });

  it('are cancelled', async () => {
    const snapshot = snapshotOf(columnsOf(articles(2000)));
    const program = compileFilterProgram(parseFilter({ id: { $in: Array.from({ length: 50_000 }, String) } }));
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(filterColumns([snapshot], program, aborted)).rejects.toThrow('enough');
    const controller = new AbortController();
    const pending = filterColumns(Array(2000).fill(snapshot), program, controller.signal);
    controller.abort(new Error('too late'));
    await expect(pending).rejects.toThrow('too late');
  });
});

function omitItems({ items: _, ...facts }: Awaited<ReturnType<typeof writeColumns>>): object {
  return facts;
}
