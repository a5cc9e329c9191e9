import type { Command } from 'commander';
import { createMcpServer, serveMcpOverStdio } from '../../server/mcp/mcp.js';
import { type ModelFlags, withModelFlags } from '../model-choice.js';
import { openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import type { CommonFlags } from '../terminal.js';

interface McpFlags extends CommonFlags, ModelFlags {
  readonly readonly?: boolean;
  readonly description?: string;
}

/** `mcp`: an index as tools for chat clients, over stdio. */
export function addMcp(program: Command): void {
  const command = program
    .command('mcp')
    .description('offer an index to chat clients over stdio (Model Context Protocol); over HTTP: serve --mcp')
    .argument('<index>', 'directory of the index')
    .option('--readonly', 'offer search only')
    .option('--description <text>', 'content of the index, for the model that chooses among tools');
  withModelFlags(command);
  withCommonFlags(command, ['mcp my-index --readonly', 'mcp notes --description "the notes of our meetings"']).action(
    (folder: string, flags: McpFlags) =>
      perform(flags, async ({ terminal, signal }) => {
        const { readonly = false, description } = flags;
        await using opened = await openIndex(folder, flags, terminal, { readonly });
        await serveMcpOverStdio(await createMcpServer(opened.index, { readonly, description }), signal);
        return undefined;
      }),
  );
}
