import type { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js';
import type { z } from 'zod';
import { SemanticIndexError } from '../../index.js';

/** What the server uses of the optional packages. */
interface McpPackages {
  readonly McpServer: typeof McpServer;
  readonly ResourceTemplate: typeof ResourceTemplate;
  readonly StreamableHTTPServerTransport: typeof StreamableHTTPServerTransport;
  readonly JSONRPCMessageSchema: typeof JSONRPCMessageSchema;
  readonly z: typeof z;
}

/** @throws MISSING_PEER with the command that installs them. */
export async function mcpPackages(): Promise<McpPackages> {
  try {
    const [{ McpServer, ResourceTemplate }, { StreamableHTTPServerTransport }, { JSONRPCMessageSchema }, { z }] =
      await Promise.all([
        import('@modelcontextprotocol/sdk/server/mcp.js'),
        import('@modelcontextprotocol/sdk/server/streamableHttp.js'),
        import('@modelcontextprotocol/sdk/types.js'),
        import('zod'),
      ]);
    return { McpServer, ResourceTemplate, StreamableHTTPServerTransport, JSONRPCMessageSchema, z };
  } catch (cause) {
    throw new SemanticIndexError('MISSING_PEER', 'MCP needs the packages @modelcontextprotocol/sdk and zod', {
      hint: 'npm install @modelcontextprotocol/sdk zod',
      cause,
    });
  }
}
