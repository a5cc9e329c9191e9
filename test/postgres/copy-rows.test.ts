import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PostgresClient } from '../../src/options.js';
import { CopyRows, canCopy, copyRows } from '../../src/postgres/connection/copy.js';
import { MessageWriter } from '../../src/postgres/connection/message-writer.js';
import { invertTerms } from '../../src/postgres/tables/inverted-terms.js';
import { decodePostings, encodePostings, sliceOf } from '../../src/postgres/tables/postings.js';

const connectionString = process.env.SEMANTIC_INDEX_POSTGRES;

describe('inverted terms', () => {
  it('have the postings of each term in the order of keys', async () => {
    const documents = [
      { length: 7, terms: ['late', 'both'], frequencies: [3, 4] },
      { length: 5, terms: ['both', 'early'], frequencies: [1, 2] },
      { length: 0, terms: [], frequencies: [] },
    ];
    const { terms, starts, postings } = await invertTerms([2 ** 40, 6, 9], documents);
    const found = terms.map((term, place) => {
      const bytes = new MessageWriter(1);
      encodePostings(sliceOf(postings, starts[place] as number, starts[place + 1] as number), bytes);
      const { keys, frequencies, lengths } = decodePostings(bytes.take(), 0);
      return [term, [...keys], [...frequencies], [...lengths]];
    });
    expect(found).toEqual([
      ['both', [6, 2 ** 40], [1, 4], [5, 7]],
      ['early', [6], [2], [5]],
      ['late', [2 ** 40], [3], [7]],
    ]);
  });
});

describe.skipIf(connectionString === undefined)('COPY of rows into a PostgreSQL server', () => {
  let client: pg.Client;
  const lent = (): PostgresClient => client as unknown as PostgresClient;
  const copy = (rows: CopyRows): Promise<void> =>
    copyRows(lent(), 'rows (key, n, name, list, numbers, data)', rows.take());

  beforeAll(async () => {
    client = new pg.Client({ connectionString });
    client.on('error', () => {});
    await client.connect();
    await client.query(
      'CREATE TEMP TABLE rows (key bigint PRIMARY KEY, n int, name text, list text[], numbers int[], data bytea)',
    );
  });
  afterAll(() => client.end().catch(() => {}));

  function row(rows: CopyRows, key: number, name: string, list: string[], numbers: number[]): void {
    rows.row(6);
    rows.int8(key);
    rows.int4(numbers.length);
    rows.text(name);
    rows.texts(list);
    rows.int4s(numbers);
    rows.bytea((bytes) => {
      for (const number of numbers) bytes.varint(number);
    });
  }

  it('stores what it was given', async () => {
    expect(canCopy(lent())).toBe(true);
    const rows = new CopyRows(1);
    row(rows, Number.MAX_SAFE_INTEGER, 'größer 𝒳 \t\\N', ['a"b', "it's", 'NULL', ''], [0, 127, 128, 2 ** 31 - 1]);
    row(rows, 1, '', [], []);
    row(rows, 2 ** 32, 'x'.repeat(10_000), ['y'.repeat(3_000)], [300]);
    await copy(rows);
    const { rows: stored } = await client.query(
      'SELECT key::text, n, name, list, numbers, data FROM rows ORDER BY key',
    );
    expect(stored).toEqual([
      { key: '1', n: 0, name: '', list: [], numbers: [], data: Buffer.alloc(0) },
      {
        key: String(2 ** 32),
        n: 1,
        name: 'x'.repeat(10_000),
        list: ['y'.repeat(3_000)],
        numbers: [300],
        data: Buffer.from([0xac, 0x02]),
      },
      {
        key: String(Number.MAX_SAFE_INTEGER),
        n: 4,
        name: 'größer 𝒳 \t\\N',
        list: ['a"b', "it's", 'NULL', ''],
        numbers: [0, 127, 128, 2 ** 31 - 1],
        data: Buffer.from([0, 127, 0x80, 1, 0xff, 0xff, 0xff, 0xff, 7]),
      },
    ]);
  });

  it('reports what the server refuses, and leaves the connection as it was', async () => {
    const rows = new CopyRows(1);
    for (const key of [7, 8, 7]) row(rows, key, 'twice', [], []);
    await expect(copy(rows)).rejects.toMatchObject({ code: '23505' });
    await expect(copyRows(lent(), 'no_such_table (n)', new CopyRows(1).take())).rejects.toMatchObject({
      code: '42P01',
    });
    expect((await client.query('SELECT count(*)::int AS n FROM rows WHERE name = $1', ['twice'])).rows).toEqual([
      { n: 0 },
    ]);
  });

  it('reports a connection that is lost', async () => {
    const { rows: own } = await client.query('SELECT pg_backend_pid() AS process');
    const admin = new pg.Client({ connectionString });
    await admin.connect();
    const ending = admin.query('SELECT pg_terminate_backend($1)', [own[0].process]);
    const copies = async (): Promise<void> => {
      for (;;) await copy(new CopyRows(1));
    };
    await expect(copies()).rejects.toThrow(/terminat|connection|queryable/i);
    await ending;
    await admin.end();
  });
});
