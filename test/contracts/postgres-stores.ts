import pg from 'pg';
import type { OpenOptions, PostgresClient, PostgresPool } from '../../src/options.js';
import { openDefaults, type ResolvedOpenOptions } from '../../src/options.js';
import { PostgresBackend } from '../../src/postgres/postgres-backend.js';
import { type PostgresLocation, postgres, shardsOf } from '../../src/postgres/postgres-options.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { openShards } from '../../src/shards/open-shards.js';
import type { IndexUnderTest } from './backend.js';
import { type OpenedIndex, searchProvider } from './searches.js';

const options: ResolvedOpenOptions = { ...openDefaults, ann: { ...openDefaults.ann, background: false } };
let indexes = 0;

/** A pool over one connection of PGlite: PostgreSQL with pgvector, compiled to WebAssembly. */
export async function openPglite(): Promise<PostgresPool & { readonly end: () => Promise<void> }> {
  const { PGlite } = await import('@electric-sql/pglite');
  const { vector } = await import('@electric-sql/pglite-pgvector');
  const database = await PGlite.create({ extensions: { vector } });
  let free: Promise<void> = Promise.resolve();
  return {
    isSingle: true,
    connect: async (): Promise<PostgresClient> => {
      const before = free;
      const { promise, resolve } = withResolvers();
      free = promise;
      await before;
      return {
        query: (text: string, values?: unknown[]) =>
          values === undefined ? database.exec(text) : database.query(text, values),
        release: resolve,
      };
    },
    end: () => database.close(),
  };
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** A new index in a database. @param hasOthers whether it can be opened twice. */
export async function openInPostgres(pool: PostgresPool, hasOthers: boolean): Promise<IndexUnderTest> {
  const name = `test ${process.pid} "${++indexes}"`;
  const open = () => PostgresBackend.open(postgres({ pool, name }), options);
  const backend = await open();
  return {
    backend,
    ...(hasOthers && { another: open }),
    remove: () => dropSchema(pool, name),
  };
}

/** The place of a new index of shards in schemas of a server, and how it is removed. */
function newShards(address: string, count: number): { location: PostgresLocation; remove: () => Promise<void> } {
  const names = Array.from({ length: count }, (_, place) => `shard ${place} ${process.pid} ${++indexes}`);
  const location = postgres({
    maxConnections: 4,
    shards: names.map((name) => ({ connectionString: address, name })),
  });
  const remove = async (): Promise<void> => {
    const pool = new pg.Pool({ connectionString: address });
    for (const name of names) await dropSchema(pool, name);
    await pool.end();
  };
  return { location, remove };
}

/** A new index of shards in schemas of a server. */
export async function openShardsInPostgres(address: string, count: number): Promise<IndexUnderTest> {
  const { location, remove } = newShards(address, count);
  const shards = shardsOf(location) as readonly PostgresLocation[];
  const open = () =>
    openShards(
      shards.map((shard) => () => PostgresBackend.open(shard, options)),
      false,
    );
  return { backend: await open(), another: open, remove };
}

/** The same, for searches. */
export async function openIndexOfPostgresShards(
  address: string,
  count: number,
  options: OpenOptions = {},
): Promise<OpenedIndex> {
  const { location, remove } = newShards(address, count);
  const index = await SemanticIndex.open(location, {
    provider: searchProvider,
    ann: { background: false },
    ...options,
  });
  return { index, remove };
}

/** A new index in a database, for searches. */
export async function openIndexInPostgres(pool: PostgresPool, options: OpenOptions = {}): Promise<OpenedIndex> {
  const name = `searches ${process.pid} ${++indexes}`;
  const index = await SemanticIndex.open(postgres({ pool, name }), {
    provider: searchProvider,
    ann: { background: false },
    ...options,
  });
  return { index, remove: () => dropSchema(pool, name) };
}

export async function dropSchema(pool: PostgresPool, name: string): Promise<void> {
  const client = await pool.connect();
  await client.query(`DROP SCHEMA IF EXISTS "${name.replaceAll('"', '""')}" CASCADE`);
  client.release();
}

/** The server that `SEMANTIC_INDEX_POSTGRES` names, if any. */
export function serverPool(): pg.Pool | undefined {
  const connectionString = process.env.SEMANTIC_INDEX_POSTGRES;
  return connectionString === undefined ? undefined : new pg.Pool({ connectionString, max: 8 });
}
