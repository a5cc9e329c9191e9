import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { SemanticIndexError } from '../../../src/errors.js';
import { VectorMatrix } from '../../../src/vectors/matrix/vector-matrix.js';

const folder = mkdtempSync(join(tmpdir(), 'semantic-index-hostile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Opens and reads everything, as a victim would. Only typed errors may come out; returns the code, or the numbers. */
async function readAll(path: string): Promise<string | number[]> {
  try {
    await using matrix = await VectorMatrix.open(path);
    const numbers: number[] = [];
    for await (const block of matrix.blocks({ blockRows: 2, reuse: true })) numbers.push(...block.values);
    return numbers;
  } catch (error) {
    if (!SemanticIndexError.is(error)) throw error;
    expect(error.message.length).toBeLessThan(400);
    return error.code;
  }
}

function npy(header: string | Buffer, { version = 1, data = 24 } = {}): Buffer {
  const text = Buffer.from(header);
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(text.length);
  else length.writeUInt32LE(text.length);
  return Buffer.concat([Buffer.from([0x93, ...Buffer.from('NUMPY'), version, 0]), length, text, Buffer.alloc(data, 1)]);
}

let names = 0;
function fileOf(bytes: Buffer | string, ending = '.npy'): string {
  const path = join(folder, `${names++}${ending}`);
  writeFileSync(path, bytes);
  return path;
}

const good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";

describe('NumPy headers', () => {
  test.each([
    ['as NumPy writes it', good],
    ['with the L of Python 2', "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }"],
    ['in another order and other quotes', '{"shape":(2,3),"fortran_order":False,"descr":"<f4"}   \n'],
    ['with an entry that we do not know', "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'note': 'x'}"],
  ])('%s', async (_, header) => {
    for (const version of [1, 2, 3]) expect(await readAll(fileOf(npy(header, { version })))).toHaveLength(6);
  });

  test.each([
    ['{}', 'INVALID_FILE'],
    ['', 'INVALID_FILE'],
    ['[]', 'INVALID_FILE'],
    [`${good} + 1`, 'INVALID_FILE'],
    [`${good}${good}`, 'INVALID_FILE'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)", 'INVALID_FILE'],
    ["{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", 'INVALID_FILE'],
    ["{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}", 'INVALID_FILE'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3)}", 'INVALID_FILE'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}", 'INVALID_FILE'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3.5)}", 'INVALID_FILE'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0)}", 'INVALID_FILE'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4)}", 'INVALID_FILE'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 'INVALID_FILE'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (9007199254740993, 1)}", 'INVALID_FILE'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999999999999999, 1)}", 'INVALID_FILE'],
    ["{'descr': 'f4', 'fortran_order': False, 'shape': (2, 3)}", 'INVALID_FILE'],
    ["{'descr': '=f4', 'fortran_order': False, 'shape': (2, 3)}", 'INVALID_FILE'],
    ["{'descr': 4, 'fortran_order': False, 'shape': (2, 3)}", 'INVALID_FILE'],
    ["{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3)}", 'UNSUPPORTED'],
    ["{'descr': '|O', 'fortran_order': False, 'shape': (2, 3)}", 'UNSUPPORTED'],
    ["{'descr': 'constructor', 'fortran_order': False, 'shape': (2, 3)}", 'UNSUPPORTED'],
    [`{'descr': '${'x'.repeat(5000)}', 'fortran_order': False, 'shape': (2, 3)}`, 'UNSUPPORTED'],
    ["{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3)}", 'UNSUPPORTED'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (6,)}", 'UNSUPPORTED'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': ()}", 'UNSUPPORTED'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3)}", 'UNSUPPORTED'],
    ["__import__('os').system('true')", 'INVALID_FILE'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os'), 3)}", 'INVALID_FILE'],
    [`{'shape': ${'('.repeat(60_000)}`, 'INVALID_FILE'],
    [`{'shape': (${'1,'.repeat(30_000)}`, 'INVALID_FILE'],
  ])('%s', async (header, code) => {
    expect(await readAll(fileOf(npy(header)))).toBe(code);
  });

  test('lengths and versions that cannot be', async () => {
    const bytes = npy(good);
    const versioned = (version: number) => Buffer.from(bytes.map((byte, index) => (index === 6 ? version : byte)));
    expect(await readAll(fileOf(versioned(0)))).toBe('INVALID_FILE');
    expect(await readAll(fileOf(versioned(4)))).toBe('INVALID_FILE');
    // Read as version 2, two bytes of the header belong to its length, which then is of hundreds of millions.
    expect(await readAll(fileOf(versioned(2)))).toBe('INVALID_FILE');
    const long = npy(good, { version: 2 });
    long.writeUInt32LE(0xffffffff, 8);
    expect(await readAll(fileOf(long))).toBe('INVALID_FILE');
  });

  test('what follows the numbers is not ours', async () => {
    expect(await readAll(fileOf(Buffer.concat([npy(good), npy(good)])))).toHaveLength(6);
  });
});

describe('every truncation and every changed byte of small files', () => {
  const make = async (ending: string, options: object) => {
    const path = join(folder, `whole${names++}${ending}`);
    await using matrix = await VectorMatrix.create(path, { rows: 3, columns: 2, ...options });
    await matrix.setRows(0, Float32Array.of(1, 2, 3, 4, 5, 6));
    return path;
  };

  test.each([
    ['.npy', { order: 'C' }],
    ['.npy', { order: 'F', dtype: 'f8' }],
    ['.fvecs', {}],
    ['.ivecs', {}],
    ['.bvecs', {}],
    ['.desc', { dtype: 'i4' }],
    ['.desc', { separated: true }],
  ])('%s %o', { timeout: 120_000 }, async (ending, options) => {
    const path = await make(ending, options);
    const whole = readFileSync(path);
    expect(await readAll(path)).toEqual([1, 2, 3, 4, 5, 6]);
    // The end of a descriptor's last line carries nothing; each vecs row is a file of its own right.
    const rowBytes = whole.length / 3;
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      const result = await readAll(path);
      if (ending === '.desc' && length === whole.length - 1) expect(result).toEqual([1, 2, 3, 4, 5, 6]);
      else if (ending.endsWith('vecs') && length > 0 && length % rowBytes === 0)
        expect(result).toHaveLength((2 * length) / rowBytes);
      else expect(result).toBe('INVALID_FILE');
    }
    for (let at = 0; at < whole.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] as number) ^ flip;
        writeFileSync(path, changed);
        // Any answer that is an answer: numbers, or a code. `readAll` throws on anything else.
        await readAll(path);
      }
    }
  });

  test('backing files of a big.matrix', async () => {
    for (const separated of [false, true]) {
      const path = await make('.desc', { separated, dtype: 'f8' });
      const backing = `${path.slice(0, -5)}.bin${separated ? '_column_1' : ''}`;
      const length = separated ? 24 : 48;
      for (let cut = 0; cut < length; cut++) {
        writeFileSync(backing, Buffer.alloc(cut));
        expect(await readAll(path)).toBe('INVALID_FILE');
      }
      writeFileSync(backing, Buffer.alloc(length + 1));
      expect(await readAll(path)).toHaveLength(6);
      rmSync(backing);
      expect(await readAll(path)).toBe('IO');
      mkdirSync(backing);
      expect(await readAll(path)).toBe('IO');
    }
  });

  test('any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('.npy', '.fvecs', '.ivecs', '.bvecs', '.desc'),
        fc.constantFrom('', '\x93NUMPY\x01\x00', '\x02\x00\x00\x00', 'new("big.matrix.descriptor", description = '),
        fc.uint8Array({ maxLength: 200 }),
        async (ending, beginning, bytes) => {
          const path = fileOf(Buffer.concat([Buffer.from(beginning, 'latin1'), bytes]), ending);
          await readAll(path);
          rmSync(path);
        },
      ),
      { numRuns: 500 },
    );
  });
});

test('a row of another length in the middle of a vecs file', async () => {
  const bytes = Buffer.alloc(24);
  bytes.writeInt32LE(2, 0);
  bytes.writeInt32LE(3, 12);
  expect(await readAll(fileOf(bytes, '.fvecs'))).toBe('INVALID_FILE');
  bytes.writeInt32LE(2, 12);
  expect(await readAll(fileOf(bytes, '.fvecs'))).toHaveLength(4);
});

test('a huge sparse file costs no memory until its rows are read', async (context) => {
  const rows = 2 ** 36;
  const path = fileOf(npy(`{'descr': '<f4', 'fortran_order': True, 'shape': (${rows}, 3)}`, { data: 0 }));
  try {
    truncateSync(path, 128 + rows * 12);
  } catch {
    context.skip('the file system has no sparse files of this size');
  }
  await using matrix = await VectorMatrix.open(path);
  expect(await matrix.getRows(rows - 2, 2)).toEqual(new Float32Array(6));
  expect(matrix.byteLength).toBe(rows * 12);
  await expect(matrix.getRows(0, rows)).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
  await expect(matrix.blocks({ blockRows: rows, reuse: true }).next()).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
});

test.skipIf(process.platform === 'win32')('a device or pipe is refused without waiting for it', async () => {
  const path = join(folder, 'device.npy');
  symlinkSync('/dev/zero', path);
  expect(await readAll(path)).toBe('IO');
});

test('no file is left behind open or temporary', () => {
  expect(readdirSync(folder).filter((name) => /tmp|lock/.test(basename(name)))).toEqual([]);
});
