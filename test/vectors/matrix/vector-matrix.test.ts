import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { MatrixDtype, NumberArray } from '../../../src/types.js';
import { VectorMatrix } from '../../../src/vectors/matrix/vector-matrix.js';

const folder = mkdtempSync(join(tmpdir(), 'semantic-index-matrix-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let names = 0;
const fresh = (ending: string) => join(folder, `${names++}${ending}`);

/** Numbers that a type represents exactly, so that what comes back must be what went in. */
const exactNumbers: Record<MatrixDtype, fc.Arbitrary<number>> = {
  b1: fc.integer({ min: 0, max: 1 }),
  u1: fc.integer({ min: 0, max: 255 }),
  i1: fc.integer({ min: -127, max: 127 }),
  u2: fc.integer({ min: 0, max: 65_535 }),
  i2: fc.integer({ min: -32_767, max: 32_767 }),
  f2: fc.oneof(
    fc.integer({ min: -2048, max: 2048 }),
    fc.integer({ min: -1023, max: 1023 }).map((value) => value * 2 ** -24),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 65_504),
  ),
  u4: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  i4: fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }),
  i8: fc.maxSafeInteger(),
  f4: fc.float(),
  f8: fc.double(),
};

const kinds: { ending: string; dtype: MatrixDtype; order?: 'C' | 'F'; separated?: boolean }[] = [
  ...(Object.keys(exactNumbers) as MatrixDtype[]).flatMap((dtype) => [
    { ending: '.npy', dtype, order: 'C' as const },
    { ending: '.npy', dtype, order: 'F' as const },
  ]),
  { ending: '.fvecs', dtype: 'f4' },
  { ending: '.ivecs', dtype: 'i4' },
  { ending: '.bvecs', dtype: 'u1' },
  ...(['i1', 'u1', 'i2', 'i4', 'f4', 'f8'] as const).flatMap((dtype) => [
    { ending: '.desc', dtype },
    { ending: '.desc', dtype, separated: true },
  ]),
];

describe('round trips', () => {
  test.each(kinds)('$ending $dtype $order separated=$separated', async ({ ending, ...shape }) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: shape.separated ? 8 : 40 }),
        fc.infiniteStream(exactNumbers[shape.dtype]),
        fc.nat(),
        async (rows, columns, numbers, cut) => {
          // FLT_MIN stands for NA in a float big.matrix, and would come back as NaN.
          const reserved = ending === '.desc' && shape.dtype === 'f4' ? 2 ** -126 : Number.NaN;
          const written = Float64Array.from({ length: rows * columns }, () => {
            const value: number = numbers.next().value;
            return value === reserved ? 0 : value;
          });
          const path = fresh(ending);
          const matrix = await VectorMatrix.create(path, { rows, columns, ...shape });
          expect(matrix).toMatchObject({ rows, columns, dtype: shape.dtype, writable: true });
          const middle = cut % (rows + 1);
          // In two parts and from behind: nothing depends on the order of writing.
          await matrix.setRows(middle, written.subarray(middle * columns));
          await matrix.setRows(0, written.subarray(0, middle * columns));
          await matrix.close();

          const again = await VectorMatrix.open(path);
          expect(again).toMatchObject({ rows, columns, dtype: shape.dtype, writable: false });
          expect(await again.getRows(0, rows, new Float64Array(rows * columns))).toEqual(written);
          expect(await again.getRows(0, rows)).toEqual(Float32Array.from(written));
          const one = cut % rows;
          const row = written.subarray(one * columns, (one + 1) * columns);
          expect(await again.getRows(one, 1)).toEqual(Float32Array.from(row));
          if (shape.dtype === 'i4')
            expect(await again.getRows(one, 1, new Int32Array(columns))).toEqual(Int32Array.from(row));
          const blocks: number[] = [];
          for await (const block of again.blocks({ blockRows: 1 + (cut % 7), reuse: cut % 2 === 0 })) {
            expect(block.first * columns).toBe(blocks.length);
            blocks.push(...block.values);
          }
          expect(Float32Array.from(blocks)).toEqual(Float32Array.from(written));
          await again.close();
        },
      ),
      { numRuns: 8 },
    );
  });

  test.each(['C', 'F'] as const)('order %s: larger than one piece', async (order) => {
    const [rows, columns] = [70_001, 19];
    for (const dtype of ['f4', 'f8', 'i2'] as const) {
      const written = Float32Array.from({ length: rows * columns }, (_, index) => (index * 7919) % 30_011);
      await using matrix = await VectorMatrix.create(fresh('.npy'), { rows, columns, dtype, order });
      await matrix.setRows(0, written);
      expect(Buffer.compare(Buffer.from((await matrix.getRows(0, rows)).buffer), Buffer.from(written.buffer))).toBe(0);
      const part = await matrix.getRows(65_530, 30);
      expect(part).toEqual(written.subarray(65_530 * columns, 65_560 * columns));
    }
  });

  test('vecs larger than one piece', async () => {
    await using matrix = await VectorMatrix.create(fresh('.bvecs'), { rows: 20_000, columns: 128 });
    const written = Float32Array.from({ length: 20_000 * 128 }, (_, index) => (index * 31) % 256);
    await matrix.setRows(0, written);
    expect(Buffer.compare(Buffer.from((await matrix.getRows(0, 20_000)).buffer), Buffer.from(written.buffer))).toBe(0);
    expect(matrix.byteLength).toBe(20_000 * 128);
    expect(statSync(matrix.path).size).toBe(20_000 * 132);
  });

  test('hundreds of separated columns, more than are open at a time', async () => {
    await using matrix = await VectorMatrix.create(fresh('.desc'), { rows: 9, columns: 600, separated: true });
    const written = Float32Array.from({ length: 5400 }, (_, index) => index / 8);
    await Promise.all([matrix.setRows(0, written.subarray(0, 2400)), matrix.setRows(4, written.subarray(2400))]);
    await matrix.flush();
    const both = await Promise.all([matrix.getRows(0, 9), matrix.getRows(0, 9)]);
    expect(both).toEqual([written, written]);
  });
});

describe('numbers that do not fit', () => {
  const cases: [MatrixDtype, NumberArray][] = [
    ['i4', Float32Array.of(0.5)],
    ['i4', Float32Array.of(Number.NaN)],
    ['i4', Float64Array.of(2 ** 31)],
    ['u1', Int32Array.of(-1)],
    ['u1', Int32Array.of(256)],
    ['b1', Int32Array.of(2)],
    ['i8', Float64Array.of(2 ** 53)],
    ['f2', Float32Array.of(70_000)],
    ['f4', Float64Array.of(1e39)],
  ];
  test.each(cases)('%s refuses %o', async (dtype, values) => {
    await using matrix = await VectorMatrix.create(fresh('.npy'), { rows: 1, columns: 1, dtype });
    await expect(matrix.setRows(0, values)).rejects.toMatchObject({ code: 'INVALID_VECTOR', details: { dtype } });
    expect(await matrix.getRows(0, 1)).toEqual(Float32Array.of(0));
  });

  test('half precision rounds to the nearest, ties to even', async () => {
    await using matrix = await VectorMatrix.create(fresh('.npy'), { rows: 1, columns: 6, dtype: 'f2' });
    await matrix.setRows(0, Float64Array.of(2049, 2051, 65_519, 2 ** -25, 3 * 2 ** -25, 0.1));
    expect(await matrix.getRows(0, 1)).toEqual(Float32Array.of(2048, 2052, 65_504, 0, 2 ** -23, 0.0999755859375));
  });

  test("reads R's NA as NaN, and writes NaN as NA", async () => {
    for (const [dtype, missing] of [
      ['i1', -128],
      ['i2', -32_768],
      ['i4', -(2 ** 31)],
    ] as const) {
      const path = fresh('.desc');
      await using matrix = await VectorMatrix.create(path, { rows: 3, columns: 1, dtype });
      await matrix.setRows(0, Float32Array.of(5, Number.NaN, -7));
      expect(await matrix.getRows(0, 3)).toEqual(Float32Array.of(5, Number.NaN, -7));
      const bytes = readFileSync(path.replace('.desc', '.bin'));
      expect(bytes.readIntLE(bytes.length / 3, bytes.length / 3)).toBe(missing);
    }
    const path = fresh('.desc');
    await using float = await VectorMatrix.create(path, { rows: 2, columns: 1, dtype: 'f4' });
    await float.setRows(0, Float32Array.of(2 ** -126, 2 ** -125));
    expect(await float.getRows(0, 2)).toEqual(Float32Array.of(Number.NaN, 2 ** -125));
  });
});

describe('creating', () => {
  test('an existing file is kept unless overwrite is set', async () => {
    for (const ending of ['.npy', '.fvecs', '.desc']) {
      const path = fresh(ending);
      await using old = await VectorMatrix.create(path, { rows: 1, columns: 2 });
      await old.setRows(0, Float32Array.of(1, 2));
      await expect(VectorMatrix.create(path, { rows: 9, columns: 9 })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
      await using replaced = await VectorMatrix.create(path, { rows: 2, columns: 2, overwrite: true });
      expect(await replaced.getRows(0, 2)).toEqual(new Float32Array(4));
      if (process.platform !== 'win32') expect(await old.getRows(0, 1)).toEqual(Float32Array.of(1, 2));
    }
  });

  test.each([
    ['.npy', { rows: -1, columns: 2 }, 'INVALID_ARGUMENT'],
    ['.npy', { rows: 1.5, columns: 2 }, 'INVALID_ARGUMENT'],
    ['.npy', { rows: 1, columns: 0 }, 'INVALID_ARGUMENT'],
    ['.npy', { rows: 2 ** 40, columns: 2 ** 20 }, 'INVALID_ARGUMENT'],
    ['.npy', { columns: 2 }, 'INVALID_ARGUMENT'],
    ['.npy', { rows: 1, columns: 2, dtype: 'f16' }, 'INVALID_ARGUMENT'],
    ['.npy', { rows: 1, columns: 2, order: 'X' }, 'INVALID_ARGUMENT'],
    ['.npy', { rows: 1, columns: 2, separated: true }, 'INVALID_ARGUMENT'],
    ['.npy', { rows: 1, columns: 2, colums: 2 }, 'UNKNOWN_OPTION'],
    ['.fvecs', { rows: 1, columns: 2, dtype: 'f8' }, 'INVALID_ARGUMENT'],
    ['.fvecs', { rows: 1, columns: 2, order: 'F' }, 'INVALID_ARGUMENT'],
    ['.desc', { rows: 1, columns: 2, order: 'C' }, 'INVALID_ARGUMENT'],
    ['.desc', { rows: 0, columns: 2 }, 'INVALID_ARGUMENT'],
    ['.desc', { rows: 1, columns: 2, dtype: 'u4' }, 'UNSUPPORTED'],
    ['.csv', { rows: 1, columns: 2 }, 'UNSUPPORTED'],
  ])('%s %o is %s', async (ending, options, code) => {
    const path = fresh(ending);
    await expect(VectorMatrix.create(path, options as never)).rejects.toMatchObject({ code });
    expect(existsSync(path)).toBe(false);
  });

  test('a missing folder is IO', async () => {
    const path = join(folder, 'missing', 'a.npy');
    await expect(VectorMatrix.create(path, { rows: 1, columns: 1 })).rejects.toMatchObject({ code: 'IO' });
  });

  test('zero rows', async () => {
    await using matrix = await VectorMatrix.create(fresh('.npy'), { rows: 0, columns: 4 });
    expect(await matrix.getRows(0, 0)).toEqual(new Float32Array(0));
    for await (const block of matrix) expect.unreachable(`block ${block.first}`);
  });
});

describe('misuse', () => {
  test('ranges, arrays and options', async () => {
    await using matrix = await VectorMatrix.create(fresh('.npy'), { rows: 4, columns: 3 });
    for (const [first, count] of [
      [-1, 1],
      [0, 5],
      [4, 1],
      [0.5, 1],
      [0, -1],
      [Number.NaN, 1],
      [0, Number.POSITIVE_INFINITY],
    ]) {
      await expect(matrix.getRows(first as number, count as number)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }
    await expect(matrix.getRows(0, 1, new Float32Array(4))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(matrix.getRows(0, 1, [0, 0, 0] as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(matrix.setRows(0, new Float32Array(4))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(matrix.setRows(3, new Float32Array(6))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(matrix.setRows(0, [1, 2, 3] as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(matrix.blocks({ blockRows: 0 }).next()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(VectorMatrix.open('')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(VectorMatrix.open(matrix.path, { readonly: true } as never)).rejects.toMatchObject({
      code: 'UNKNOWN_OPTION',
    });
  });

  test('read-only and closed', async () => {
    const path = fresh('.npy');
    await (await VectorMatrix.create(path, { rows: 2, columns: 2 })).close();
    const matrix = await VectorMatrix.open(path);
    await expect(matrix.setRows(0, new Float32Array(2))).rejects.toMatchObject({ code: 'READ_ONLY' });
    const reading = matrix.getRows(0, 2);
    await matrix.close();
    await matrix.close();
    expect(await reading).toEqual(new Float32Array(4));
    await expect(matrix.getRows(0, 1)).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(matrix.setRows(0, new Float32Array(2))).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(matrix.flush()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('missing files, folders and strange names', async () => {
    await expect(VectorMatrix.open(join(folder, 'nothing.npy'))).rejects.toMatchObject({ code: 'IO' });
    await expect(VectorMatrix.open(folder)).rejects.toMatchObject({ code: 'IO' });
    const path = fresh('.csv');
    writeFileSync(path, '1,2,3');
    await expect(VectorMatrix.open(path)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  test('a file cut while it is open is INVALID_FILE, not garbage', async () => {
    for (const order of ['C', 'F'] as const) {
      const path = fresh('.npy');
      await using matrix = await VectorMatrix.create(path, { rows: 100, columns: 4, order });
      truncateSync(path, 200);
      await expect(matrix.getRows(0, 100)).rejects.toMatchObject({ code: 'INVALID_FILE' });
    }
  });

  test('aborting ends an iteration with its reason', async () => {
    await using matrix = await VectorMatrix.create(fresh('.npy'), { rows: 10, columns: 1 });
    const reason = new Error('enough');
    const controller = new AbortController();
    const iterate = async () => {
      for await (const block of matrix.blocks({ blockRows: 1, signal: controller.signal })) {
        if (block.first === 3) controller.abort(reason);
        expect(block.first).toBeLessThan(4);
      }
    };
    await expect(iterate()).rejects.toBe(reason);
  });
});

test('refuses a part of a row', async () => {
  await using matrix = await VectorMatrix.create(fresh('.npy'), { rows: 5, columns: 3 });
  await expect(matrix.setRows(0, new Float32Array(4))).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: 'VectorMatrix.setRows: expected complete rows of 3 numbers, got 4 numbers',
  });
});
