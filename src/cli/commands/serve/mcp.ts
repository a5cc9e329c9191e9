import { existsSync } from 'node:fs';
import { basename, isAbsolute, resolve } from 'node:path';
import type { Command } from 'commander';
import { createMcpServer, serveMcpOverStdio } from '../../../server/mcp/mcp.js';
import { positiveInteger } from '../../arguments.js';
import { type LanguageFlags, withLanguageFlags } from '../../flags/language-flags.js';
import { type RerankModelFlags, rerankerOf, withRerankModelFlags } from '../../flags/rerank-flags.js';
import { type ClientConfiguration, clientConfigurations, mcpClients } from '../../mcp-clients.js';
import { type ModelFlags, withModelFlags } from '../../model-choice.js';
import { openIndex } from '../../open-index.js';
import { perform, withCommonFlags } from '../../perform.js';
import type { CommonFlags, Terminal } from '../../terminal.js';

interface McpFlags extends CommonFlags, ModelFlags, LanguageFlags, RerankModelFlags {
  readonly readonly?: boolean;
  readonly description?: string;
  readonly maxTokens?: number;
  readonly install?: string | true;
}

/** `mcp`: an index as tools for chat clients, over stdio. */
export function addMcp(program: Command): void {
  const command = program
    .command('mcp')
    .description('offer an index to chat clients over stdio (Model Context Protocol); over HTTP: serve --mcp')
    .argument('<index>', 'directory of the index')
    .option('--readonly', 'offer no tool that adds')
    .option('--description <text>', 'content of the index, for the model that chooses among tools')
    .option('--max-tokens <number>', 'tokens of an answer where the model names none: 300 to 25000', positiveInteger)
    .option(
      '--install [client]',
      `print the configuration of a client instead: ${mcpClients.join(', ')}; default: all`,
    );
  withRerankModelFlags(command, 'offer to rescore hits');
  withLanguageFlags(command, 'that of the index');
  withModelFlags(command);
  withCommonFlags(command, [
    'mcp my-index --readonly',
    'mcp notes --description "the notes of our meetings"',
    'mcp my-index --install claude-code',
  ]).action((folder: string, flags: McpFlags) =>
    perform(flags, async ({ terminal, signal }) => {
      const { readonly = false, description, maxTokens, install, rerankBudget } = flags;
      const isServed = install === undefined;
      const { language, languageField } = flags;
      const options = isServed ? { readonly, language, languageField } : { readonly: true };
      await using opened = await openIndex(folder, flags, terminal, options);
      const reranker = rerankerOf(flags);
      try {
        const offered = { readonly, description, maxTokens, reranker, rerankBudget };
        const server = await createMcpServer(opened.index, offered);
        if (isServed) await serveMcpOverStdio(server, signal);
        else printConfigurations(clientConfigurations(install, serverCommand(folder, flags)), terminal);
      } finally {
        await reranker?.close();
      }
      return undefined;
    }),
  );
}

function printConfigurations(found: readonly ClientConfiguration[], terminal: Terminal): void {
  const lines = found.flatMap(({ title, place, configuration }) => [
    terminal.style('bold', `${title}: ${place}`),
    '',
    configuration,
    '',
  ]);
  terminal.result({ configurations: found }, lines.slice(0, -1));
}

/**
 * How a client starts the server of an index: with this Node and this program, as a client may have another working directory and
 * another path.
 */
function serverCommand(
  folder: string,
  { readonly, description, maxTokens, rerankModel, rerankBudget, language, languageField, ...model }: McpFlags,
) {
  const path = resolve(folder);
  const name =
    basename(path)
      .replace(/[^\w-]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'semantic-index';
  const chosen = Object.entries({
    '--description': description,
    '--max-tokens': maxTokens,
    '--rerank-model': rerankModel && withAbsolutePath(rerankModel),
    '--rerank-budget': rerankBudget,
    '--language': language,
    '--language-field': languageField,
    '--model': model.model && withAbsolutePath(model.model),
    '--base-url': model.baseUrl,
    '--api-key-env': model.apiKeyEnv,
    '--dimensions': model.dimensions,
  }).flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)]));
  const flags = [...(readonly === true ? ['--readonly'] : []), ...chosen];
  return { name, command: process.execPath, args: [resolve(process.argv[1] as string), 'mcp', path, ...flags] };
}

/** A model with the directory that it names, if any, as an absolute path: `static:/models/x`. */
function withAbsolutePath(model: string): string {
  const begin = model.indexOf(':') + 1;
  const path = model.slice(begin);
  return isAbsolute(model) || path === '' || !existsSync(path) ? model : `${model.slice(0, begin)}${resolve(path)}`;
}
