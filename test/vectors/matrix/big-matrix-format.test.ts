import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { VectorMatrix } from '../../../src/vectors/matrix/vector-matrix.js';

const folder = mkdtempSync(join(tmpdir(), 'semantic-index-big-matrix-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Four rows by three columns, column after column: the number 10 * row + column.
const numbers = Float64Array.from([0, 10, 20, 30, 1, 11, 21, 31, 2, 12, 22, 32]);
writeFileSync(join(folder, 'm.bin'), new Uint8Array(numbers.buffer));
for (let column = 0; column < 3; column++) {
  writeFileSync(
    join(folder, `s.bin_column_${column}`),
    new Uint8Array(numbers.slice(column * 4, column * 4 + 4).buffer),
  );
}

let names = 0;
async function read(descriptor: string): Promise<number[][]> {
  const path = join(folder, `${names++}.desc`);
  writeFileSync(path, descriptor);
  await using matrix = await VectorMatrix.open(path);
  const rows: number[][] = [];
  for (let row = 0; row < matrix.rows; row++) rows.push([...(await matrix.getRows(row, 1))]);
  return rows;
}

/** The fields of a descriptor, as `dput` of R 4 writes them. */
function fields(changed: Record<string, string> = {}): Record<string, string> {
  return {
    sharedType: '"FileBacked"',
    filename: '"m.bin"',
    dirname: '"/somewhere/else/"',
    totalRows: '4',
    totalCols: '3',
    rowOffset: 'c(0, 4)',
    colOffset: 'c(0, 3)',
    nrow: '4',
    ncol: '3',
    rowNames: 'NULL',
    colNames: 'NULL',
    type: '"double"',
    separated: 'FALSE',
    ...changed,
  };
}
const listOf = (members: Record<string, string>) =>
  `list(${Object.entries(members)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ')})`;
const descriptor = (changed: Record<string, string> = {}) =>
  `new("big.matrix.descriptor", description = ${listOf(fields(changed))})\n`;

const whole = [
  [0, 1, 2],
  [10, 11, 12],
  [20, 21, 22],
  [30, 31, 32],
];

describe('descriptors', () => {
  test('as R 4 writes them', async () => {
    expect(await read(descriptor())).toEqual(whole);
    expect(await read(descriptor({ nrow: '4L', totalCols: '3L', totalRows: '4e+00' }))).toEqual(whole);
  });

  test('as R before 3.5 wrote them, with names apart and lines broken anywhere', async () => {
    const members = fields();
    const old = `new("big.matrix.descriptor"
    , description = structure(list(${Object.entries(members)
      .map(([name, value]) => `${name} = ${value}`)
      .join(', \n')}),
    .Names = c(${Object.keys(members)
      .map((name) => `"${name}"`)
      .join(', ')}))
)`;
    expect(await read(old)).toEqual(whole);
    const bare = `new("big.matrix.descriptor", description = structure(list(${Object.values(members).join(', ')}),
      .Names = c(${Object.keys(members)
        .map((name) => `"${name}"`)
        .join(', ')})))`;
    expect(await read(bare)).toEqual(whole);
  });

  test('with names of rows and columns, however odd', async () => {
    const rowNames = String.raw`c("a\"b", 'c(', "\\", "\u00e9\x41\101\n")`;
    expect(await read(descriptor({ rowNames, colNames: 'c("x", NA, "separated = TRUE")' }))).toEqual(whole);
    const attributed = 'structure(c("a", "b", "c"), note = list(1, TRUE))';
    expect(await read(descriptor({ colNames: attributed, '`odd name`': 'NULL', rowNames: 'character(0)' }))).toEqual(
      whole,
    );
  });

  test('separated columns, one file each', async () => {
    expect(await read(descriptor({ filename: '"s.bin"', separated: 'TRUE' }))).toEqual(whole);
  });

  test('a part of a matrix', async () => {
    const part = { rowOffset: 'c(1, 2)', colOffset: 'c(1, 2)', nrow: '2', ncol: '2' };
    expect(await read(descriptor(part))).toEqual([
      [11, 12],
      [21, 22],
    ]);
    expect(await read(descriptor({ ...part, filename: '"s.bin"', separated: 'TRUE' }))).toEqual([
      [11, 12],
      [21, 22],
    ]);
  });

  test.each([
    ['a part beyond the end', { rowOffset: 'c(3, 2)', nrow: '2' }],
    ['more columns than there are', { ncol: '4' }],
    ['a matrix larger than its file', { totalRows: '5', nrow: '5' }],
    ['a negative size', { nrow: '-4' }],
    ['a fraction', { ncol: '2.5' }],
    ['an infinite size', { totalRows: '1e999' }],
    ['a shape beyond all memory', { totalRows: '1e15', nrow: '1e15', totalCols: '1e15', ncol: '1e15' }],
    ['no size', { nrow: 'NULL' }],
    ['a file of another folder', { filename: '"../m.bin"' }],
    ['a file of another folder, the Windows way', { filename: String.raw`"..\\m.bin"` }],
    ['the folder itself', { filename: '".."' }],
    ['no file', { filename: 'NULL' }],
    ['an unknown type', { type: '"complex"' }],
    ['a type from JavaScript', { type: '"constructor"' }],
    ['nothing said about separation', { separated: 'NA' }],
    ['a call', { nrow: 'system("true")' }],
    ['an operator', { nrow: '2 + 2' }],
    ['a nesting without end', { rowNames: 'list('.repeat(100_000) }],
  ])('%s is INVALID_FILE', async (_, changed) => {
    await expect(read(descriptor(changed as unknown as Record<string, string>))).rejects.toMatchObject({
      code: 'INVALID_FILE',
    });
  });

  test('shared memory and binary descriptors are UNSUPPORTED', async () => {
    await expect(read(descriptor({ sharedType: '"SharedMemory"' }))).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(read('\x1f\x08\x00')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  test('names of a million rows are read in passing', async () => {
    const rowNames = `c(${Array.from({ length: 1_000_000 }, (_, row) => `"row ${row}"`).join(', ')})`;
    expect(await read(descriptor({ rowNames }))).toEqual(whole);
    expect(await read(descriptor({ rowNames: `"${'\\"x'.repeat(1_000_000)}"` }))).toEqual(whole);
  });
});

test('a descriptor and its files may be moved together', async () => {
  const path = join(folder, 'made.desc');
  const values = Float32Array.of(1, 2, 3, 4, 5, 6);
  const matrix = await VectorMatrix.create(path, { rows: 3, columns: 2, dtype: 'i2' });
  await matrix.setRows(0, values);
  await matrix.close();
  const moved = mkdtempSync(join(folder, 'moved-'));
  for (const name of ['made.desc', 'made.bin']) cpSync(join(folder, name), join(moved, name));
  rmSync(path);
  await using again = await VectorMatrix.open(join(moved, 'made.desc'));
  expect(await again.getRows(0, 3)).toEqual(values);
});
