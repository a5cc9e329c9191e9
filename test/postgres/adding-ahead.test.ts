import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { postgres, SemanticIndex } from '../../src/index.js';

const connectionString = process.env.SEMANTIC_INDEX_POSTGRES;

/** Runs before a statement is sent. */
let before: (text: string, client: pg.Client) => Promise<void> | undefined = () => undefined;

class WatchedClient extends pg.Client {
  // biome-ignore lint/suspicious/noExplicitAny: the overloads of `pg`.
  override query(...args: any[]): any {
    const [text] = args as [unknown];
    const first = typeof text === 'string' ? before(text, this) : undefined;
    const send = (): unknown => super.query(...(args as [string]));
    return first === undefined ? send() : first.then(send);
  }
}

describe.skipIf(connectionString === undefined)('batches of texts that the bundled model embeds', () => {
  const name = `adding_ahead_${process.pid}`;
  const pool = new pg.Pool({ connectionString, Client: WatchedClient } as pg.PoolConfig);
  const batchSize = 200;

  afterAll(async () => {
    before = () => undefined;
    await pool.query(`DROP SCHEMA IF EXISTS ${name} CASCADE`);
    await pool.end();
  });

  it('are stored without their documents while earlier ones are committed, a bounded number of them', async () => {
    await using index = await SemanticIndex.open(postgres({ pool, name }), { ann: { background: false } });
    await index.addDocuments([{ id: 'first', text: 'chooses the space' }]);
    const texts = Array.from(
      { length: 6 * batchSize },
      (_, place) => `text number ${place} of some ${'with many words '.repeat(30)}`,
    );
    let stored = 0;
    let storedAhead: number | undefined;
    let [seen, writer] = [(): void => {}, undefined as pg.Client | undefined];
    const another = new Promise<void>((resolve) => {
      seen = resolve;
    });
    before = (text, client) => {
      if (/^\s*INSERT INTO \S+\.vectors\b/.test(text) && ++stored === 2) seen();
      if (/^\s*INSERT INTO \S+\.documents\b/.test(text)) writer ??= client;
      if (text !== 'COMMIT' || client !== writer || storedAhead !== undefined) return undefined;
      storedAhead = 0;
      return Promise.race([another, setTimeout(20_000)]).then(async () => {
        // Longer than it takes to store all that are ready.
        await setTimeout(300);
        storedAhead = stored - 1;
      });
    };
    await index.addDocuments(texts, { batchSize });
    expect(storedAhead).toBeGreaterThanOrEqual(1);
    expect(storedAhead).toBeLessThanOrEqual(3);
    expect(stored).toBe(6);
    expect(await index.count()).toBe(1 + texts.length);
    const { hits } = await index.search('text number 77 of some', { mode: 'text', k: 1 });
    expect(hits[0]?.text).toBe(texts[77]);
  });
});
