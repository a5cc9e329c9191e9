import { describe, expect, it } from 'vitest';
import { createColumns } from '../../src/columns/columns.js';
import { columnsOf, filtered, firstKey, pack } from './packs.js';

const none = { certain: [], undecided: [] };

describe('MetadataPacker', () => {
  it('separates keys with dots from nested members', async () => {
    const columns = columnsOf([{ 'a.b': 1 }, { a: { b: 1 } }, { a: { 'b.c': 1 } }, { a: 1 }]);
    expect(await filtered(columns, { 'a.b': 1 })).toEqual({ certain: [0, 1], undecided: [] });
    expect(await filtered(columns, { 'a.b.c': { $exists: true } })).toEqual({ certain: [2], undecided: [] });
    expect(await filtered(columns, { a: { $exists: true } })).toEqual({ certain: [1, 2, 3], undecided: [] });
    expect(await filtered(columns, { 'a.b': null })).toEqual({ certain: [2, 3], undecided: [] });
  });

  it('leaves lists with objects or lists undecided, in conditions that concern them alone', async () => {
    const columns = columnsOf([
      { a: [{ b: 1 }], c: 1 },
      { a: [[1]], c: 1 },
      { a: [1, 2], c: 1 },
      { a: [], c: 2 },
    ]);
    expect(await filtered(columns, { 'a.b': 1 })).toEqual({ certain: [], undecided: [0, 1] });
    expect(await filtered(columns, { a: 1 })).toEqual({ certain: [2], undecided: [0, 1] });
    expect(await filtered(columns, { a: { $exists: true }, c: 1 })).toEqual({ certain: [0, 1, 2], undecided: [] });
    expect(await filtered(columns, { a: [] })).toEqual({ certain: [3], undecided: [0, 1] });
    expect(await filtered(columns, { a: [1, 2] })).toEqual({ certain: [], undecided: [0, 1, 2] });
    expect(await filtered(columns, { 'a.0': 1 })).toEqual({ certain: [], undecided: [0, 1, 2] });
    expect(await filtered(columns, { $not: { a: 1 } })).toEqual({ certain: [3], undecided: [0, 1] });
  });

  it('leaves long strings undecided where strings are compared', async () => {
    const long = 'x'.repeat(1025);
    const columns = columnsOf([{ a: long }, { a: 'é'.repeat(512) }, { a: 'é'.repeat(513) }, { a: 1 }]);
    expect(await filtered(columns, { a: long })).toEqual({ certain: [], undecided: [0, 2] });
    expect(await filtered(columns, { a: { $contains: 'é' } })).toEqual({ certain: [1], undecided: [0, 2] });
    expect(await filtered(columns, { a: { $gt: 0 } })).toEqual({ certain: [3], undecided: [] });
    expect(await filtered(columns, { a: null })).toEqual(none);
  });

  it('leaves documents undecided whose metadata is damaged', async () => {
    const columns = createColumns();
    columns.append(pack(['{"a":1}', '{"a":', '[1]', '1', null]), firstKey, undefined);
    expect(await filtered(columns, { a: 1 })).toEqual({ certain: [0], undecided: [1, 2, 3] });
    expect(await filtered(columns, { a: null })).toEqual({ certain: [4], undecided: [1, 2, 3] });
    expect(await filtered(columns, {})).toEqual({ certain: [0, 1, 2, 3, 4], undecided: [] });
  });

  it('leaves numbers undecided that are beyond doubles', async () => {
    const columns = createColumns();
    columns.append(pack(['{"a":1e999}', '{"a":-0}', '{"a":[1,-1e999]}', '{"a":5e-324}']), firstKey, undefined);
    expect(await filtered(columns, { a: { $gt: 1 } })).toEqual({ certain: [], undecided: [0, 2] });
    expect(await filtered(columns, { a: 0 })).toEqual({ certain: [1], undecided: [0, 2] });
    expect(await filtered(columns, { a: { $gt: 0, $lt: 1e-300 } })).toEqual({ certain: [3], undecided: [0, 2] });
  });

  it('ignores members that no name of a filter reaches', async () => {
    const nested = (levels: number): object => (levels === 0 ? { end: 1 } : { a: nested(levels - 1) });
    const columns = columnsOf([nested(7), nested(8)]);
    expect(await filtered(columns, { 'a.a.a.a.a.a.a.end': 1 })).toEqual({ certain: [0], undecided: [] });
    expect(await filtered(columns, { 'a.a.a.a.a.a.a.a': { $exists: true } })).toEqual({ certain: [1], undecided: [] });
  });

  it('leaves documents with too long paths undecided for these alone', async () => {
    const long = 'k'.repeat(1100);
    const columns = columnsOf([{ [long]: 1, a: 1 }, { a: 1 }, { a: { [long]: { b: 1 } } }]);
    expect(await filtered(columns, { [long]: 1 })).toEqual({ certain: [], undecided: [0, 2] });
    expect(await filtered(columns, { a: 1 })).toEqual({ certain: [0, 1], undecided: [] });
  });

  it('keeps the columns of the most documents where there are more paths than columns', async () => {
    const documents = Array.from({ length: 1500 }, (_, item) => ({ common: item, [`key${item}`]: true }));
    const columns = columnsOf(documents);
    expect((await filtered(columns, { common: { $lt: 3 } })).certain).toEqual([0, 1, 2]);
    const kept = await filtered(columns, { key0: true });
    expect(kept).toEqual({ certain: [0], undecided: [] });
    const { certain, undecided } = await filtered(columns, { key1499: true });
    expect(certain).toEqual([]);
    expect(undecided).toContain(1499);
  });

  it('treats the members of Object.prototype as ordinary names', async () => {
    const columns = createColumns();
    columns.append(pack(['{"__proto__":{"x":1},"constructor":2}', '{"toString":3}']), firstKey, undefined);
    expect(await filtered(columns, { '__proto__.x': 1 })).toEqual({ certain: [0], undecided: [] });
    expect(await filtered(columns, { constructor: 2 })).toEqual({ certain: [0], undecided: [] });
    expect(await filtered(columns, { toString: 3 })).toEqual({ certain: [1], undecided: [] });
    expect(await filtered(columns, { valueOf: { $exists: true } })).toEqual(none);
  });

  it('orders strings by code points', async () => {
    const columns = columnsOf([{ a: '\uffff' }, { a: '😀' }, { a: '\ud800' }, { a: 'a\u0000b' }]);
    expect((await filtered(columns, { a: { $gt: '\uffff' } })).certain).toEqual([1]);
    expect((await filtered(columns, { a: '\ud800' })).certain).toEqual([2]);
    expect((await filtered(columns, { a: { $contains: '\u0000' } })).certain).toEqual([3]);
    expect(await filtered(columns, { a: { $contains: '\ud83d' } })).toEqual({ certain: [], undecided: [0, 1, 2, 3] });
  });
});
