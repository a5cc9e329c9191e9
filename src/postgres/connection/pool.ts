import { SemanticIndexError } from '../../errors.js';
import { describe, type PostgresClient, type PostgresPool, type ResolvedPostgresOptions } from '../../options.js';

/** Milliseconds that a statement waits for a free connection. */
const connectionTimeout = 30_000;

/** A pool, and how it is closed: not at all where the caller made it. */
export interface OpenPool {
  readonly pool: PostgresPool;
  readonly close: () => Promise<void>;
}

/** Connections and pools that have a listener already: indexes may share a pool. */
const heard = new WeakSet<PostgresClient | PostgresPool>();

/**
 * Without a listener, a connection that is lost between two statements ends the process. The next statement reports it.
 */
export function hearErrors(client: PostgresClient): void {
  if (heard.has(client)) return;
  heard.add(client);
  client.on?.('error', () => {});
}

/** A new connection may be lost before it has been lent: in the same turn of the event loop. */
function hearConnections(pool: PostgresPool): void {
  if (heard.has(pool)) return;
  heard.add(pool);
  pool.on?.('connect', hearErrors);
}

/**
 * The pool of the caller, or a new one of `pg`.
 *
 * @param timeout milliseconds that a reading waits for a free connection.
 * @throws MISSING_PEER, INVALID_ARGUMENT
 */
export async function openPool(
  options: Pick<ResolvedPostgresOptions, 'connectionString' | 'pool' | 'maxConnections'>,
  timeout = connectionTimeout,
): Promise<OpenPool> {
  if (options.pool !== undefined) {
    const pool = checkPool(options.pool);
    hearConnections(pool);
    return { pool, close: async () => {} };
  }
  const { Pool } = await importPg();
  const pool = new Pool({
    ...(options.connectionString !== undefined && { connectionString: options.connectionString }),
    max: options.maxConnections,
    connectionTimeoutMillis: timeout,
    application_name: 'semantic-index',
    // An idle connection does not keep the process alive.
    allowExitOnIdle: true,
  });
  // A connection that breaks while it is idle is replaced by the next one.
  pool.on('error', () => {});
  hearConnections(pool);
  return { pool, close: () => pool.end() };
}

async function importPg(): Promise<typeof import('pg')> {
  try {
    const imported = await import('pg');
    // CommonJS: what is exported is the default, and in newer versions also named.
    return (imported.default as typeof imported | undefined) ?? imported;
  } catch (cause) {
    throw new SemanticIndexError('MISSING_PEER', 'An index in PostgreSQL needs the package pg', {
      hint: 'Run: npm install pg',
      cause,
    });
  }
}

function checkPool(pool: PostgresPool): PostgresPool {
  if (typeof pool !== 'object' || pool === null || typeof pool.connect !== 'function') {
    throw new SemanticIndexError('INVALID_ARGUMENT', `postgres: expected a Pool of pg as pool, got ${describe(pool)}`, {
      hint: 'Pass new pg.Pool({ ... }), or a connectionString.',
    });
  }
  const { max } = (pool as { options?: { max?: unknown } }).options ?? {};
  if (pool.isSingle !== true && typeof max === 'number' && max < 2) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `postgres: expected a pool of at least 2 connections, got ${max}`,
      {
        hint: 'A search keeps its connection until its hits are read. Pass new pg.Pool({ max: 10 }).',
      },
    );
  }
  return pool;
}
