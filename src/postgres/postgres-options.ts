import { SemanticIndexError } from '../errors.js';
import {
  describe,
  openDefaults,
  type PostgresOptions,
  type PostgresReplica,
  type PostgresShard,
  postgresDefaults,
  type ResolvedOpenOptions,
  type ResolvedPostgresOptions,
  resolveOptions,
} from '../options.js';
import { checkSchemaName, publicAddress } from './connection/names.js';

const isPostgresAddress = /^postgres(?:ql)?:\/\//;

let locate: (options: ResolvedPostgresOptions, shards?: readonly PostgresLocation[]) => PostgresLocation;
/** The checked options of a location. */
export let optionsOf: (location: PostgresLocation) => ResolvedPostgresOptions;
/** The locations of the shards of an index; undefined for one in one database. */
export let shardsOf: (location: PostgresLocation) => readonly PostgresLocation[] | undefined;

/** Where an index in PostgreSQL is; made by `postgres`. */
export class PostgresLocation {
  readonly #options: ResolvedPostgresOptions;
  readonly #shards: readonly PostgresLocation[] | undefined;

  private constructor(options: ResolvedPostgresOptions, shards: readonly PostgresLocation[] | undefined) {
    this.#options = options;
    this.#shards = shards;
  }

  /** @internal */
  static {
    locate = (options, shards) => new PostgresLocation(options, shards);
    optionsOf = (location) => location.#options;
    shardsOf = (location) => location.#shards;
  }

  /** Server, database and name, without password; those of all shards. */
  toString(): string {
    if (this.#shards !== undefined) return this.#shards.join(' + ');
    const { connectionString, name } = this.#options;
    return `${publicAddress(connectionString)}#${name}`;
  }
}

/**
 * Names an index in PostgreSQL with pgvector, for `SemanticIndex.open`. Documents, vectors and terms are in one schema of the database;
 * several processes and machines may use it. Needs the package `pg`, PostgreSQL 14 or later, and pgvector 0.8 or later.
 *
 * @example
 * const index = await SemanticIndex.open(postgres({ connectionString: 'postgres://app@db.example.com/app', name: 'articles' }));
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION
 */
export function postgres(options: PostgresOptions = {}): PostgresLocation {
  const resolved = resolveOptions('postgres', options, postgresDefaults) as ResolvedPostgresOptions;
  const { name, maxConnections, hnsw, statementTimeout, replicas = [], replicaTimeout } = resolved;
  checkDatabase(resolved);
  checkReplicas(replicas);
  if (!Number.isInteger(maxConnections) || maxConnections < 2) {
    throw invalid(`expected maxConnections of at least 2, got ${describe(maxConnections)}`, 'Each search uses one.');
  }
  if (hnsw !== 'vector' && hnsw !== 'halfvec') {
    throw invalid(`expected hnsw 'vector' or 'halfvec', got ${describe(hnsw)}`, "The default is 'vector'.");
  }
  if (!isMilliseconds(statementTimeout)) {
    throw invalid(`expected statementTimeout in milliseconds, got ${describe(statementTimeout)}`, '0 for none.');
  }
  if (!isMilliseconds(replicaTimeout)) {
    throw invalid(`expected replicaTimeout in milliseconds, got ${describe(replicaTimeout)}`, '0 not to wait.');
  }
  checkSchemaName(name);
  return locate(resolved, resolved.shards && shardsWith(resolved, resolved.shards));
}

function isMilliseconds(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}

function checkDatabase({ connectionString, pool }: PostgresReplica): void {
  if (connectionString !== undefined && pool !== undefined) {
    throw invalid('expected either connectionString or pool, got both', 'A pool has its own address.');
  }
  if (connectionString !== undefined && !isPostgresAddress.test(connectionString)) {
    // Not repeated: it may hold a password.
    throw invalid(
      'expected a connectionString that begins with postgres://',
      'postgres://user:password@host:5432/database',
    );
  }
}

function checkReplicas(replicas: readonly PostgresReplica[]): void {
  for (const replica of replicas) {
    const resolved = resolveOptions('postgres: replicas', replica, { connectionString: undefined, pool: undefined });
    checkDatabase(resolved as PostgresReplica);
    if (Object.values(resolved).every((value) => value === undefined)) {
      throw invalid('a replica has no address', 'Give each one a connectionString or a pool.');
    }
  }
}

/** Most shards: each search asks all of them. */
const maxShards = 256;

function shardsWith(
  { connectionString, pool, replicas, shards: _, ...shared }: ResolvedPostgresOptions,
  shards: readonly PostgresShard[],
): PostgresLocation[] {
  if (shards.length < 2 || shards.length > maxShards) {
    throw invalid(
      `expected a list of 2 to ${maxShards} shards, got ${describe(shards)}`,
      'Leave it out for one database.',
    );
  }
  if (connectionString !== undefined || pool !== undefined || replicas !== undefined) {
    const hint = 'Each shard has a connectionString or a pool, and replicas of its own.';
    throw invalid('expected either shards or one database, got both', hint);
  }
  const pools = shards.map((shard) => shard?.pool).filter((own) => own !== undefined);
  if (new Set(pools).size < pools.length) {
    throw invalid('two shards share a pool', 'A search keeps a connection of each shard: pass a pool for each.');
  }
  const locations = shards.map((shard) =>
    postgres({
      ...shared,
      ...(resolveOptions('postgres: shards', shard, shardDefaults(shared.name)) as PostgresShard),
    }),
  );
  const places = locations.flatMap((location, place) => (shards[place]?.pool === undefined ? [String(location)] : []));
  if (new Set(places).size < places.length) {
    throw invalid('two shards are the same schema of the same database', 'Give them other names, or other databases.');
  }
  return locations;
}

function shardDefaults(name: string): Required<PostgresShard> {
  return { connectionString: undefined, pool: undefined, name, replicas: undefined };
}

function invalid(problem: string, hint: string): SemanticIndexError {
  return new SemanticIndexError('INVALID_ARGUMENT', `postgres: ${problem}`, { hint });
}

/** The location that an address such as `postgres://host/database#name` names; undefined for other strings, such as paths. */
export function locationOfAddress(address: string): PostgresLocation | undefined {
  if (!isPostgresAddress.test(address)) return undefined;
  const hash = address.indexOf('#');
  if (hash < 0) return postgres({ connectionString: address });
  const name = decodeURIComponent(address.slice(hash + 1));
  return postgres({ connectionString: address.slice(0, hash), ...(name !== '' && { name }) });
}

/** What cannot be, by name: what to do instead. */
const unsupportedAnn: Readonly<Record<string, string>> = {
  trees: 'An HNSW index has no trees: leave it out.',
  seed: 'HNSW indexes are built by the server: leave it out.',
  threads: 'Set max_parallel_maintenance_workers on the server.',
  loadMode: 'Warm the index with pg_prewarm.',
};

/** @throws UNSUPPORTED for options of directories that have no meaning here. */
export function checkOpenOptions({ ann, storage }: ResolvedOpenOptions): void {
  for (const [name, hint] of Object.entries(unsupportedAnn)) {
    const value = (ann as unknown as Record<string, unknown>)[name];
    if (value === (openDefaults.ann as unknown as Record<string, unknown>)[name]) continue;
    throw new SemanticIndexError('UNSUPPORTED', `SemanticIndex.open: ann.${name} is for indexes in a directory`, {
      hint,
    });
  }
  if (storage.durability !== openDefaults.storage.durability) {
    throw new SemanticIndexError(
      'UNSUPPORTED',
      'SemanticIndex.open: storage.durability is for indexes in a directory',
      {
        hint: 'PostgreSQL makes every commit durable, unless synchronous_commit is off on the server.',
      },
    );
  }
}

/** Options of an open index, from those of its location and of `open`. */
export interface BackendOptions {
  readonly readonly: boolean;
  readonly background: boolean;
  /** Documents from which an HNSW index is built in the background. */
  readonly buildAt: number;
  readonly hnsw: 'vector' | 'halfvec';
  readonly queryCache: number;
}
