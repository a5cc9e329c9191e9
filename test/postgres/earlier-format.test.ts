import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgres } from '../../src/postgres/postgres-options.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { deterministicProvider } from '../../src/testing.js';

const connectionString = process.env.SEMANTIC_INDEX_POSTGRES;
const provider = deterministicProvider({ dimensions: 8 });

describe.skipIf(connectionString === undefined)('an index in PostgreSQL of an earlier format', () => {
  const name = `format_1_${process.pid}`;
  let admin: pg.Client;
  const open = (options: object = {}) =>
    SemanticIndex.open(postgres({ connectionString, name, ...options }), { provider, ann: { background: false } });

  beforeAll(async () => {
    admin = new pg.Client({ connectionString });
    await admin.connect();
    await admin.query(`DROP SCHEMA IF EXISTS ${name} CASCADE`);
  });
  afterAll(async () => {
    await admin.query(`DROP SCHEMA IF EXISTS ${name} CASCADE`);
    await admin.end();
  });

  it('is changed to the current one by the first that may write', async () => {
    {
      await using index = await open();
      await index.addDocuments(
        Array.from({ length: 30 }, (_, n) => ({ id: n, text: `word${n % 3} shared text ${n}`, metadata: { n } })),
      );
      await index.deleteDocuments([4, 5]);
    }
    // The tables as format 1 had them.
    await admin.query(`
      SET search_path = ${name};
      DROP TABLE term_lists, deleted, position;
      CREATE INDEX postings_by_term ON postings USING gin (terms);
      CREATE TABLE term_counts (term text COLLATE "C" NOT NULL, documents int NOT NULL);
      CREATE INDEX term_counts_by_term ON term_counts (term) INCLUDE (documents);
      INSERT INTO term_counts SELECT term, count(*) FROM postings, unnest(terms) AS term GROUP BY term;
      UPDATE settings SET value = '1' WHERE name = 'format';
      INSERT INTO settings VALUES ('writer', '0')`);
    await expect(open({ readonly: true })).rejects.toMatchObject({ code: 'READ_ONLY' });
    const [first, second] = await Promise.all([open(), open()]);
    await using one = first;
    await using other = second;
    for (const index of [one, other]) {
      const { hits } = await index.search('word1 shared', { mode: 'text', k: 40 });
      expect(hits).toHaveLength(28);
      expect(hits[0]?.id).toBe(1);
      expect(await index.validate({ level: 'full' })).toMatchObject({ valid: true });
    }
    await one.addDocuments([{ id: 'new', text: 'word1 word1 word1' }]);
    expect((await other.search('word1', { mode: 'text' })).hits[0]?.id).toBe('new');
  });
});
