import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { copyIndex } from '../../src/copy/copy-index.js';
import { postgres } from '../../src/postgres/postgres-options.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { deterministicProvider } from '../../src/testing.js';
import { runHere, runJsonHere } from '../cli/run-here.js';

const address = process.env.SEMANTIC_INDEX_POSTGRES;
const provider = deterministicProvider({ dimensions: 16 });

describe('copyIndex', () => {
  it('copies between indexes without embedding, goes on where documents are, and compares', async () => {
    await using source = await SemanticIndex.open(':memory:', { provider });
    await using target = await SemanticIndex.open(':memory:', { provider: null });
    await expect(copyIndex(source, target)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await source.addDocuments([
      { id: 'a', text: 'one', metadata: { n: 1 } },
      { id: 7, text: 'seven' },
    ]);
    const first = await copyIndex(source, target);
    expect(first).toMatchObject({ documents: 2, added: 2, updated: 0, unchanged: 0 });
    await source.addDocuments([{ id: 'b', text: 'two' }]);
    const second = await copyIndex(source, target);
    expect(second).toMatchObject({ documents: 3, added: 1, unchanged: 2 });
    expect(second.checksum).not.toBe(first.checksum);
    expect(await target.getVectors(['a', 7, 'b'])).toEqual(await source.getVectors(['a', 7, 'b']));
    await expect(copyIndex(source, target, { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone');
  });

  it.skipIf(process.platform === 'win32')('hides what it exports from other users', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'semantic-index-copy-test-'));
    vi.stubEnv('TMPDIR', scratch);
    try {
      await using source = await SemanticIndex.open(':memory:', { provider });
      await using target = await SemanticIndex.open(':memory:', { provider: null });
      await source.addDocuments([{ id: 'a', text: 'one' }]);
      const modes = new Set<number>();
      await copyIndex(source, target, {
        onProgress: () => {
          for (const name of readdirSync(scratch)) modes.add(statSync(join(scratch, name)).mode & 0o777);
        },
      });
      expect([...modes]).toEqual([0o700]);
      expect(readdirSync(scratch)).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
      rmSync(scratch, { recursive: true, force: true });
    }
  });
});

describe.skipIf(address === undefined)('an index in PostgreSQL as an address', () => {
  const name = `copy_${process.pid}`;
  const target = `${address}#${name}`;
  let cwd: string;
  beforeAll(() => {
    cwd = mkdtempSync(join(tmpdir(), 'semantic-index-copy-test-'));
  });
  afterAll(async () => {
    rmSync(cwd, { recursive: true, force: true });
    const client = new pg.Client({ connectionString: address });
    await client.connect();
    await client.query(`DROP SCHEMA IF EXISTS ${name} CASCADE`);
    await client.end();
  });

  it('is copied into by processes that are killed, and back, with the same vectors', async () => {
    const documents = Array.from({ length: 1_500 }, (_, place) => ({
      id: `d${place}`,
      text: `document ${place} of many`,
      metadata: { place },
    }));
    const rows = async (index: SemanticIndex): Promise<Map<unknown, unknown>> => {
      const all = new Map<unknown, unknown>();
      for await (const { id, ...rest } of index.documents()) all.set(id, rest);
      return all;
    };
    await using source = await SemanticIndex.open(join(cwd, 'source'), { provider });
    await source.addDocuments(documents);
    const program = `
      import { copyIndex, postgres, SemanticIndex } from 'semantic-index';
      const source = await SemanticIndex.open(${JSON.stringify(join(cwd, 'source'))}, { provider: null, readonly: true });
      const target = await SemanticIndex.open(${JSON.stringify(target)}, { provider: null });
      await copyIndex(source, target, { onProgress: ({ stage, done }) => console.log(stage, done) });`;
    for (let kill = 0; kill < 3; kill++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        cwd: join(import.meta.dirname, '../..'),
        env: { ...process.env, TMPDIR: cwd },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = new Promise((resolve) => child.once('close', resolve));
      // Later each time: at the begin, and after some batches.
      let seen = 0;
      child.stdout.on('data', () => {
        if (++seen > 2 + 2 * kill) child.kill('SIGKILL');
      });
      await ended;
    }
    await using copy = await SemanticIndex.open(postgres({ connectionString: address, name }), { provider: null });
    const result = await copyIndex(source, copy);
    expect(result).toMatchObject({ documents: 1_500, updated: 0 });
    const expected = await rows(source);
    expect(await rows(copy)).toEqual(expected);
    await using back = await SemanticIndex.open(join(cwd, 'back'), { provider: null });
    expect(await copyIndex(copy, back)).toMatchObject({ added: 1_500, checksum: result.checksum });
    expect(await rows(back)).toEqual(expected);
    expect(await copy.validate({ level: 'full' })).toMatchObject({ valid: true });
  }, 180_000);

  it('is used by commands', async () => {
    const own = `${address}#${name}_cli`;
    const json = (...args: string[]) => runJsonHere(args, { cwd });
    await json('init', 'local');
    writeFileSync(join(cwd, 'notes.txt'), 'A hot cup of tea.\n\nThe fox crossed the field.\n');
    await json('add', 'local', 'notes.txt');
    const { documents } = await json('stats', 'local');
    expect(documents).toBeGreaterThan(0);
    expect(await json('copy', 'local', own)).toMatchObject({ documents, added: documents });
    expect(await json('search', own, 'hot drink', '-k', '1')).toMatchObject({ hits: [{}] });
    expect(await json('doctor', own)).toMatchObject({ healthy: true });
    expect(await json('validate', own, '--full')).toMatchObject({ valid: true });
    expect((await runHere(['search', `${address}#missing`, 'x'], { cwd })).code).toBe(4);
    expect(await json('delete', own, '--all')).toMatchObject({ deleted: documents });
    const client = new pg.Client({ connectionString: address });
    await client.connect();
    await client.query(`DROP SCHEMA ${name}_cli CASCADE`);
    await client.end();
  });
});
