import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VectorMatrix } from '../../src/vectors/matrix/vector-matrix.js';
import { runProgram } from './run-program.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semantic-index-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('programs about matrices and shared files', { timeout: 240_000 }, () => {
  test('own vectors, made up', async () => {
    const { code, stdout, stderr } = await runProgram('examples/own-vectors.ts', []);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('20000 rows of 64 numbers (f4, order C)');
    expect(stdout).toContain('built 20 trees over 20000 items');
    expect(stdout).toMatch(/answered 1000 queries in \d+ ms/);
    // Queries and items have the same 300 centres: query 0 belongs to those of centre 0.
    const [, nearest] = /query 0: items (\d+) \(0\.\d{3}\)/.exec(stdout) ?? [];
    expect(Number(nearest) % 300).toBe(0);
  });

  test('own vectors, given', async () => {
    const path = join(folder, 'given.desc');
    await using matrix = await VectorMatrix.create(path, { rows: 50, columns: 4, dtype: 'f8' });
    await matrix.setRows(
      0,
      Float32Array.from({ length: 200 }, (_, at) => Math.sin(at * at)),
    );
    const { code, stdout } = await runProgram('examples/own-vectors.ts', [path]);
    expect(code).toBe(0);
    expect(stdout).toContain('50 rows of 4 numbers (f8, order F)');
    expect(stdout).toContain('query 2: items 2 (0.000)');
  });

  test('several processes share one copy of a file', async () => {
    const { code, stdout, stderr } = await runProgram('examples/several-processes.ts', ['3', '12']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(/^process \d+: /gm)).toHaveLength(3);
    const together = /3 processes together hold ([\d.]+) MB of the file of ([\d.]+) MB/.exec(stdout);
    expect(together).not.toBeNull();
    if (process.platform !== 'linux') return;
    const [held, size] = [Number(together?.[1]), Number(together?.[2])];
    expect(held).toBeGreaterThan(0.9 * size);
    expect(held).toBeLessThan(1.1 * size);
    expect(stdout).toMatch(/3 worker threads of one process: [\d.]+ MB private/);
  });
});
