import type { Rerank } from '../types.js';
import type { Listed, Resolved } from './resolve-options.js';

/** Options of `createServer(open, options)`. */
export interface ServerOptions {
  /** Address to listen on. Default 127.0.0.1, reachable from this machine only. */
  host?: string | undefined;
  /** Port to listen on; 0 chooses a free one. Default 8080. */
  port?: number | undefined;
  /** Unix socket or named pipe to listen on, instead of host and port. Default: none. */
  socketPath?: string | undefined;
  /** Bearer token. Requests without it get 401, except `/health` and `/ready`. Default: no token. */
  token?: string | undefined;
  /**
   * Allowed Host headers in addition to loopback names and the address of the service: `search.example.com`, or with a
   * port `10.0.0.5:8080`; `*` allows any. A request with another Host gets 403. Default: none.
   */
  allowHost?: string | readonly string[] | undefined;
  /**
   * Allowed Origin headers in addition to its own and loopback names: `https://app.example.com`; `*` allows any, `null`
   * those without one. They get CORS headers. A request with another Origin gets 403. Default: none.
   */
  allowOrigin?: string | readonly string[] | undefined;
  /** Max. bytes of a request body; larger ones get 413. Default 8 MiB. */
  bodyLimit?: number | undefined;
  /**
   * Max. bytes of all concurrent request bodies; further requests get 503. Default: four times
   * `bodyLimit`.
   */
  bodyMemory?: number | undefined;
  /**
   * Max. bytes of the texts and metadata of all hits of a response; more is 413, and a page of documents is shortened.
   * Default 32 MiB.
   */
  maxAnswerBytes?: number | undefined;
  /** Max. milliseconds for receiving a request; then 408. Default 10,000. */
  receiveTimeout?: number | undefined;
  /** Max. milliseconds for a response; then 503. Default 30,000. */
  answerTimeout?: number | undefined;
  /** Milliseconds for which open connections may still send requests when the server closes. Default 500. */
  drainTime?: number | undefined;
  /** Max. `k` and `limit`. Default 1,000. */
  maxHits?: number | undefined;
  /** Max. queries per batch. Default 256. */
  maxQueries?: number | undefined;
  /** Max. documents per request. Default 10,000. */
  maxDocuments?: number | undefined;
  /** Max. characters of a query; more is 413. Default 100,000. */
  maxQueryCharacters?: number | undefined;
  /** Max. values in the metadata of a document, including nested objects and lists; more is 400. Default 10,000. */
  maxMetadataValues?: number | undefined;
  /**
   * Reranks the hits of requests with `"rerank": "model"`, for example `transformersReranker`. Each worker has its own; close it after the
   * service. Default: none, and such requests get 400.
   */
  reranker?: Rerank | undefined;
  /** Milliseconds that `reranker` may take for a request that has no `rerankBudget` of its own. Default: unlimited. */
  rerankBudget?: number | undefined;
  /** Serve the Model Context Protocol at /mcp. Default false. */
  mcp?: boolean | undefined;
  /** With `mcp`: offer no tool that changes the index, as for an index that is open for reading. Default false. */
  readonly?: boolean | undefined;
  /** With `mcp`: description of the content of the index, for the model that chooses among tools. Default `the index`. */
  description?: string | undefined;
  /** Log each request to stdout as a line of JSON. Default false. */
  log?: boolean | undefined;
}

/** Defaults of {@link ServerOptions}. */
export const serverDefaults = {
  host: '127.0.0.1',
  port: 8080,
  socketPath: undefined,
  token: undefined,
  allowHost: [],
  allowOrigin: [],
  bodyLimit: 8 * 1024 * 1024,
  bodyMemory: undefined,
  maxAnswerBytes: 32 * 1024 * 1024,
  receiveTimeout: 10_000,
  answerTimeout: 30_000,
  drainTime: 500,
  maxHits: 1000,
  maxQueries: 256,
  maxDocuments: 10_000,
  maxQueryCharacters: 100_000,
  maxMetadataValues: 10_000,
  reranker: undefined,
  rerankBudget: undefined,
  mcp: false,
  readonly: false,
  description: 'the index',
  log: false,
} satisfies Listed<ServerOptions>;

/** {@link ServerOptions}, completed by the defaults. */
export type ResolvedServerOptions = Resolved<ServerOptions, typeof serverDefaults>;
