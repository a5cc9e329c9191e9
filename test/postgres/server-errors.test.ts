import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseFilter } from '../../src/operations/parse-filter.js';
import { postgres } from '../../src/postgres/postgres-options.js';
import { compileFilter } from '../../src/postgres/tables/filter-sql.js';
import { Parameters } from '../../src/postgres/tables/parameters.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { deterministicProvider } from '../../src/testing.js';
import type { Where } from '../../src/types.js';

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
    // Times that each loop came round: a reading is repeated six times, so on a slow machine no time alone may end connections.
    const rounds = [0, 0, 0];
    const end = async (): Promise<void> => {
      for (let time = 0; time < 50 && !isDone; time++) {
        const before = [...rounds];
        const { rows } = await admin.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${schema}' AND random() < 0.3`,
        );
        ended += rows.length;
        do await new Promise((resolve) => setTimeout(resolve, 20 + ((time * 7) % 61)));
        while (!isDone && rounds.some((round, loop) => round === before[loop]));
      }
      isDone = true;
    };
    let unknown = 0;
    const search = async (loop: number): Promise<void> => {
      for (; !isDone; rounds[loop] = (rounds[loop] ?? 0) + 1) {
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
        rounds[2] = (rounds[2] ?? 0) + 1;
      }
    };
    const all = [end(), search(0), search(1), add()];
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
    // Above what any statement takes that does not wait for the lock, on a busy machine too.
    await using limited = await open({ statementTimeout: 2_000 });
    await expect(limited.addDocuments([{ id: 'c', text: 'third' }])).rejects.toMatchObject({ code: 'TIMEOUT' });
    await admin.query('ROLLBACK');
    expect(await impatient.addDocuments([{ id: 'c', text: 'third' }])).toMatchObject({ added: 1 });
    expect(await index.validate({ level: 'full' })).toMatchObject({ valid: true });
  });

  it('cancels statements that run when a signal is aborted', async () => {
    await using index = await open();
    await index.addDocuments([{ id: 'a', text: 'first', metadata: { n: 1 } }]);
    await admin.query(`BEGIN; LOCK TABLE ${schema}.documents IN ACCESS EXCLUSIVE MODE`);
    const reason = new Error('no longer wanted');
    const waiting = async (): Promise<number> => {
      const text = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = '${schema}' AND wait_event_type = 'Lock'`;
      // What it shows stays the same within a transaction.
      await admin.query('SELECT pg_stat_clear_snapshot()');
      return (await admin.query(text)).rows[0].n;
    };
    const calls = (signal: AbortSignal): Promise<unknown>[] => [
      index.search('first', { signal }),
      index.count({ where: { n: 1 }, signal }),
      index.deleteDocuments({ where: { n: 77 } }, { signal }),
    ];
    const controller = new AbortController();
    const results = Promise.allSettled(calls(controller.signal));
    for (let look = 0; look < 500 && (await waiting()) < 3; look++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    controller.abort(reason);
    for (const result of await results) expect(result).toMatchObject({ status: 'rejected', reason });
    const left = await waiting();
    await admin.query('ROLLBACK');
    expect(left).toBe(0);
    expect((await index.search('first')).hits.length).toBeGreaterThan(0);
  });

  it('uses the indexes of declared fields', async () => {
    const name = `${schema}_fields`;
    const open = (fields: Record<string, 'number' | 'string'>) =>
      SemanticIndex.open(postgres({ connectionString: own, name }), { provider, fields, ann: { background: false } });
    const values = [1, 5, 7, -3, 'a', 'b', '5', true, null, [], [5], ['a', 1], [[5]], { x: 5 }];
    const documents = Array.from({ length: 1_000 }, (_, n) => {
      const value = n % 10 === 0 ? values[(n / 10) % values.length] : 1_000 + n;
      return { id: n, text: `text ${n % 50}`, metadata: { value: value as number, lang: `l${n % 250}` } };
    });
    const wheres = [
      { value: 5 },
      { value: { $gte: 5, $lt: 1_005 } },
      { value: { $lte: 1 } },
      { value: { $in: [1, 7, 1_501] } },
      { value: { $ne: 5 } },
      { value: { $nin: [1, 7] } },
      { value: null },
      { lang: 'l7' },
      { lang: { $gt: 'l97' } },
      { $or: [{ lang: { $in: ['l1', 'l2'] } }, { value: 5 }] },
      { $not: { value: { $gt: 5 } } },
    ] as Where[];
    const counts: number[] = [];
    {
      await using index = await open({});
      await index.addDocuments(documents);
      for (const where of wheres) counts.push(await index.count({ where }));
    }
    await using index = await open({ value: 'number', lang: 'string' });
    for (const [place, where] of wheres.entries()) {
      expect(await index.count({ where }), JSON.stringify(where)).toBe(counts[place]);
      const { hits } = await index.search('text', { where, k: 1_000, mode: 'text' });
      expect(hits).toHaveLength(counts[place] as number);
    }
    await admin.query(`ANALYZE ${name}.documents`);
    for (const [where, used] of [
      [{ lang: 'l7' }, 'documents_field_lang'],
      [{ value: 1_501 }, 'documents_field_value'],
    ] as const) {
      const parameters = new Parameters();
      const condition = compileFilter(parseFilter(where), parameters, { value: 'number', lang: 'string' });
      const text = `EXPLAIN SELECT d.key FROM ${name}.documents d WHERE ${condition}`;
      const { rows } = await admin.query(text, parameters.values);
      expect(JSON.stringify(rows)).toContain(used);
    }
    await admin.query(`DROP SCHEMA ${name} CASCADE`);
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
