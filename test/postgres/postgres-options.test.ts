import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PostgresOptions } from '../../src/options.js';
import { locationOfAddress, optionsOf, postgres, shardsOf } from '../../src/postgres/postgres-options.js';
import { SemanticIndex } from '../../src/semantic-index.js';

const shared = { connect: async () => ({}) } as never;

describe('postgres', () => {
  it.each([
    [{ connectionString: 'mysql://x' }, /postgres:\/\//],
    [{ connectionString: 'postgres://x', pool: { connect: async () => ({}) } }, /either/],
    [{ name: '' }, /schema/],
    [{ name: 'pg_index' }, /schema/],
    [{ name: 'x'.repeat(64) }, /schema/],
    [{ name: 'a\0b' }, /schema/],
    [{ maxConnections: 1 }, /at least 2/],
    [{ hnsw: 'float' }, /halfvec/],
    [{ statementTimeout: -1 }, /statementTimeout/],
    [{ conectionString: 'postgres://x' }, /unknown option/],
    [{ replicas: [{}] }, /no address/],
    [{ replicas: { length: 1 } }, /an array/],
    [{ replicas: ['postgres://x'] }, /object/],
    [{ replicas: [{ connectionString: 'mysql://x' }] }, /postgres:\/\//],
    [{ replicas: [{ connectionString: 'postgres://x', pool: shared }] }, /either/],
    [{ replicas: [{ connectionString: 'postgres://x', name: 'a' }] }, /unknown option/],
    [{ replicaTimeout: -1 }, /replicaTimeout/],
    [{ shards: [{ name: 'a' }, { name: 'b' }], replicas: [] }, /either shards/],
    [{ shards: [{ connectionString: 'postgres://x' }] }, /2 to 256/],
    [{ shards: { length: 2 } }, /an array/],
    [{ shards: [{ name: 'a' }, { name: 'b' }], connectionString: 'postgres://x' }, /either shards/],
    [{ shards: [{ name: 'a' }, { name: 'a' }] }, /same schema/],
    [{ shards: [{ name: 'a', hnsw: 'vector' }, { name: 'b' }] }, /unknown option/],
    [{ shards: [{ name: 'a' }, 'postgres://x'] }, /object/],
    [{ shards: [{ pool: shared }, { pool: shared, name: 'b' }] }, /share a pool/],
  ] as unknown as [PostgresOptions, RegExp][])('refuses %j', (options, message) => {
    expect(() => postgres(options)).toThrow(message);
  });

  it('keeps passwords out of errors and names', () => {
    expect(() => postgres({ connectionString: 'http://u:secret@host' })).not.toThrow(/secret/);
    expect(String(postgres({ connectionString: 'postgres://u:secret@host/db', name: 'a' }))).toBe(
      'postgres://host/db#a',
    );
  });

  it('gives shards the options of all, and names them', () => {
    const location = postgres({
      name: 'articles',
      hnsw: 'halfvec',
      shards: [
        { connectionString: 'postgres://u:secret@one/db' },
        { connectionString: 'postgres://two/db', name: 'b' },
      ],
    });
    expect(String(location)).toBe('postgres://one/db#articles + postgres://two/db#b');
    expect(shardsOf(location)?.map((shard) => optionsOf(shard).hnsw)).toEqual(['halfvec', 'halfvec']);
  });

  it('reads addresses', () => {
    expect(String(locationOfAddress('postgresql://host/db#my%20index'))).toBe('postgresql://host/db#my index');
    expect(String(locationOfAddress('postgres://host/db'))).toBe('postgres://host/db#semantic_index');
    expect(locationOfAddress('folder/postgres://x')).toBeUndefined();
  });

  it('reports a server that does not answer, and a pool that is none', async () => {
    const nowhere = postgres({ connectionString: 'postgres://u@127.0.0.1:1/db' });
    await expect(SemanticIndex.open(nowhere)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const pool = { options: { max: 1 }, connect: async () => ({}) } as never;
    await expect(SemanticIndex.open(postgres({ pool }))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(SemanticIndex.open(postgres({ pool: {} as never }))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('names the command that installs pg', () => {
    const hooks = `export const resolve = (name, context, next) => name === 'pg'
      ? Promise.reject(Object.assign(new Error('Cannot find package pg'), { code: 'ERR_MODULE_NOT_FOUND' })) : next(name, context);`;
    const program = `
      import { register } from 'node:module';
      register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}));
      const { SemanticIndex, postgres } = await import('semantic-index');
      await SemanticIndex.open(postgres({ connectionString: 'postgres://u@127.0.0.1:1/db' })).catch(({ code, hint }) => console.log(code, hint));`;
    const cwd = join(import.meta.dirname, '../..');
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout).toBe('MISSING_PEER Run: npm install pg\n');
  });
});
