import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PostgresOptions } from '../../src/options.js';
import { postgres } from '../../src/postgres/postgres-options.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { deterministicProvider } from '../../src/testing.js';
import type { IndexEvent, ReplicaEvent } from '../../src/types.js';
import { openTcpProxy, type TcpProxy } from './tcp-proxy.js';

const [primary = '', replica = ''] = [process.env.SEMANTIC_INDEX_POSTGRES, process.env.SEMANTIC_INDEX_POSTGRES_REPLICA];
const provider = deterministicProvider({ dimensions: 8 });

describe.skipIf(replica === '')('replicas of a PostgreSQL server', () => {
  const name = `replicas_${process.pid}`;
  let [onPrimary, onReplica]: pg.Client[] = [];
  let [toPrimary, toReplica]: TcpProxy[] = [];
  let index: SemanticIndex;
  let events: ReplicaEvent[];
  const open = (options: PostgresOptions = {}): Promise<SemanticIndex> =>
    SemanticIndex.open(
      postgres({
        connectionString: toPrimary?.address,
        name,
        replicas: [{ connectionString: toReplica?.address }],
        ...options,
      }),
      {
        provider,
        ann: { background: false },
        onEvent: (event: IndexEvent) => {
          if (event.type === 'replica') events.push(event);
        },
      },
    );
  const states = (): string[] => events.map(({ state }) => state);
  /** Waits until the replica has what was written before. */
  const received = async (): Promise<void> => {
    const { rows } = await (onPrimary as pg.Client).query('SELECT pg_current_wal_flush_lsn()::text AS lsn');
    for (let look = 0; look < 1_000; look++) {
      const { rows: seen } = await (onReplica as pg.Client).query(
        'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done',
        [rows[0].lsn],
      );
      if (seen[0].done === true) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error('The replica does not follow its server');
  };
  const idsOf = async (query: string, consistency?: 'session' | 'eventual' | 'strong'): Promise<unknown[]> => {
    const { hits } = await index.search(query, { mode: 'text', consistency });
    return hits.map(({ id }) => id);
  };

  beforeAll(async () => {
    onPrimary = new pg.Client({ connectionString: primary });
    onReplica = new pg.Client({ connectionString: replica });
    await onPrimary.connect();
    await onReplica.connect();
  });
  afterAll(async () => {
    await onPrimary?.end();
    await onReplica?.end();
  });
  beforeEach(async () => {
    events = [];
    toPrimary = await openTcpProxy(primary);
    toReplica = await openTcpProxy(replica);
    index = await open();
    await index.addDocuments([
      { id: 'a', text: 'apples and pears', metadata: { n: 1 } },
      { id: 'b', text: 'bread and butter', metadata: { n: 2 } },
    ]);
    await received();
  });
  afterEach(async () => {
    await onReplica?.query('SELECT pg_wal_replay_resume()');
    await index.close();
    toPrimary?.close();
    toReplica?.close();
    await onPrimary?.query(`DROP SCHEMA ${name} CASCADE`);
    await received();
  });

  it('answers from the replica', async () => {
    await index.search('apples');
    toPrimary?.lose();
    expect(await idsOf('apples')).toEqual(['a']);
    expect((await index.search('apples', { where: { n: { $gte: 1 } }, facets: ['n'] })).hits[0]?.id).toBe('a');
    expect((await index.searchMany(['bread', 'pears'], { k: 1 })).map(({ hits }) => hits[0]?.id)).toEqual(['b', 'a']);
    expect(await index.suggest('app')).toMatchObject([{ word: 'apples' }]);
    expect((await index.facets({ fields: ['n'] })).facets.n?.counts).toHaveLength(2);
    expect((await index.listDocuments({ sort: { field: 'n' } })).documents.map(({ id }) => id)).toEqual(['a', 'b']);
    await expect(idsOf('apples', 'strong')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(index.addDocuments(['new'])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(events).toEqual([]);
    toPrimary?.restore();
    expect(await index.addDocuments([{ id: 'c', text: 'cherries' }])).toMatchObject({ added: 1 });
    expect(await idsOf('cherries')).toEqual(['c']);
  });

  it('reads its own writes from the primary while the replica is behind', async () => {
    expect(await idsOf('apples')).toEqual(['a']);
    await onReplica?.query('SELECT pg_wal_replay_pause()');
    await index.addDocuments([{ id: 'c', text: 'cherries and apples' }]);
    await index.deleteDocuments(['a']);
    expect(await idsOf('apples', 'eventual')).toEqual(['a']);
    expect(await idsOf('apples')).toEqual(['c']);
    expect(await idsOf('apples', 'strong')).toEqual(['c']);
    expect(states()).toEqual(['behind']);
    await onReplica?.query('SELECT pg_wal_replay_resume()');
    await received();
    await expect
      .poll(async () => [await idsOf('apples'), ...states()], { timeout: 10_000 })
      .toEqual([['c'], 'behind', 'restored']);
    expect(await idsOf('apples', 'eventual')).toEqual(['c']);
  });

  it('waits for a replica that will have its writes soon', async () => {
    await index.close();
    index = await open({ replicaTimeout: 20_000 });
    expect(await idsOf('apples')).toEqual(['a']);
    await onReplica?.query('SELECT pg_wal_replay_pause()');
    await index.addDocuments([{ id: 'c', text: 'cherries' }]);
    toPrimary?.lose();
    let isDone = false;
    const found = idsOf('cherries').finally(() => {
      isDone = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isDone).toBe(false);
    await onReplica?.query('SELECT pg_wal_replay_resume()');
    expect(await found).toEqual(['c']);
    expect(events).toEqual([]);
  });

  it('waits longer for a replica that is behind while the primary is lost', async () => {
    expect(await idsOf('apples')).toEqual(['a']);
    await onReplica?.query('SELECT pg_wal_replay_pause()');
    await index.addDocuments([{ id: 'c', text: 'cherries' }]);
    toPrimary?.lose();
    let isDone = false;
    const found = idsOf('cherries').finally(() => {
      isDone = true;
    });
    await expect.poll(states, { timeout: 10_000 }).toEqual(['behind']);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(isDone).toBe(false);
    await onReplica?.query('SELECT pg_wal_replay_resume()');
    expect(await found).toEqual(['c']);
    expect(states()).toEqual(['behind', 'restored']);
  });

  it('reads from a primary that is back while the replica is behind', async () => {
    expect(await idsOf('apples')).toEqual(['a']);
    await onReplica?.query('SELECT pg_wal_replay_pause()');
    await index.addDocuments([{ id: 'c', text: 'cherries' }]);
    toPrimary?.lose();
    const found = idsOf('cherries');
    await expect.poll(states, { timeout: 10_000 }).toEqual(['behind']);
    toPrimary?.restore();
    expect(await found).toEqual(['c']);
  });

  it('waits no longer than statementTimeout, or until its signal, for a replica while the primary is lost', async () => {
    await index.close();
    index = await open({ statementTimeout: 400 });
    expect(await idsOf('apples')).toEqual(['a']);
    await onReplica?.query('SELECT pg_wal_replay_pause()');
    await index.addDocuments([{ id: 'c', text: 'cherries' }]);
    toPrimary?.lose();
    await expect(idsOf('cherries')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      hint: expect.stringContaining('eventual'),
    });
    expect(await idsOf('apples', 'eventual')).toEqual(['a']);
    await index.close();
    toPrimary?.restore();
    index = await open();
    expect(await idsOf('apples', 'strong')).toEqual(['a']);
    await index.updateMetadata([{ id: 'a', metadata: { n: 5 } }]);
    toPrimary?.lose();
    await expect(index.search('apples', { signal: AbortSignal.timeout(500) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });

  it('never goes back to an earlier state than it has seen', async () => {
    await onReplica?.query('SELECT pg_wal_replay_pause()');
    await using other = await open({ replicas: [] });
    await other.addDocuments([{ id: 'c', text: 'cherries' }]);
    expect(await idsOf('cherries')).toEqual([]);
    expect(await idsOf('cherries', 'strong')).toEqual(['c']);
    expect(await idsOf('cherries')).toEqual(['c']);
  });

  it('goes on without a lost replica, and uses it when it is back', async () => {
    expect(await idsOf('apples')).toEqual(['a']);
    toReplica?.lose();
    for (let search = 0; search < 20; search++) expect(await idsOf('apples')).toEqual(['a']);
    expect(states()).toEqual(['lost']);
    expect(events[0]).toMatchObject({ error: { code: 'UNAVAILABLE' }, message: expect.stringContaining('primary') });
    expect(JSON.stringify(events)).not.toContain('postgres@');
    toReplica?.restore();
    await expect
      .poll(async () => [await idsOf('apples'), ...states()], { timeout: 20_000 })
      .toEqual([['a'], 'lost', 'restored']);
    toPrimary?.lose();
    expect(await idsOf('apples')).toEqual(['a']);
  });

  it('repeats searches whose replica is lost on the way', async () => {
    let isDone = false;
    const searches = Promise.all(
      Array.from({ length: 3 }, async () => {
        while (!isDone) expect(await idsOf('apples')).toEqual(['a']);
      }),
    );
    for (let time = 0; time < 20; time++) {
      toReplica?.lose();
      await new Promise((resolve) => setTimeout(resolve, 15 + ((time * 7) % 31)));
      toReplica?.restore();
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    isDone = true;
    await searches;
    expect(states()).toContain('lost');
  });

  it('does not read from another index of the same name', async () => {
    const database = `other_${process.pid}`;
    await onPrimary?.query(`CREATE DATABASE ${database}`);
    const url = new URL(primary);
    url.pathname = database;
    try {
      await using other = await open({ connectionString: url.href, replicas: [] });
      await other.addDocuments([{ id: 'z', text: 'apples' }]);
      for (let write = 0; write < 5; write++) await other.addDocuments([{ id: write, text: `text ${write}` }]);
      await index.close();
      index = await open({ replicas: [{ connectionString: url.href }] });
      expect(await idsOf('apples')).toEqual(['a']);
      expect(await idsOf('apples', 'eventual')).toEqual(['a']);
      expect(events).toMatchObject([{ state: 'lost', error: { message: expect.stringContaining('another index') } }]);
    } finally {
      await onPrimary?.query(`DROP DATABASE ${database} WITH (FORCE)`);
    }
  });

  it('searches shards with replicas of their own', async () => {
    const shards = [0, 1].map((place) => ({
      connectionString: toPrimary?.address,
      name: `${name}_${place}`,
      replicas: [{ connectionString: toReplica?.address }],
    }));
    const texts = Array.from({ length: 20 }, (_, n) => ({ id: n, text: `number ${n} of apples` }));
    // On a busy machine a replica follows later: with less patience the primary would be asked.
    const location = postgres({ shards, replicaTimeout: 20_000 });
    await using sharded = await SemanticIndex.open(location, { provider, ann: { background: false } });
    await sharded.addDocuments(texts);
    await received();
    await sharded.search('apples');
    toPrimary?.lose();
    expect((await sharded.search('apples', { k: 20, mode: 'text' })).hits).toHaveLength(20);
    toPrimary?.restore();
    await onPrimary?.query(`DROP SCHEMA ${name}_0 CASCADE; DROP SCHEMA ${name}_1 CASCADE`);
  });
});
