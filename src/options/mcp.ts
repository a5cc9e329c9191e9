import { type ServerOptions, serverDefaults } from './server.js';

/** Options of `createMcpServer(index, options)`. */
export interface McpOptions {
  /** Offer only the `search` tool. Default false. */
  readonly: boolean;
  /** What the index holds, for the model that chooses among tools. Default `the index`. */
  description: string;
  /** Largest `k`. Default 100. */
  maxHits: number;
  /** Milliseconds that one call of a tool may take; longer ones fail with TIMEOUT. Default: no limit. */
  answerTimeout: number | undefined;
}

/** Defaults of {@link McpOptions}. */
export const mcpDefaults: McpOptions = {
  readonly: false,
  description: 'the index',
  maxHits: 100,
  answerTimeout: undefined,
};

/** Options of `serveMcpOverStdio(server, signal, options)`. */
export interface McpStdioOptions {
  /** Largest message in bytes; longer ones are answered with an error. Default 10 MiB. */
  maxMessageBytes: number;
}

/** Defaults of {@link McpStdioOptions}. */
export const mcpStdioDefaults: McpStdioOptions = { maxMessageBytes: 10 * 1024 * 1024 };

/** Options of `answerMcp(server, request, response, body, options)`. */
export type McpHttpOptions = Pick<ServerOptions, 'host' | 'socketPath' | 'allowHost' | 'allowOrigin'>;

const { host, socketPath, allowHost, allowOrigin } = serverDefaults;

/** Defaults of {@link McpHttpOptions}: those of the service. */
export const mcpHttpDefaults: McpHttpOptions = { host, socketPath, allowHost, allowOrigin };
