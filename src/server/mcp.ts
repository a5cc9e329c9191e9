import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { type Given, type Json, type SemanticIndex, SemanticIndexError } from '../index.js';
import { type McpOptions, mcpDefaults } from '../options/mcp.js';
import { resolveOptions } from '../options/resolve-options.js';

export type { McpOptions } from '../options/mcp.js';

/** @throws MISSING_PEER with the command that installs them. */
async function mcpPackages() {
  try {
    const [{ McpServer }, { StdioServerTransport }, { StreamableHTTPServerTransport }, { z }] = await Promise.all([
      import('@modelcontextprotocol/sdk/server/mcp.js'),
      import('@modelcontextprotocol/sdk/server/stdio.js'),
      import('@modelcontextprotocol/sdk/server/streamableHttp.js'),
      import('zod'),
    ]);
    return { McpServer, StdioServerTransport, StreamableHTTPServerTransport, z };
  } catch (cause) {
    throw new SemanticIndexError('MISSING_PEER', 'MCP needs the packages @modelcontextprotocol/sdk and zod', {
      hint: 'npm install @modelcontextprotocol/sdk zod',
      cause,
    });
  }
}

/**
 * An index as tools of the Model Context Protocol (https://modelcontextprotocol.io): `search`, and unless `readonly`, `add`.
 * Connect the server to a transport of the SDK, or use `serveMcpOverStdio` or `answerMcp`.
 *
 * @throws MISSING_PEER, UNKNOWN_OPTION.
 */
export async function createMcpServer(index: SemanticIndex, options?: Given<McpOptions>): Promise<McpServer> {
  const { readonly, description, maxHits } = resolveOptions('createMcpServer', options, mcpDefaults);
  const { McpServer, z } = await mcpPackages();
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const server = new McpServer({ name: 'semantic-index', version });
  server.registerTool(
    'search',
    {
      title: 'Search the index',
      description: `Finds texts by meaning and by words in ${description}. Returns the best hits with id, score (large is good), text and metadata.`,
      inputSchema: {
        query: z.string().min(1).describe('What to look for: a question, or some words'),
        k: z.number().int().min(1).max(maxHits).optional().describe('Most hits; default 5'),
        where: z
          .record(z.string(), z.unknown())
          .optional()
          .describe('Conditions on the metadata, in the dialect of MongoDB: {"lang":"en","year":{"$gte":2020}}'),
      },
      outputSchema: {
        hits: z.array(
          z.object({
            id: z.union([z.string(), z.number()]),
            score: z.number(),
            text: z.string(),
            metadata: z.record(z.string(), z.unknown()),
          }),
        ),
      },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async ({ query, k = 5, where }, { signal }) =>
      inWords(async () => {
        const hits = await index.search(query, { k, where: where as Record<string, string> | undefined, signal });
        return { hits };
      }),
  );
  if (!readonly) {
    server.registerTool(
      'add',
      {
        title: 'Add texts to the index',
        description: `Adds texts to ${description}, or replaces those whose id is known. They are found from now on.`,
        inputSchema: {
          documents: z
            .array(
              z.object({
                id: z
                  .union([z.string().min(1), z.number().int()])
                  .optional()
                  .describe('Default: derived from the text'),
                text: z.string().min(1),
                metadata: z.record(z.string(), z.unknown()).optional(),
              }),
            )
            .min(1)
            .max(1000),
        },
        outputSchema: {
          ids: z.array(z.union([z.string(), z.number()])),
          added: z.number(),
          updated: z.number(),
          unchanged: z.number(),
        },
        annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
      },
      async ({ documents }, { signal }) =>
        inWords(async () => {
          const inputs = documents.map(({ metadata, ...rest }) => ({
            ...rest,
            ...(metadata === undefined ? {} : { metadata: metadata as Record<string, Json> }),
          }));
          const { ids, added, updated, unchanged } = await index.addDocuments(inputs, { signal });
          return { ids, added, updated, unchanged };
        }),
    );
  }
  return server;
}

/** A result for programs and, as JSON, for models that read text only; a failure with what to do about it. */
async function inWords<T extends Record<string, unknown>>(work: () => Promise<T>) {
  try {
    const structuredContent = await work();
    return { structuredContent, content: [{ type: 'text' as const, text: JSON.stringify(structuredContent) }] };
  } catch (error) {
    if (!SemanticIndexError.is(error)) throw error;
    const text = `${error.code}: ${error.message}. ${error.hint}`;
    return { isError: true, content: [{ type: 'text' as const, text }] };
  }
}

/** Answers over stdin and stdout, as chat clients start it; resolves when the client has gone or the signal aborts. */
export async function serveMcpOverStdio(server: McpServer, signal: AbortSignal): Promise<void> {
  const { StdioServerTransport } = await mcpPackages();
  const gone = new Promise<void>((resolve) => {
    server.server.onclose = resolve;
    process.stdin.once('end', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await server.connect(new StdioServerTransport());
  await gone;
  await server.close();
}

/**
 * Answers one HTTP request of the protocol (Streamable HTTP, without sessions, so that any worker can answer). `body` is the
 * parsed body.
 */
export async function answerMcp(
  server: McpServer,
  request: IncomingMessage,
  response: ServerResponse,
  body: unknown,
): Promise<void> {
  const { StreamableHTTPServerTransport } = await mcpPackages();
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
  response.once('close', () => void server.close());
  // The types of the SDK are not written for exactOptionalPropertyTypes.
  await server.connect(transport as Parameters<typeof server.connect>[0]);
  await transport.handleRequest(request, response, body);
}
