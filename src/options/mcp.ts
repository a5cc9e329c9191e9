import type { Rerank } from '../types.js';
import type { CountTokens } from './rag.js';
import type { Listed, Resolved } from './resolve-options.js';
import { type ServerOptions, serverDefaults } from './server.js';

/** Options of `createMcpServer(index, options)`. */
export interface McpOptions {
  /** Offer no tool that changes the index. Default false. */
  readonly?: boolean | undefined;
  /** Description of the content of the index, for the model that chooses among tools. Default `the index`. */
  description?: string | undefined;
  /** Largest `k`. Default 100. */
  maxHits?: number | undefined;
  /** Tokens of an answer, where the model names none: from 300 to 25,000, above which clients refuse answers. Default 8000. */
  maxTokens?: number | undefined;
  /**
   * Counts the tokens of an answer as JSON. Default: an estimate that exceeds what current models count, also for ids and scripts
   * other than Latin.
   */
  countTokens?: CountTokens | undefined;
  /**
   * Reranks the hits of a `search` with `rerank: "model"`, for example `transformersReranker`; close it after the server. Default: none,
   * and the tool does not offer it.
   */
  reranker?: Rerank | undefined;
  /** Milliseconds that `reranker` may take for one search. Default: unlimited. */
  rerankBudget?: number | undefined;
  /** Milliseconds that one call of a tool may take; longer ones fail with TIMEOUT. Default: no limit. */
  answerTimeout?: number | undefined;
}

/** Defaults of {@link McpOptions}. */
export const mcpDefaults = {
  readonly: false,
  description: 'the index',
  maxHits: 100,
  maxTokens: 8000,
  countTokens: undefined,
  reranker: undefined,
  rerankBudget: undefined,
  answerTimeout: undefined,
} satisfies Listed<McpOptions>;

/** {@link McpOptions}, completed by the defaults. */
export type ResolvedMcpOptions = Resolved<McpOptions, typeof mcpDefaults>;

/** Options of `serveMcpOverStdio(server, signal, options)`. */
export interface McpStdioOptions {
  /** Largest message in bytes; longer ones are answered with an error. Default 10 MiB. */
  maxMessageBytes?: number | undefined;
}

/** Defaults of {@link McpStdioOptions}. */
export const mcpStdioDefaults = { maxMessageBytes: 10 * 1024 * 1024 } satisfies Listed<McpStdioOptions>;

/** {@link McpStdioOptions}, completed by the defaults. */
export type ResolvedMcpStdioOptions = Resolved<McpStdioOptions, typeof mcpStdioDefaults>;

/** Options of `answerMcp(server, request, response, body, options)`. */
export type McpHttpOptions = Pick<ServerOptions, 'host' | 'socketPath' | 'allowHost' | 'allowOrigin'>;

const { host, socketPath, allowHost, allowOrigin } = serverDefaults;

/** Defaults of {@link McpHttpOptions}: those of the service. */
export const mcpHttpDefaults = { host, socketPath, allowHost, allowOrigin } satisfies Listed<McpHttpOptions>;

/** {@link McpHttpOptions}, completed by the defaults. */
export type ResolvedMcpHttpOptions = Resolved<McpHttpOptions, typeof mcpHttpDefaults>;
