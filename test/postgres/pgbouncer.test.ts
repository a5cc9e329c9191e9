import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgres } from '../../src/postgres/postgres-options.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { deterministicProvider } from '../../src/testing.js';

const address = process.env.SEMANTIC_INDEX_POSTGRES;
const isInstalled = spawnSync('pgbouncer', ['--version']).status === 0;
const provider = deterministicProvider({ dimensions: 8 });

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

if (address === undefined || !isInstalled) {
  describe('PostgreSQL behind PgBouncer', () => {
    it.skip('needs SEMANTIC_INDEX_POSTGRES, and pgbouncer in the path', () => {});
  });
} else {
  const server = new URL(address);
  const name = `bouncer_${process.pid}`;

  describe('PostgreSQL behind PgBouncer in transaction mode', () => {
    let [folder, pooled] = ['', ''];
    let pooler: ChildProcess;
    const open = (connectionString = pooled): Promise<SemanticIndex> =>
      SemanticIndex.open(postgres({ connectionString, name, maxConnections: 8 }), {
        provider,
        fields: { n: 'number' },
        ann: { background: false },
      });

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'semantic-index-pgbouncer-'));
      chmodSync(folder, 0o755);
      const port = await freePort();
      writeFileSync(join(folder, 'users.txt'), `"${server.username}" ""\n`);
      // Fewer connections to the server than the program has: its transactions take turns on them.
      writeFileSync(
        join(folder, 'pgbouncer.ini'),
        `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${join(folder, 'users.txt')}
pool_mode = transaction
default_pool_size = 3
`,
      );
      const asUser = process.getuid?.() === 0 ? ['-u', 'postgres'] : [];
      pooler = spawn('pgbouncer', ['-q', ...asUser, join(folder, 'pgbouncer.ini')], { stdio: 'ignore' });
      server.port = String(port);
      pooled = server.href;
      const ping = async (): Promise<void> => {
        const client = new pg.Client({ connectionString: pooled });
        await client.connect();
        await client.query('SELECT 1');
        await client.end();
      };
      for (let attempt = 1; ; attempt++) {
        const isReady = await ping().then(
          () => true,
          () => false,
        );
        if (isReady) break;
        if (attempt === 300) throw new Error('PgBouncer does not answer');
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    });
    afterAll(async () => {
      const client = new pg.Client({ connectionString: address });
      await client.connect();
      await client.query(`DROP SCHEMA IF EXISTS ${name} CASCADE`);
      await client.end();
      pooler.kill();
      rmSync(folder, { recursive: true, force: true });
    });

    it('adds, searches, filters, builds and deletes with the answers of the server itself', async () => {
      await using index = await open();
      const documents = Array.from({ length: 300 }, (_, n) => ({
        id: n,
        text: `number ${n} of ${n % 7}`,
        metadata: { n },
      }));
      await index.addDocuments(documents);
      await index.optimize({ full: true });
      await using direct = await open(address);
      for (const options of [{}, { mode: 'text' }, { mode: 'vector' }, { where: { n: { $lt: 40 } } }] as const) {
        const [through, own] = [
          await index.search('number 5 of 5', options),
          await direct.search('number 5 of 5', options),
        ];
        expect(through.hits).toHaveLength(10);
        expect(through.hits).toEqual(own.hits);
      }
      expect(await index.deleteDocuments({ where: { n: { $gte: 250 } } })).toBe(50);
      expect(await direct.count()).toBe(250);
      expect(await index.validate({ level: 'full' })).toMatchObject({ valid: true });
    });

    it('lets writers and readers of several processes take turns', async () => {
      await using one = await open();
      await using other = await open();
      const write = async (index: SemanticIndex, writer: string): Promise<void> => {
        for (let round = 0; round < 10; round++) {
          await index.addDocuments([{ id: `${writer} ${round}`, text: `written by ${writer}`, metadata: { n: -1 } }]);
          const { hits } = await index.search(`written by ${writer}`, { mode: 'text', where: { n: -1 }, k: 100 });
          expect(hits.filter(({ id }) => String(id).startsWith(writer))).toHaveLength(round + 1);
        }
      };
      await Promise.all([write(one, 'a'), write(one, 'b'), write(other, 'c'), write(other, 'd')]);
      expect(await one.count({ where: { n: -1 } })).toBe(40);
      expect(await one.validate({ level: 'full' })).toMatchObject({ valid: true });
    });

    it('cancels what a signal ends, and nothing else', async () => {
      await using index = await open();
      const client = new pg.Client({ connectionString: address });
      await client.connect();
      await client.query(`BEGIN; LOCK TABLE ${name}.documents IN ACCESS EXCLUSIVE MODE`);
      const controller = new AbortController();
      const reason = new Error('no longer wanted');
      const search = index.search('number', { signal: controller.signal });
      const waiting = async (): Promise<number> => {
        await client.query('SELECT pg_stat_clear_snapshot()');
        const { rows } = await client.query(
          `SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${name}%'`,
        );
        return rows[0].n;
      };
      await expect.poll(waiting, { timeout: 30_000 }).toBeGreaterThan(0);
      controller.abort(reason);
      await expect(search).rejects.toBe(reason);
      await expect.poll(waiting, { timeout: 30_000 }).toBe(0);
      await client.query('ROLLBACK');
      await client.end();
      expect((await index.search('number')).hits).toHaveLength(10);
    });
  });
}
