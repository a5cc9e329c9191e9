import pg from 'pg';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Database } from '../../src/postgres/connection/database.js';
import { inlined } from '../../src/postgres/connection/literals.js';
import { postgres } from '../../src/postgres/postgres-options.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { deterministicProvider } from '../../src/testing.js';

const connectionString = process.env.SEMANTIC_INDEX_POSTGRES;
const provider = deterministicProvider({ dimensions: 8 });

/** What is sent to the server; `before` may do something before a message is. */
const sent: string[] = [];
let before: ((text: string, client: WatchedClient) => Promise<unknown> | undefined) | undefined;

/** A client that reports what it sends. */
class WatchedClient extends pg.Client {
  // biome-ignore lint/suspicious/noExplicitAny: the overloads of `pg`.
  override query(...args: any[]): any {
    const [text] = args as [unknown];
    const send = (): unknown => super.query(...(args as [string]));
    if (typeof text !== 'string') return send();
    sent.push(text);
    const first = before?.(text, this);
    return first === undefined ? send() : first.then(send);
  }

  /** Sends a statement that nothing comes before. */
  async sendNow(text: string): Promise<void> {
    await super.query(text);
  }
}

describe('literals in place of parameters', () => {
  it('replaces parameters outside of quotes alone', () => {
    const text = `SELECT "$1", '$1', E'\\\\''$2', $2, $1, $10`;
    const values = ["it's $2", [1, 2], 3, 4, 5, 6, 7, 8, 9, null];
    expect(inlined(text, values)).toBe(`SELECT "$1", '$1', E'\\\\''$2', '{1,2}', 'it''s $2', NULL`);
  });

  it('quotes backslashes, bytes and lists of strings', () => {
    expect(inlined('$1', ["\\'"])).toBe(`E'\\\\'''`);
    expect(inlined('$1', [Buffer.from([0, 255])])).toBe(`'\\x00ff'`);
    expect(inlined('$1', [['a"b', "c'd"]])).toBe(`E'{"a\\\\"b","c''d"}'`);
  });
});

describe.skipIf(connectionString === undefined)('optimistic reads of a PostgreSQL server', () => {
  const name = `optimistic_${process.pid}`;
  const pools: pg.Pool[] = [];
  const watchedPool = (max = 2): pg.Pool => {
    const pool = new pg.Pool({ connectionString, max, Client: WatchedClient } as pg.PoolConfig);
    pools.push(pool);
    return pool;
  };
  const open = (pool: pg.Pool, schema = name): Promise<SemanticIndex> =>
    SemanticIndex.open(postgres({ pool, name: schema }), { provider, ann: { background: false } });
  const documents = Array.from({ length: 100 }, (_, id) => ({ id, text: `number ${id} of ${id % 7}` }));

  /** An index with documents whose words and state were read before. */
  async function openRead(pool = watchedPool()): Promise<SemanticIndex> {
    const index = await open(pool);
    await index.addDocuments(documents);
    await index.optimize({ full: true });
    // Both messages of a search are prepared on both connections.
    for (let round = 0; round < 6; round++) await index.search('number 5 of 5');
    sent.length = 0;
    return index;
  }

  afterEach(() => {
    before = undefined;
  });
  afterAll(async () => {
    const [pool] = pools;
    for (const suffix of ['', '_other', '_words']) await pool?.query(`DROP SCHEMA IF EXISTS ${name}${suffix} CASCADE`);
    await Promise.all(pools.map((one) => one.end()));
  });

  it('search in one message for each side, and plan it once for a connection', async () => {
    await using index = await openRead(watchedPool());
    for (const [mode, messages] of [
      ['hybrid', 2],
      ['vector', 1],
      ['text', 1],
    ] as const) {
      for (let round = 0; round < 2; round++) await index.search('number 5 of 5', { mode });
      sent.length = 0;
      const { hits } = await index.search('number 5 of 5', { mode });
      expect(hits.map(({ id, text }) => ({ id, text }))).toEqual(hits.map(({ id }) => documents[id as number]));
      expect(sent).toHaveLength(messages);
      expect(sent.filter((text) => text.includes('EXECUTE') && !text.includes('PREPARE'))).toHaveLength(messages);
    }
    const own = await index.search({ id: 5 });
    expect(own.hits).toHaveLength(10);
    expect(own.hits.map(({ text }) => text)).toEqual(own.hits.map(({ id }) => documents[id as number]?.text));
  });

  it('read long texts in another message', async () => {
    await using index = await openRead(watchedPool());
    const long = `number 5 of 5 ${'and more '.repeat(1_000)}`;
    await index.addDocuments([{ id: 'long', text: long, metadata: { n: 1 } }]);
    const expected = await index.search('number 5 of 5', { k: 100, exact: true });
    for (const k of [1, 10, 40]) {
      await index.search('number 5 of 5', { k });
      sent.length = 0;
      const { hits } = await index.search('number 5 of 5', { k });
      expect(hits.map(({ text }) => text)).toEqual(expected.hits.slice(0, k).map(({ text }) => text));
      expect(sent).toHaveLength(hits.some(({ id }) => id === 'long') ? 3 : 2);
    }
    expect((await index.search('number 5 of 5 and more', { k: 100 })).hits).toContainEqual(
      expect.objectContaining({ id: 'long', text: long, metadata: { n: 1 } }),
    );
    await index.deleteDocuments(['long']);
  });

  it('compare vectors once for a query with a misspelled word', async () => {
    await using index = await openRead(watchedPool());
    await index.addDocuments([{ id: 'word', text: 'philharmonic' }]);
    await index.search('philharmonics number 5');
    sent.length = 0;
    const { hits } = await index.search('philharmonix number 5');
    expect(hits[0]?.id).toBe('word');
    expect(sent.filter((text) => text.includes('hnsw'))).toHaveLength(1);
    await index.deleteDocuments(['word']);
  });

  it('begin to compare vectors before new words are read', async () => {
    await using index = await openRead(watchedPool());
    const { hits } = await index.search('number 5 of 6');
    expect(hits).toHaveLength(10);
    sent.length = 0;
    await index.search('number 99 of 5');
    const [first, second] = sent.filter((text) => text.includes('EXECUTE'));
    expect(first).toContain('hnsw');
    expect(second).not.toContain('hnsw');
    expect(sent.filter((text) => text.includes('EXECUTE'))).toHaveLength(3);
  });

  it('search again when another process has written between two messages', async () => {
    await using index = await openRead();
    await using other = await open(watchedPool());
    let isWritten = false;
    before = (text) => {
      if (isWritten || text.includes('hnsw') || !text.includes('EXECUTE')) return undefined;
      isWritten = true;
      return other.addDocuments([
        { id: 5, text: 'replaced' },
        { id: 'new', text: 'number 5 of 5' },
      ]);
    };
    const { hits } = await index.search('number 5 of 5', { k: 100 });
    expect(isWritten).toBe(true);
    expect(hits.find(({ id }) => id === 5)?.text).toBe('replaced');
    expect(hits[0]).toMatchObject({ id: 'new', text: 'number 5 of 5' });
    await other.addDocuments([documents[5] as (typeof documents)[number]]);
    await other.deleteDocuments(['new']);
  });

  it('filter what another process has written since, however often it has', async () => {
    await using index = await openRead();
    await using other = await open(watchedPool());
    const where = { round: { $gte: 0 } };
    for (let round = 0; round < 3; round++) {
      await other.addDocuments([{ id: 'written', text: `number 5 of ${round}`, metadata: { round } }]);
      const { hits } = await index.search('number 5', { where });
      expect(hits).toMatchObject([{ id: 'written', metadata: { round } }]);
    }
    await other.deleteDocuments(['written']);
    expect((await index.search('number 5', { where })).hits).toEqual([]);
  });

  it('correct words among many documents that pass a filter, and test few of them', async () => {
    const many = Array.from({ length: 6_000 }, (_, id) => ({
      id,
      text: `common words of ${id < 5_500 ? 'earlier' : 'elsewhere'} ${id % 50 === 0 ? 'philharmonic' : 'others'}`,
      metadata: { id },
    }));
    await using index = await open(watchedPool(), `${name}_words`);
    await using local = await SemanticIndex.open(':memory:', { provider });
    for (const one of [index, local]) await one.addDocuments(many);
    const keysOf = (text: string): number => /ANY\('\{([\d,]*)\}'/.exec(text)?.[1]?.split(',').length ?? 0;
    for (const [where, most] of [
      [{ id: { $lt: 5_000 } }, 1_000],
      [{ id: { $gte: 1_000 } }, 5_000],
    ] as const) {
      for (const query of ['common words of philharmonix', 'elsewhere earlier philharmonix']) {
        const options = { mode: 'text', where, explain: true, k: 20 } as const;
        await index.search(query, options);
        sent.length = 0;
        const [found, expected] = [await index.search(query, options), await local.search(query, options)];
        expect(found.hits.map(({ id }) => id)).toEqual(expected.hits.map(({ id }) => id));
        expect(found.explanation?.corrected).toEqual(expected.explanation?.corrected);
        expect(found.explanation?.corrected).toMatchObject([{ to: 'philharmonic' }]);
        const tested = sent.filter((text) => text.includes(' AND ') && text.includes('SELECT d.key::float8 FROM'));
        expect(tested.length).toBeGreaterThan(0);
        expect(tested.filter((text) => !text.includes('ANY(')).length).toBe(0);
        expect(tested.reduce((sum, text) => sum + keysOf(text), 0)).toBeLessThan(most);
      }
    }
  }, 60_000);

  it('find what another process has added for words that no document had', async () => {
    await using index = await openRead();
    await using other = await open(watchedPool());
    expect((await index.search('platypus', { mode: 'text', typos: false })).hits).toEqual([]);
    await other.addDocuments([{ id: 'new', text: 'a platypus' }]);
    const { hits } = await index.search('platypus', { mode: 'text', typos: false });
    expect(hits.map(({ id }) => id)).toEqual(['new']);
    await other.deleteDocuments(['new']);
    expect((await index.search('platypus', { mode: 'text', typos: false })).hits).toEqual([]);
  });

  it('find enough while others write all the time', async () => {
    await using index = await openRead();
    await using other = await open(watchedPool());
    let isDone = false;
    const writing = (async () => {
      for (let round = 0; !isDone; round++) await other.addDocuments([{ id: 'last', text: `round ${round}` }]);
    })();
    for (let round = 0; round < 50; round++) {
      expect((await index.search(`number ${round} of 5`, { where: {} })).hits).toHaveLength(10);
    }
    isDone = true;
    await writing;
    await other.deleteDocuments(['last']);
  });

  it('go on without prepared statements where a connection has lost them', async () => {
    await using index = await openRead();
    const { hits } = await index.search('number 6 of 6');
    before = (text, client) => {
      if (!text.includes('EXECUTE') || text.includes('PREPARE')) return undefined;
      before = undefined;
      return client.sendNow('DEALLOCATE ALL');
    };
    // On a busy machine a search may take a connection of the pool that has not prepared them yet.
    for (let times = 0; times < 5 && before !== undefined; times++)
      expect((await index.search('number 6 of 6')).hits).toEqual(hits);
    expect(before).toBe(undefined);
    sent.length = 0;
    expect((await index.search('number 6 of 6')).hits).toEqual(hits);
    expect(sent.filter((text) => text.includes('EXECUTE'))).toEqual([]);
    expect(sent).toHaveLength(2);
  });

  it('go on without prepared statements where another client has prepared them', async () => {
    await using index = await openRead();
    const { hits } = await index.search('number 6 of 6');
    await using another = await open(watchedPool());
    await another.search('number 6 of 6', { mode: 'text' });
    let prepared = 0;
    before = (text, client) => {
      const [, statement] = /(PREPARE semantic_index_\w+ AS .*?); EXECUTE/s.exec(text) ?? [];
      if (statement === undefined) return undefined;
      prepared++;
      return client.sendNow(statement);
    };
    expect((await another.search('number 6 of 6')).hits).toEqual(hits);
    expect(prepared).toBe(2);
    sent.length = 0;
    expect((await another.search('number 6 of 6')).hits).toEqual(hits);
    expect(sent.filter((text) => text.includes('EXECUTE'))).toEqual([]);
    expect(sent).toHaveLength(2);
  });

  it('keep few statements on a connection', async () => {
    const pool = watchedPool();
    await using index = await openRead(pool);
    for (let k = 50; k < 100; k++)
      expect((await index.search('number 5 of 5', { k, mode: 'vector' })).hits).toHaveLength(k);
    const { rows } = await pool.query(
      "SELECT count(*)::int AS count FROM pg_prepared_statements WHERE name LIKE 'semantic%'",
    );
    expect(rows[0].count).toBe(32);
  });

  it('share a pool with other indexes', async () => {
    const pool = watchedPool();
    await using index = await openRead(pool);
    await using same = await open(pool);
    await using other = await open(pool, `${name}_other`);
    await other.addDocuments([{ id: 'other', text: 'number 5 of 5' }]);
    for (let round = 0; round < 3; round++) {
      expect(await same.search('number 5 of 5')).toEqual(await index.search('number 5 of 5'));
      expect((await other.search('number 5 of 5')).hits.map(({ id }) => id)).toEqual(['other']);
    }
  });
});

describe.skipIf(connectionString === undefined)('signals of statements of a PostgreSQL server', () => {
  const reason = new Error('no longer wanted');
  const limits = { lockTimeout: 0, statementTimeout: 0 };
  const first = 'SELECT pg_backend_pid() AS process, now()::text AS began, 1::float8 AS version';
  let pool: pg.Pool;
  let database: Database;
  const late = 300;

  /** The server receives the statement that sleeps after the signal was aborted and the statement was cancelled. */
  function abortBefore(controller: AbortController): void {
    before = (text) => {
      if (!text.includes('pg_sleep')) return undefined;
      setTimeout(() => controller.abort(reason), late / 3);
      return new Promise((resolve) => setTimeout(resolve, late));
    };
  }

  async function elapsed(work: Promise<unknown>): Promise<number> {
    const began = performance.now();
    await expect(work).rejects.toBe(reason);
    return performance.now() - began;
  }

  for (const kind of ['open', 'optimistic', 'writing'] as const) {
    it(`cancel a statement that the server receives after its cancellation (${kind} transaction)`, async () => {
      pool = new pg.Pool({ connectionString, Client: WatchedClient } as pg.PoolConfig);
      database = new Database({ pool, close: () => pool.end() }, limits);
      const controller = new AbortController();
      abortBefore(controller);
      const { signal } = controller;
      const sleep = 'SELECT pg_sleep(20)';
      const work =
        kind === 'open'
          ? database.read(first, (transaction) => transaction.query(sleep), signal)
          : kind === 'optimistic'
            ? (database.readAt(1, first, signal)?.query(sleep) as Promise<unknown>)
            : database.write((transaction) => transaction.query(sleep), signal);
      expect(await elapsed(work)).toBeLessThan(10_000);
      before = undefined;
      await database.close();
    });
  }

  it('leave the limit of time of a statement as it is', async () => {
    pool = new pg.Pool({ connectionString, Client: WatchedClient } as pg.PoolConfig);
    database = new Database({ pool, close: () => pool.end() }, { lockTimeout: 0, statementTimeout: 200 });
    for (const options of [{}, { isPlannedOnce: true }, { settings: 'SET LOCAL jit = off;' }]) {
      const read = database.readAt(1, first, undefined);
      await expect(read?.query('SELECT pg_sleep($1)', [20], options)).rejects.toMatchObject({ code: 'TIMEOUT' });
      expect(await read?.query('SELECT $1::int AS one', [1], options)).toEqual([{ one: 1 }]);
    }
    await database.close();
  });

  it('send no statement after a signal was aborted between two', async () => {
    pool = new pg.Pool({ connectionString, Client: WatchedClient } as pg.PoolConfig);
    database = new Database({ pool, close: () => pool.end() }, limits);
    const controller = new AbortController();
    sent.length = 0;
    const work = database.write(async (transaction) => {
      await transaction.query('SELECT 1');
      controller.abort(reason);
      await transaction.query('SELECT 2');
    }, controller.signal);
    await expect(work).rejects.toBe(reason);
    expect(sent).not.toContain('SELECT 2');
    await database.close();
  });
});
