import type { Listed, Resolved } from './resolve-options.js';
/** Options of `createServer(open, options)`. */
export interface ServerOptions {
  /** Address to listen on. Default 127.0.0.1, which only this machine reaches. */
  host?: string | undefined;
  /** Port to listen on; 0 takes a free one. Default 8080. */
  port?: number | undefined;
  /** Unix socket or named pipe to listen on, instead of host and port. Default: none. */
  socketPath?: string | undefined;
  /** Bearer token. Requests without it get 401, except `/health` and `/ready`. Default: no token. */
  token?: string | undefined;
  /**
   * Hosts that requests may name besides loopback names and the address of the service: `search.example.com`, or with a port
   * `10.0.0.5:8080`; `*` allows any. A request with another Host gets 403. Default: none.
   */
  allowHost?: string | readonly string[] | undefined;
  /**
   * Origins whose pages may use the service, besides its own and loopback names: `https://app.example.com`; `*` allows any, `null`
   * those without one. They get CORS headers. A request with another Origin gets 403. Default: none.
   */
  allowOrigin?: string | readonly string[] | undefined;
  /** Largest body of a request, in bytes; more is 413. Default 8 MiB. */
  bodyLimit?: number | undefined;
  /**
   * Bytes of all request bodies that are held at once, received or being answered; a request beyond that gets 503. Default: four times
   * `bodyLimit`.
   */
  bodyMemory?: number | undefined;
  /** Bytes of the texts and metadata of all hits of an answer; more is 413, a page of documents ends earlier. Default 32 MiB. */
  maxAnswerBytes?: number | undefined;
  /** Milliseconds in which a request has to have arrived; later it is 408. Default 10,000. */
  receiveTimeout?: number | undefined;
  /** Milliseconds that the answer may take; later it is 503. Default 30,000. */
  answerTimeout?: number | undefined;
  /** Milliseconds in which open connections may still send requests when the server closes. Default 500. */
  drainTime?: number | undefined;
  /** Largest `k` and `limit`. Default 1,000. */
  maxHits?: number | undefined;
  /** Most queries of a batch. Default 256. */
  maxQueries?: number | undefined;
  /** Most documents of one request. Default 10,000. */
  maxDocuments?: number | undefined;
  /** Most characters of a query; more is 413. Default 100,000. */
  maxQueryCharacters?: number | undefined;
  /** Most values in the metadata of a document, those of nested objects and lists included; more is 400. Default 10,000. */
  maxMetadataValues?: number | undefined;
  /** Serve the Model Context Protocol at `/mcp`. Default false. */
  mcp?: boolean | undefined;
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
  mcp: false,
  log: false,
} satisfies Listed<ServerOptions>;

/** {@link ServerOptions}, completed by the defaults. */
export type ResolvedServerOptions = Resolved<ServerOptions, typeof serverDefaults>;
