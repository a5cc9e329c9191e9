import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { EmbeddingProvider, IndexEvent, Metadata, Metric } from '../types.js';
import type { Listed, Resolved } from './resolve-options.js';

/** Type of a declared metadata field. */
export type FieldType = 'string' | 'number' | 'boolean';

/** Approximate nearest neighbor search: how segments are built and searched. */
export interface AnnOptions {
  /** Trees of each segment's forest. Default 10. */
  trees?: number | undefined;
  /**
   * Items examined in each segment per search. Higher values are slower and find more. Default: derived from `k` and the number
   * of items, or the setting that `tune` found.
   */
  searchK?: number | undefined;
  /** Documents without a segment that trigger the build of one. Fewer are searched exactly. Default 20,000. */
  sealAt?: number | undefined;
  /** Seed of the random choices of a build. Default 0. */
  seed?: number | undefined;
  /** Threads of a build; -1 means one per core. Default -1. */
  threads?: number | undefined;
  /** `lazy` maps the file of a segment at its first search, `eager` at open. Default `lazy`. */
  loadMode?: 'lazy' | 'eager' | undefined;
  /** Build, merge and repair segments in the background. Default true. With false, `optimize()` does so. */
  background?: boolean | undefined;
}

/** Caches of embeddings. */
export interface CacheOptions {
  /**
   * Path of a vector cache that several indexes share: a text that one of them has embedded costs the others nothing. Created if
   * missing; may be deleted at any time. Default: each index has its own vectors only.
   */
  embeddings?: string | undefined;
  /**
   * Maximum size of that file in bytes. The least recently used vectors (to the hour) are evicted first. Default 4 GiB, about 2.5
   * million vectors of 384 dimensions.
   */
  embeddingsMaxBytes?: number | undefined;
  /**
   * Number of query vectors kept on disk, so that a repeated query is not embedded again; the least recently used are evicted
   * first. 0 turns the cache off. Providers with `fast: true`, such as the bundled one, are not cached. Default 10,000.
   */
  queries?: number | undefined;
}

/** Durability and locking of the database. */
export interface StorageOptions {
  /**
   * `process`: acknowledged writes survive the death of the process (kill -9). `full`: also a power cut, at the cost of one fsync
   * per commit. Default `process`.
   */
  durability?: 'process' | 'full' | undefined;
  /** Milliseconds that a write waits for the writer of another process before it fails with BUSY. Default 10,000. */
  busyTimeout?: number | undefined;
}

/**
 * Options of `SemanticIndex.open(directory, options)`.
 *
 * @example
 * const options: OpenOptions = { readonly: true, ann: { loadMode: 'eager' } };
 */
export interface OpenOptions<M extends Metadata = Metadata> {
  /**
   * Turns texts into vectors. Default: the bundled English model, which works offline. `null` for an index whose vectors all come
   * from the caller.
   */
  provider?: EmbeddingProvider | null | undefined;
  /** Distance between vectors, fixed at creation. Default: that of the index; `angular` (cosine) for a new one. */
  metric?: Metric | undefined;
  /**
   * Types of metadata fields that filters use often: `{ year: 'number', 'author.name': 'string' }`. Each gets an SQL index, and added
   * documents must have a value of that type there, null, or none. Default: the fields the index was last opened with; `{}`
   * drops them.
   */
  fields?: Readonly<Record<string, FieldType>> | undefined;
  /**
   * Language of the texts, which decides how words are stemmed: an ISO 639-1 code such as `de`, or `auto` to detect that of each
   * document. Another language than before has the words of all documents indexed again, in the background and without embedding.
   * Default: that of the index; `en` for a new one.
   */
  language?: string | undefined;
  /**
   * Path of the metadata field that names the language of a document (`de`, `pt-BR`); documents without one are in the language of the
   * index. Null for none. Default: that of the index.
   */
  languageField?: string | null | undefined;
  /**
   * Fields of the texts of documents, such as `{ title: 3, body: 1 }`, with the weights of their words: integers from 0 to 100. Then the
   * text of a document may be `{ title, body }`; a word in a field with weight 3 counts as three words (BM25F). 0: the words of the
   * field are not searched. Names are fixed at creation; other weights have the words of all documents indexed again, in the background
   * and without embedding. Default: those of the index; none for a new one.
   */
  textFields?: Readonly<Record<string, number>> | undefined;
  /**
   * What is embedded of a text with fields: `{name}` for the value of a field. A line whose fields are all missing is left out. Fixed at
   * creation. Default: that of the index; for a new one all fields, with a blank line between two.
   */
  textTemplate?: string | undefined;
  /**
   * Validates the metadata of added documents and may transform it: a schema of zod, valibot, arktype or another library that
   * implements Standard Schema. It also types `where` and hits. Default: any JSON object.
   */
  schema?: StandardSchemaV1<unknown, M> | undefined;
  /**
   * Mean recall of vector searches, above 0 and at most 1. It is measured in the background and stored, `stats()` reports it, and it
   * is measured again after a fifth of the index has changed; until then searches are exact. Default: not guaranteed, typically
   * 0.97.
   */
  recall?: number | undefined;
  /** Refuse every change with READ_ONLY. Default false. */
  readonly?: boolean | undefined;
  /** Create the index if there is none. Default true. */
  create?: boolean | undefined;
  /** Receives background events: seals, merges, damage and its repair. Default: events are dropped. */
  onEvent?: ((event: IndexEvent) => void) | undefined;
  ann?: AnnOptions | undefined;
  cache?: CacheOptions | undefined;
  storage?: StorageOptions | undefined;
}

/** Defaults of {@link OpenOptions}. */
export const openDefaults = {
  provider: undefined,
  metric: undefined,
  fields: undefined,
  language: undefined,
  languageField: undefined,
  textFields: undefined,
  textTemplate: undefined,
  schema: undefined,
  recall: undefined,
  readonly: false,
  create: true,
  onEvent: undefined,
  ann: {
    trees: 10,
    searchK: undefined,
    sealAt: 20_000,
    seed: 0,
    threads: -1,
    loadMode: 'lazy',
    background: true,
  },
  cache: { embeddings: undefined, embeddingsMaxBytes: 4 * 2 ** 30, queries: 10_000 },
  storage: { durability: 'process', busyTimeout: 10_000 },
} satisfies Listed<OpenOptions> & {
  ann: Listed<AnnOptions>;
  cache: Listed<CacheOptions>;
  storage: Listed<StorageOptions>;
};

/** {@link OpenOptions}, completed by the defaults. */
export type ResolvedOpenOptions = Omit<Resolved<OpenOptions, typeof openDefaults>, 'ann' | 'cache' | 'storage'> & {
  readonly ann: Resolved<AnnOptions, typeof openDefaults.ann>;
  readonly cache: Resolved<CacheOptions, typeof openDefaults.cache>;
  readonly storage: Resolved<StorageOptions, typeof openDefaults.storage>;
};

/** A connection that a pool lends: a client of `pg`, or what behaves like one. */
export interface PostgresClient {
  // biome-ignore lint/suspicious/noExplicitAny: rows have the columns that the statement asks for.
  query(text: string, values?: any[]): Promise<any>;
  /** Reports that the connection was lost, as `error`. */
  on?(event: 'error', listener: (error: Error) => void): unknown;
  /** Gives the connection back; with true or an error it is closed instead. */
  release(error?: Error | boolean): void;
}

/** A pool of connections to one PostgreSQL database: a `Pool` of `pg`, or what behaves like one. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  /** Reports each new connection. */
  on?(event: 'connect', listener: (client: PostgresClient) => void): unknown;
  /** Closes all connections. Only called for a pool that the index made itself. */
  end?(): Promise<void>;
  /**
   * Whether it lends only one connection at a time, and nothing else writes to the database. All reads then share one transaction.
   * Default false.
   */
  readonly isSingle?: boolean | undefined;
}

/** A shard of an index: its database, and the schema there. */
export type PostgresShard = Pick<PostgresOptions, 'connectionString' | 'pool' | 'name' | 'replicas'>;

/** A replica of a database: its address, or a pool of connections to it. */
export type PostgresReplica = Pick<PostgresOptions, 'connectionString' | 'pool'>;

/**
 * Options of `postgres`: where the index is.
 *
 * @example
 * const options: PostgresOptions = { connectionString: 'postgres://app@db.example.com/app', name: 'articles' };
 */
export interface PostgresOptions {
  /**
   * Address of the database: `postgres://user:password@host:5432/database`. Default: that of the environment variables which `pg`
   * reads (`PGHOST`, `PGUSER`, ...), unless there is a `pool`.
   */
  connectionString?: string | undefined;
  /** A pool that the caller closes. It must lend at least two connections at a time. Default: a pool of the index. */
  pool?: PostgresPool | undefined;
  /** Connections of the pool that the index makes itself. Each search uses one while it reads. Default 10. */
  maxConnections?: number | undefined;
  /**
   * Databases that the documents are spread over by the hashes of their ids: 2 to 256, always all of them in the same order. Each has a
   * `connectionString` or a `pool` of its own, of the same size, and perhaps a `name`; the other options hold for all. Default: one
   * database.
   */
  shards?: readonly PostgresShard[] | undefined;
  /**
   * Streaming replicas of the database, which searches, facets, suggestions and sorted lists read from in turns; everything else uses the
   * database itself. How recent an answer is, `consistency` of a search says. A replica that is lost or behind is not used until it is
   * back, which an event `replica` reports. Default: none.
   */
  replicas?: readonly PostgresReplica[] | undefined;
  /**
   * Milliseconds that a search waits for a replica to receive what this index has written or read before, until it reads from the
   * database itself. Default 200.
   */
  replicaTimeout?: number | undefined;
  /** The schema of the database that holds the tables of the index; created if missing. Default `semantic_index`. */
  name?: string | undefined;
  /** Refuse every change with READ_ONLY, for example on a replica. Default: the option of `SemanticIndex.open`. */
  readonly?: boolean | undefined;
  /**
   * Precision of the HNSW index: `halfvec` has half its size, and hits are ordered by the exact vectors. Vectors of more than 2,000
   * dimensions need it. Documents keep float32 vectors either way. Default `vector`.
   */
  hnsw?: 'vector' | 'halfvec' | undefined;
  /**
   * Milliseconds after which the server ends a statement of a search or a write, which then fails with TIMEOUT; 0 for the setting of
   * the server. Builds and `validate` have no limit. Default 0.
   */
  statementTimeout?: number | undefined;
}

/** Defaults of {@link PostgresOptions}. */
export const postgresDefaults = {
  connectionString: undefined,
  pool: undefined,
  maxConnections: 10,
  shards: undefined,
  replicas: undefined,
  replicaTimeout: 200,
  name: 'semantic_index',
  readonly: undefined,
  hnsw: 'vector',
  statementTimeout: 0,
} satisfies Listed<PostgresOptions>;

export type ResolvedPostgresOptions = Resolved<PostgresOptions, typeof postgresDefaults>;
