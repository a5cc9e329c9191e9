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

  it('goes on after lost connections, and after statements and locks that took too long', async () => {
    await using index = await open();
    await index.addDocuments([
      { id: 'a', text: 'first' },
      { id: 'b', text: 'second' },
    ]);
    const ended = await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${schema}'`,
    );
    expect(ended.rows.length).toBeGreaterThan(0);
    // The connection of the pool may be noticed as lost now, or by the statement.
    await index.search('first').catch((error) => expect(error).toMatchObject({ code: 'UNAVAILABLE' }));
    expect((await index.search('first')).hits[0]?.id).toBe('a');

    await admin.query(`BEGIN; SELECT 1 FROM ${schema}.settings WHERE name = 'writer' FOR UPDATE`);
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
