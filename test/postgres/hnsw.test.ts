import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgres } from '../../src/postgres/postgres-options.js';
import { Random } from '../../src/random.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { openPglite } from '../contracts/postgres-stores.js';

const connectionString = process.env.SEMANTIC_INDEX_POSTGRES;
const dimensions = 24;
const random = new Random(7);
const vectorOf = (): Float32Array => Float32Array.from({ length: dimensions }, () => random.number() - 0.5);
const documents = Array.from({ length: 500 }, (_, id) => ({
  id,
  text: `text ${id}`,
  vector: vectorOf(),
  metadata: { third: id % 3, hundredth: id % 100 },
}));
const queries = Array.from({ length: 8 }, vectorOf);
const buildAt = 50;
let names = 0;

describe.each([
  ['PGlite', openPglite],
  ...(connectionString === undefined
    ? []
    : [['a server', async () => new pg.Pool({ connectionString, max: 4 })] as const]),
] as const)('HNSW indexes on %s', (_, openPool) => {
  let pool: Awaited<ReturnType<typeof openPool>>;
  beforeAll(async () => {
    pool = await openPool();
  });
  afterAll(async () => {
    await pool.end();
  });

  const newName = (): string => `hnsw_${process.pid}_${++names}`;
  const open = (name: string, options: { hnsw?: 'halfvec'; background?: boolean } = {}) =>
    SemanticIndex.open(postgres({ pool, name, ...(options.hnsw && { hnsw: options.hnsw }) }), {
      provider: null,
      ann: { background: options.background ?? false, sealAt: buildAt },
    });
  const sql = async (text: string): Promise<Record<string, unknown>[]> => {
    const client = await pool.connect();
    const result = (await client.query(text, [])) as { rows: Record<string, unknown>[] };
    client.release();
    return result.rows;
  };
  const indexesOf = async (name: string): Promise<string[]> => {
    const rows = await sql(
      `SELECT indexname FROM pg_indexes WHERE schemaname = '${name}' AND indexname LIKE 'vectors\\_hnsw%' ORDER BY 1`,
    );
    return rows.map(({ indexname }) => indexname as string);
  };
  const remove = (name: string) => sql(`DROP SCHEMA ${name} CASCADE`);

  /** Every search has min(k, matches) hits and finds nearly all that exact search finds, with the same scores. */
  async function expectEqualToExact(index: SemanticIndex, least = 0.98): Promise<void> {
    let [found, wanted] = [0, 0];
    for (const where of [undefined, { third: 1 }, { hundredth: 7 }]) {
      for (const query of queries) {
        const options = { k: 15, mode: 'vector', ...(where && { where }) } as const;
        const exact = (await index.search(query, { ...options, exact: true })).hits;
        const { hits } = await index.search(query, options);
        expect(hits).toHaveLength(exact.length);
        expect(new Set(hits.map(({ id }) => id)).size).toBe(hits.length);
        const scores = new Map(exact.map(({ id, score }) => [id, score]));
        for (const { id, score } of hits) if (scores.has(id)) expect(score).toBeCloseTo(scores.get(id) as number, 6);
        found += hits.filter(({ id }) => scores.has(id)).length;
        wanted += exact.length;
      }
    }
    expect(found / wanted).toBeGreaterThanOrEqual(least);
  }

  it('finds documents in indexes, and at once those added after them', async () => {
    const name = newName();
    const index = await open(name);
    await index.addDocuments(documents.slice(0, 150));
    expect(await indexesOf(name)).toEqual([]);
    await index.optimize();
    expect(await indexesOf(name)).toHaveLength(1);
    expect(await index.stats()).toMatchObject({ tail: 0, segments: [{ items: 150 }] });
    await index.addDocuments(documents.slice(150, 200));
    expect(await index.stats()).toMatchObject({ tail: 50 });
    for (const { id, vector } of documents.slice(0, 200).filter((_, place) => place % 7 === 0)) {
      const { hits } = await index.search(vector, { k: 1, mode: 'vector' });
      expect(hits[0]?.id).toBe(id);
    }
    await expectEqualToExact(index);
    // Changed and deleted ones are found as they are now.
    await index.addDocuments([
      { ...documents[5], id: 5, text: 'moved', vector: documents[450]?.vector as Float32Array },
    ]);
    await index.deleteDocuments([6, 175]);
    expect((await index.search(documents[450]?.vector as Float32Array, { k: 1, mode: 'vector' })).hits[0]?.text).toBe(
      'moved',
    );
    for (const gone of [5, 6, 175]) {
      const { hits } = await index.search(documents[gone]?.vector as Float32Array, { k: 3, mode: 'vector' });
      expect(hits.map(({ text }) => text)).not.toContain(`text ${gone}`);
    }
    await expectEqualToExact(index);
    expect(await index.validate({ level: 'full' })).toMatchObject({ valid: true });
    await index.close();
    await remove(name);
  });

  it('builds a few indexes of descending sizes, and one of all where asked', async () => {
    const name = newName();
    const index = await open(name, { hnsw: 'halfvec' });
    await index.addDocuments(documents.slice(0, 425));
    await index.optimize();
    await index.addDocuments(documents.slice(425, 430));
    await index.optimize();
    // Too many documents to be built again for these.
    expect((await index.stats()).segments.map(({ items }) => items)).toEqual([425, 5]);
    await expectEqualToExact(index);
    await index.addDocuments(documents.slice(430, 500));
    await index.optimize();
    expect((await index.stats()).segments.map(({ items }) => items)).toEqual([425, 75]);
    await expectEqualToExact(index);
    await index.optimize({ full: true });
    expect((await index.stats()).segments.map(({ items }) => items)).toEqual([500]);
    expect(await indexesOf(name)).toHaveLength(1);
    await expectEqualToExact(index);
    await index.close();
    // With another precision, all of it is built again.
    const other = await open(name);
    await expectEqualToExact(other);
    await other.optimize({ full: true });
    expect((await indexesOf(name))[0]).toMatch(/^vectors_hnsw_\d+_vector_0_/);
    await expectEqualToExact(other);
    await other.close();
    await remove(name);
  });

  it('builds in the background once enough documents are in no index', async () => {
    const name = newName();
    const index = await open(name, { background: true });
    for (let first = 0; first < 480; first += 240) await index.addDocuments(documents.slice(first, first + 240));
    await expect.poll(async () => (await index.stats()).tail, { timeout: 30_000, interval: 200 }).toBe(0);
    await expectEqualToExact(index);
    await index.close();
    await remove(name);
  });

  it('replaces the index of an earlier version and what a build that died has left', async () => {
    const name = newName();
    const index = await open(name);
    await index.addDocuments(documents.slice(0, 100));
    const [space] = await sql(`SELECT space FROM "${name}".spaces`);
    const expression = `((data::vector(${dimensions})) vector_cosine_ops)`;
    const earlier = `vectors_hnsw_${space?.space}`;
    await sql(
      `CREATE INDEX ${earlier} ON ${name}.vectors USING hnsw ${expression} WHERE space = ${space?.space} AND role <> 1`,
    );
    await sql(`CREATE INDEX ${earlier}_vector_0_5 ON ${name}.vectors USING hnsw ${expression} WHERE vector <= 5`);
    await sql(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = '${name}.${earlier}_vector_0_5'::regclass`);
    await index.close();
    const later = await open(name);
    expect(await later.stats()).toMatchObject({ tail: 0, segments: [{ file: earlier, items: 100 }] });
    await later.addDocuments(documents.slice(100, 130));
    expect(await later.stats()).toMatchObject({ tail: 0, segments: [{ file: earlier, items: 130 }] });
    await expectEqualToExact(later);
    await later.optimize();
    expect(await indexesOf(name)).toEqual([expect.stringMatching(`^${earlier}_vector_0_[1-9]\\d\\d$`)]);
    expect(await later.stats()).toMatchObject({ tail: 0, segments: [{ items: 130 }] });
    await expectEqualToExact(later);
    await later.close();
    await remove(name);
  });
});
