import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { stdin, stdout } from 'node:process';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { type Boost, type Hit, type Json, type SemanticIndex, SemanticIndexError } from '../../index.js';
import {
  type McpHttpOptions,
  type McpOptions,
  type McpStdioOptions,
  mcpDefaults,
  mcpHttpDefaults,
  mcpStdioDefaults,
} from '../../options/mcp.js';
import { resolveOptions } from '../../options/resolve-options.js';
import { deadlineIn, untilAborted } from '../http/deadline.js';
import { HostCheck } from '../http/host-check.js';
import { toolArguments } from './mcp-arguments.js';
import { StdioTransport } from './stdio-transport.js';

export type { McpHttpOptions, McpOptions, McpStdioOptions } from '../../options/mcp.js';

/** Values of a field that a model reads. */
const facetValues = 20;

/** @throws MISSING_PEER with the command that installs them. */
async function mcpPackages() {
  try {
    const [{ McpServer }, { StreamableHTTPServerTransport }, { JSONRPCMessageSchema }, { z }] = await Promise.all([
      import('@modelcontextprotocol/sdk/server/mcp.js'),
      import('@modelcontextprotocol/sdk/server/streamableHttp.js'),
      import('@modelcontextprotocol/sdk/types.js'),
      import('zod'),
    ]);
    return { McpServer, StreamableHTTPServerTransport, JSONRPCMessageSchema, z };
  } catch (cause) {
    throw new SemanticIndexError('MISSING_PEER', 'MCP needs the packages @modelcontextprotocol/sdk and zod', {
      hint: 'npm install @modelcontextprotocol/sdk zod',
      cause,
    });
  }
}

/**
 * An index as tools of the Model Context Protocol (https://modelcontextprotocol.io): `search`, `facets`, and unless `readonly`, `add`.
 * Connect the server to a transport of the SDK, or use `serveMcpOverStdio` or `answerMcp`.
 *
 * @throws MISSING_PEER, UNKNOWN_OPTION.
 */
export async function createMcpServer(index: SemanticIndex, options?: McpOptions): Promise<McpServer> {
  const { readonly, description, maxHits, answerTimeout } = resolveOptions('createMcpServer', options, mcpDefaults);
  const { McpServer, z } = await mcpPackages();
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  const server = new McpServer({ name: 'semantic-index', version });
  const inputs = toolArguments(z, maxHits);
  server.registerTool(
    'search',
    {
      title: 'Search the index',
      description: `Finds texts by meaning and by words in ${description}. Returns the best hits with id, score (large is good), text and metadata. Of a long text it returns the best part and its lines; ask again with "full": true for whole texts.`,
      inputSchema: inputs.search,
      outputSchema: {
        hits: z.array(
          z.object({
            id: z.union([z.string(), z.number()]),
            score: z.number(),
            text: z.string(),
            metadata: z.record(z.string(), z.unknown()),
            lines: z.string().optional(),
          }),
        ),
        next: z.string().optional(),
        degraded: z.object({ reason: z.string(), message: z.string() }).optional(),
      },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async ({ query, k = 5, where, groupBy, boost, after, syntax = 'plain', full = false }, { signal: cancelled }) =>
      inWords(cancelled, answerTimeout, async (signal) => {
        // An agent cannot repair a provider, but can use hits by words.
        const onProviderFailure = 'text' as const;
        const snippet = full ? false : { maxTokens: tokensOfPart };
        const conditions = where as Record<string, string> | undefined;
        const ranking = { groupBy, boost: boost as Boost[] | undefined };
        const options = { k, where: conditions, ...ranking, after, syntax, snippet, onProviderFailure, signal };
        const { hits, next, degraded } = await index.search(query, options);
        return {
          hits: hits.map(shortened),
          ...(next !== undefined && { next }),
          ...(degraded !== undefined && { degraded }),
        };
      }),
  );
  server.registerTool(
    'facets',
    {
      title: 'Count documents by field',
      description: `Counts the documents of ${description} by the values of fields of their metadata: shows what can be filtered by.`,
      inputSchema: inputs.facets,
      outputSchema: { documents: z.number(), facets: z.record(z.string(), z.unknown()) },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async ({ fields, where }, { signal: cancelled }) =>
      inWords(cancelled, answerTimeout, async (signal) => {
        const limited = Object.fromEntries(fields.map((field) => [field, { limit: facetValues }]));
        const filter = where as Record<string, string> | undefined;
        return { ...(await index.facets({ fields: limited, where: filter, signal })) };
      }),
  );
  if (!readonly) {
    server.registerTool(
      'add',
      {
        title: 'Add texts to the index',
        description: `Adds texts to ${description}, or replaces those whose id is known. They are found from now on.`,
        inputSchema: inputs.add,
        outputSchema: {
          ids: z.array(z.union([z.string(), z.number()])),
          added: z.number(),
          updated: z.number(),
          unchanged: z.number(),
        },
        annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
      },
      async ({ documents }, { signal: cancelled }) =>
        inWords(cancelled, answerTimeout, async (signal) => {
          const given = documents.map(({ id, text, metadata }) => ({
            text,
            ...(id !== undefined && { id }),
            ...(metadata !== undefined && { metadata: metadata as Record<string, Json> }),
          }));
          const { ids, added, updated, unchanged } = await index.addDocuments(given, { signal });
          return { ids, added, updated, unchanged };
        }),
    );
  }
  return server;
}

/** Tokens of a text that an agent reads at once; of a longer one it gets the best part first. */
const tokensOfPart = 256;

/** A hit with the best part of its text, and the lines of the text that it is from. */
function shortened({ snippet, ...hit }: Hit): Omit<Hit, 'snippet'> & { readonly lines?: string } {
  if (snippet === undefined || snippet.text.trim() === hit.text.trim()) return hit;
  const { text, startLine, endLine } = snippet;
  return { ...hit, text, lines: startLine === endLine ? `${startLine}` : `${startLine}-${endLine}` };
}

/**
 * A result for programs and, as JSON, for models that read text only; a failure with what to do about it. Work that takes longer
 * than `milliseconds`, or whose caller has gone, is aborted.
 */
async function inWords<T extends Record<string, unknown>>(
  cancelled: AbortSignal,
  milliseconds: number | undefined,
  work: (signal: AbortSignal) => Promise<T>,
) {
  const deadline = milliseconds === undefined ? undefined : deadlineIn(milliseconds);
  const signal = deadline === undefined ? cancelled : AbortSignal.any([cancelled, deadline.signal]);
  try {
    const structuredContent = await untilAborted(signal, work);
    return { structuredContent, content: [{ type: 'text' as const, text: JSON.stringify(structuredContent) }] };
  } catch (error) {
    if (!SemanticIndexError.is(error)) throw error;
    const text = `${error.code}: ${error.message}. ${error.hint}`;
    return { isError: true, content: [{ type: 'text' as const, text }] };
  } finally {
    deadline?.clear();
  }
}

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
