import type { IncomingMessage, ServerResponse } from 'node:http';
import { stdin, stdout } from 'node:process';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SemanticIndexError } from '../../index.js';
import { type McpHttpOptions, type McpStdioOptions, mcpHttpDefaults, mcpStdioDefaults } from '../../options/mcp.js';
import { resolveOptions } from '../../options/resolve-options.js';
import { HostCheck } from '../http/host-check.js';
import { mcpPackages } from './mcp-packages.js';
import { StdioTransport } from './stdio-transport.js';

export type { McpHttpOptions, McpOptions, McpStdioOptions } from '../../options/mcp.js';
export { createMcpServer } from './mcp-server.js';

/**
 * Answers over stdin and stdout, as chat clients start it; resolves when the client has gone or the signal aborts. A message
 * larger than `maxMessageBytes` is answered with an error, and the next one is read.
 *
 * @throws MISSING_PEER, UNKNOWN_OPTION.
 */
export async function serveMcpOverStdio(
  server: McpServer,
  signal: AbortSignal,
  options?: McpStdioOptions,
): Promise<void> {
  const { maxMessageBytes } = resolveOptions('serveMcpOverStdio', options, mcpStdioDefaults);
  const { JSONRPCMessageSchema } = await mcpPackages();
  const gone = new Promise<void>((resolve) => {
    server.server.onclose = resolve;
    stdin.once('end', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
  const parse = (value: unknown) => JSONRPCMessageSchema.parse(value);
  await server.connect(new StdioTransport(stdin, stdout, maxMessageBytes, parse));
  await gone;
  await server.close();
}

/**
 * Answers one HTTP request of the protocol (Streamable HTTP, without sessions, so that any worker can answer). `body` is the
 * parsed body. A foreign Host or Origin gets 403, as the protocol demands; the options say which are allowed.
 *
 * @throws MISSING_PEER, UNKNOWN_OPTION; INVALID_ARGUMENT for a wrong `allowHost` or `allowOrigin`.
 */
export async function answerMcp(
  server: McpServer,
  request: IncomingMessage,
  response: ServerResponse,
  body: unknown,
  options?: McpHttpOptions,
): Promise<void> {
  const hostCheck = new HostCheck(resolveOptions('answerMcp', options, mcpHttpDefaults));
  const { StreamableHTTPServerTransport } = await mcpPackages();
  try {
    hostCheck.check(request);
  } catch (error) {
    if (!SemanticIndexError.is(error)) throw error;
    const { code, message, hint } = error;
    const said = { jsonrpc: '2.0', error: { code: -32000, message: `${code}: ${message}. ${hint}` }, id: null };
    response.writeHead(code === 'FORBIDDEN' ? 403 : 400, { 'content-type': 'application/json' });
    response.end(JSON.stringify(said));
    return;
  }
  for (const [name, value] of Object.entries(hostCheck.corsHeaders(request) ?? {})) response.setHeader(name, value);
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
  response.once('close', () => void server.close());
  // The types of the SDK are not written for exactOptionalPropertyTypes.
  await server.connect(transport as Parameters<typeof server.connect>[0]);
  await transport.handleRequest(request, response, body);
}
