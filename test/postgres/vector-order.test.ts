import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgres, SemanticIndex } from '../../src/index.js';

const connectionString = process.env.SEMANTIC_INDEX_POSTGRES;

describe.skipIf(connectionString === undefined)('the table of vectors', () => {
  const [name, source] = [`vector_order_${process.pid}`, `vector_order_source_${process.pid}`];
  const pool = new pg.Pool({ connectionString });
  const rows = async <T extends pg.QueryResultRow>(text: string): Promise<T[]> => (await pool.query<T>(text)).rows;
  const drop = (schema: string): Promise<unknown> => pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  const open = (schema: string): Promise<SemanticIndex> =>
    SemanticIndex.open(postgres({ pool, name: schema }), { ann: { background: false } });

  beforeAll(async () => {
    await using index = await open(name);
    await index.addDocuments([{ id: 'first', text: 'chooses the space' }]);
  });

  afterAll(async () => {
    await Promise.all([name, source].map(drop));
    await pool.end();
  });

  it('is in the order of the documents of a batch', async () => {
    await using index = await open(name);
    const texts = Array.from({ length: 1_200 }, (_, place) => `text number ${place}`);
    await index.addDocuments(texts, { batchSize: 1_200 });
    const found = await rows<{ text: string }>(
      `SELECT convert_from(d.text, 'UTF8') AS text FROM ${name}.vectors v JOIN ${name}.documents d USING (vector)
       WHERE d.id <> 's:first' ORDER BY v.vector`,
    );
    const numbers = found.flatMap(({ text }) => /number (\d+)/.exec(text)?.[1] ?? []).map(Number);
    expect(numbers).toEqual(Array.from({ length: 1_200 }, (_, place) => place));
  });

  it('takes what two writers insert in opposite orders', async () => {
    await using index = await open(name);
    /** Whether the server ended the statement of the index, rather than that of the other writer. */
    const contend = async (texts: readonly [string, string]): Promise<boolean> => {
      const insertOf = (text: string): string =>
        `INSERT INTO ${name}.vectors (space, role, hash, data)
         SELECT v.space, v.role, v.hash, v.data FROM ${source}.vectors v JOIN ${source}.documents d USING (vector)
         WHERE convert_from(d.text, 'UTF8') = '${text}' ON CONFLICT (hash, space, role) DO NOTHING`;
      const other = await pool.connect();
      try {
        await other.query(`BEGIN; ${insertOf(texts[1])}`);
        const adding = index.addDocuments([...texts]);
        adding.catch(() => {});
        const waits = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INTO ${name}.vectors%'
          OR wait_event_type = 'Lock' AND query LIKE '%INTO "${name}".vectors%'`;
        while ((await rows(waits)).length === 0) await setTimeout(5);
        // The index waits for the second one: now each waits for the other, and the server ends the statement that has waited longer.
        const ended = await other.query(`${insertOf(texts[0])}; COMMIT`).then(
          () => true,
          (error: { code?: string }) => {
            if (error.code !== '40P01') throw error;
            return false;
          },
        );
        if (!ended) await other.query('ROLLBACK');
        await adding;
        return ended;
      } finally {
        other.release(true);
      }
    };
    const textsOf = (round: number): [string, string] => [
      `is inserted first here ${round}`,
      `is inserted first there ${round}`,
    ];
    {
      await using other = await open(source);
      await other.addDocuments(Array.from({ length: 8 }, (_, round) => textsOf(round)).flat());
    }
    const before = await index.count();
    // On a busy machine the index may have looked for a deadlock before there was one; then the other writer is ended.
    let round = 0;
    while (!(await contend(textsOf(round)))) expect(++round).toBeLessThan(8);
    const texts = textsOf(round);
    expect(await index.count()).toBe(before + 2 * (round + 1));
    const { hits } = await index.search(texts[0], { exact: true, k: 1 });
    expect(hits[0]?.text).toBe(texts[0]);
    const doubled = await rows(`SELECT hash FROM ${name}.vectors GROUP BY hash, space, role HAVING count(*) > 1`);
    expect(doubled).toEqual([]);
  });
});
