import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { MatrixDtype } from '../../../src/types.js';
import { VectorMatrix } from '../../../src/vectors/matrix/vector-matrix.js';

const folder = mkdtempSync(join(tmpdir(), 'semantic-index-numpy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const python = ['python3', '/usr/bin/python3'].find((name) => spawnSync(name, ['-c', 'import numpy']).status === 0);

function run(script: string, input: unknown = null): unknown {
  const { status, stdout, stderr } = spawnSync(python as string, ['-c', `import json, sys, numpy\n${script}`], {
    cwd: folder,
    input: JSON.stringify(input),
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout);
}

const dtypes: MatrixDtype[] = ['b1', 'u1', 'i1', 'u2', 'i2', 'f2', 'u4', 'i4', 'f4', 'i8', 'f8'];
const [rows, columns] = [37, 23];
const value = (dtype: MatrixDtype, index: number) =>
  (dtype === 'b1' ? index % 2 : (index * 37) % 120) * (dtype[0] === 'f' ? 0.125 : 1);
const expected = (dtype: MatrixDtype) =>
  Float32Array.from({ length: rows * columns }, (_, index) => value(dtype, index));

// Needs a Python with NumPy, which is a second opinion about the format and no part of the package.
describe.skipIf(python === undefined)('NumPy', () => {
  test('reads what we write', async () => {
    for (const dtype of dtypes) {
      for (const order of ['C', 'F'] as const) {
        await using matrix = await VectorMatrix.create(join(folder, `ours-${dtype}-${order}.npy`), {
          rows,
          columns,
          dtype,
          order,
        });
        await matrix.setRows(0, expected(dtype));
      }
    }
    const read = run(`
result = {}
for dtype in ${JSON.stringify(dtypes)}:
    for order in 'CF':
        name = 'ours-%s-%s' % (dtype, order)
        for mode in (None, 'r'):
            array = numpy.load(name + '.npy', mmap_mode=mode)
            assert array.dtype == numpy.dtype('?' if dtype == 'b1' else '<' + dtype), array.dtype
            assert array.flags.c_contiguous if order == 'C' else array.flags.f_contiguous
            result[name] = array.astype('f8').ravel().tolist()
print(json.dumps(result))`) as Record<string, number[]>;
    for (const [name, numbers] of Object.entries(read)) {
      expect(Float32Array.from(numbers), name).toEqual(expected(name.split('-')[1] as MatrixDtype));
    }
    expect(Object.keys(read)).toHaveLength(22);
  });

  test('writes what we read: every type, order, byte order and format version', async () => {
    const names = run(`
names = []
for dtype in ${JSON.stringify(dtypes)}:
    index = numpy.arange(${rows * columns})
    numbers = (index % 2 if dtype == 'b1' else index * 37 % 120) * (0.125 if dtype[0] == 'f' else 1)
    for order in 'CF':
        for end in '<>':
            for version in ((1, 0), (2, 0), (3, 0)):
                array = numbers.reshape(${rows}, ${columns}).astype('?' if dtype == 'b1' else end + dtype, order=order)
                name = 'theirs-%s-%s-%d-%d.npy' % (dtype, order, end == '>', version[0])
                with open(name, 'wb') as file:
                    numpy.lib.format.write_array(file, array, version=version)
                names.append(name)
print(json.dumps(names))`) as string[];
    expect(names).toHaveLength(132);
    for (const name of names) {
      const [, dtype, order] = name.split('-') as [string, MatrixDtype, string];
      await using matrix = await VectorMatrix.open(join(folder, name), { writable: true });
      expect(matrix, name).toMatchObject({ rows, columns, dtype, order });
      expect(await matrix.getRows(0, rows), name).toEqual(expected(dtype));
      // Written in place, in the file's own byte order.
      await matrix.setRows(5, expected(dtype).subarray(0, columns));
    }
    const sums = run(`
print(json.dumps([numpy.load(name)[5].astype('f8').tolist() for name in ${JSON.stringify(names)}]))`) as number[][];
    for (const [index, row] of sums.entries()) {
      const dtype = names[index]?.split('-')[1] as MatrixDtype;
      expect(Float32Array.from(row), names[index]).toEqual(expected(dtype).subarray(0, columns));
    }
  });

  test('agrees on every half precision number, and on how others are rounded to it', async () => {
    run(`
numpy.save('halves.npy', numpy.arange(65536, dtype='u2').view('f2').reshape(256, 256))
numpy.save('singles.npy', numpy.load('halves.npy').astype('f4'))
rounded = numpy.random.default_rng(7).normal(size=(1000, 100)) * 10.0 ** numpy.random.default_rng(8).integers(-9, 4, size=(1000, 100))
numpy.save('doubles.npy', rounded)
numpy.save('rounded.npy', rounded.astype('f2').astype('f4'))
print('null')`);
    const read = async (name: string) => {
      await using matrix = await VectorMatrix.open(join(folder, name));
      return matrix.getRows(0, matrix.rows, new Float64Array(matrix.rows * matrix.columns));
    };
    expect(await read('halves.npy')).toEqual(await read('singles.npy'));
    const path = join(folder, 'mine.npy');
    const matrix = await VectorMatrix.create(path, { rows: 1000, columns: 100, dtype: 'f2' });
    await matrix.setRows(0, await read('doubles.npy'));
    await matrix.close();
    expect(await read('mine.npy')).toEqual(await read('rounded.npy'));
  });

  test('structured, complex and object arrays are UNSUPPORTED, not evaluated', async () => {
    const names = run(`
names = []
for dtype in ('c8', 'O', 'S4', 'U2', 'M8[s]', 'f4,i4'):
    numpy.save('%d.npy' % len(names), numpy.zeros((2, 2), dtype=dtype))
    names.append('%d.npy' % len(names))
print(json.dumps(names))`) as string[];
    for (const name of names) {
      await expect(VectorMatrix.open(join(folder, name)), name).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    }
  });
});
