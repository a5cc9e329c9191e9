import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgres } from '../../src/postgres/postgres-options.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { deterministicProvider } from '../../src/testing.js';

const address = process.env.SEMANTIC_INDEX_POSTGRES;
const provider = deterministicProvider({ dimensions: 8 });

describe.skipIf(address === undefined)('errors of a PostgreSQL server', () => {
  const url = new URL(address ?? 'postgres://none/none');
  const schema = `errors_${process.pid}`;
  const [role, bare] = [`role_${process.pid}`, `bare_${process.pid}`];
  let admin: pg.Client;
  const addressOf = (user: string, database: string): string =>
    `postgres://${user}@${url.host}/${database}?application_name=${schema}`;
  const own = addressOf(url.username, url.pathname.slice(1));
  const open = (options: object = {}, connectionString = own) =>
    SemanticIndex.open(postgres({ connectionString, name: schema, ...options }), {
      provider,
      ann: { background: false },
    });

  beforeAll(async () => {
    admin = new pg.Client({ connectionString: address });
    await admin.connect();
    await admin.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE; CREATE ROLE ${role} LOGIN`);
    await admin.query('CREATE EXTENSION IF NOT EXISTS vector');
    await admin.query(`CREATE DATABASE ${bare} TEMPLATE template0`);
  });
  afterAll(async () => {
    await admin.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await admin.query(`DROP DATABASE ${bare}`);
    await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    await admin.end();
  });

  it('distinguishes a missing database, user and right', async () => {
    await expect(open({}, addressOf('postgres', 'no_such_database'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(open({}, addressOf('no_such_role', url.pathname.slice(1)))).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    });
    await expect(open({}, addressOf(role, url.pathname.slice(1)))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const missing = { code: 'UNSUPPORTED', hint: expect.stringContaining('CREATE EXTENSION vector') };
    await expect(open({}, addressOf(role, bare))).rejects.toMatchObject(missing);
    const { rows } = await admin.query(`SELECT 1 FROM pg_namespace WHERE nspname = $1`, [schema]);
    expect(rows).toEqual([]);
  });

  it('goes on while its connections are ended in the middle of searches and adds', async () => {
    await using index = await open();
    await index.addDocuments([
      { id: 'a', text: 'first', metadata: { n: 1 } },
      { id: 'b', text: 'second', metadata: { n: 2 } },
    ]);
    let ended = 0;
    let isDone = false;
    const end = async (): Promise<void> => {
      for (let time = 0; time < 50 && !isDone; time++) {
        const { rows } = await admin.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${schema}' AND random() < 0.3`,
        );
        ended += rows.length;
        await new Promise((resolve) => setTimeout(resolve, 20 + ((time * 7) % 61)));
      }
      isDone = true;
    };
    let unknown = 0;
    const search = async (): Promise<void> => {
      while (!isDone) {
        const { hits } = await index.search('first', { where: { n: { $gte: 1 } }, facets: ['n'] });
        expect(hits[0]?.id).toBe('a');
        expect(await index.getDocument('b')).toMatchObject({ text: 'second' });
        expect((await index.listDocuments({ sort: { field: 'n' }, limit: 1 })).documents[0]?.id).toBe('a');
        expect(await index.suggest('fir')).toMatchObject([{ word: 'first' }]);
      }
    };
    const added: string[] = [];
    const add = async (): Promise<void> => {
      for (let number = 0; !isDone; number++) {
        const id = `added ${number}`;
        // A commit without an answer is the one thing that is not known. To add again does no harm.
        for (let isKnown = false; !isKnown; ) {
          try {
            await index.addDocuments([{ id, text: `text ${number}`, metadata: { n: 3 } }]);
            isKnown = true;
          } catch (error) {
            expect(error).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('during a commit') });
            unknown++;
          }
        }
        added.push(id);
      }
    };
    const all = [end(), search(), search(), add()];
    await Promise.all(all).finally(() => {
      isDone = true;
      return Promise.allSettled(all);
    });
    expect(ended).toBeGreaterThan(10);
    expect(unknown).toBeLessThan(added.length / 2);
    expect(await index.getDocuments(added)).not.toContain(undefined);
    expect(await index.count()).toBe(added.length + 2);
    expect(await index.validate({ level: 'full' })).toMatchObject({ valid: true });
    await index.deleteDocuments(added);
  });

  it('goes on after statements and locks that took too long', async () => {
    await using index = await open();
    await admin.query(`BEGIN; SELECT 1 FROM ${schema}.position FOR UPDATE`);
    await using impatient = await SemanticIndex.open(postgres({ connectionString: address, name: schema }), {
      provider,
      storage: { busyTimeout: 50 },
    });
    await expect(impatient.addDocuments([{ id: 'c', text: 'third' }])).rejects.toMatchObject({ code: 'BUSY' });
    expect((await impatient.search('first')).hits).toHaveLength(2);
    await using limited = await open({ statementTimeout: 40 });
    await expect(limited.addDocuments([{ id: 'c', text: 'third' }])).rejects.toMatchObject({ code: 'TIMEOUT' });
    await admin.query('ROLLBACK');
    expect(await impatient.addDocuments([{ id: 'c', text: 'third' }])).toMatchObject({ added: 1 });
    expect(await index.validate({ level: 'full' })).toMatchObject({ valid: true });
  });

  it('works for a user with rights on the schema alone, and reads with fewer', async () => {
    const name = `${schema}_own`;
    await admin.query(`CREATE SCHEMA ${name} AUTHORIZATION ${role}`);
    const mine = postgres({ connectionString: addressOf(role, url.pathname.slice(1)), name });
    await using index = await SemanticIndex.open(mine, { provider, ann: { background: false } });
    await index.addDocuments(['a text']);
    await index.optimize({ full: true });
    expect((await index.search('a text')).hits).toHaveLength(1);
    await admin.query(`DROP SCHEMA ${name} CASCADE`);
    await expect(index.search('a text')).rejects.toMatchObject({ code: 'NOT_AN_INDEX' });
  });
});
