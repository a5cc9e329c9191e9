import type { McpServer, ResourceTemplate as Template } from '@modelcontextprotocol/sdk/server/mcp.js';
import { type SemanticIndex, SemanticIndexError } from '../../index.js';
import type { AnswerBudget } from './answer-budget.js';
import { getAnswer } from './get-answer.js';
import { type ListAnswer, listAnswer } from './list-answer.js';

const begin = 'semantic-index://document/';
/** Resources that are listed; more can be read by their names. */
const maxListed = 100;
const maxCompletions = 50;
const never = new AbortController().signal;

/**
 * Documents and sources as resources: `semantic-index://document/ID`, the id percent-encoded. A text that exceeds the budget ends at
 * a line, with a note on how to read the rest.
 */
export function registerResources(
  server: McpServer,
  ResourceTemplate: typeof Template,
  index: SemanticIndex,
  budgetOf: () => AnswerBudget,
): void {
  const listed = async (prefix?: string): Promise<string[]> =>
    idsOf(
      await listAnswer(index, { of: undefined, where: undefined, prefix, after: undefined, signal: never }, budgetOf()),
    );
  const template = new ResourceTemplate(`${begin}{id}`, {
    list: async () => ({
      resources: (await listed())
        .slice(0, maxListed)
        .map((id) => ({ uri: `${begin}${encodeURIComponent(id)}`, name: id, title: id, mimeType: 'text/plain' })),
    }),
    complete: {
      id: async (typed) => (await listed(typed === '' ? undefined : typed)).slice(0, maxCompletions),
    },
  });
  server.registerResource(
    'document',
    template,
    { title: 'Documents', description: 'The texts of the index, by id or source', mimeType: 'text/plain' },
    async (uri, { id }) => {
      try {
        const name = decodeURIComponent(String(id));
        const { text, lines, next } = await getAnswer(index, name, {}, budgetOf());
        const contents = [{ uri: uri.href, mimeType: 'text/plain', text }];
        if (next === undefined) return { contents };
        const note = `The text goes on after line ${lines.split('-').at(-1)}: call the tool get with ${JSON.stringify({ id: name, after: next })}.`;
        return { contents: [...contents, { uri: `${uri.href}#rest`, mimeType: 'text/plain', text: note }] };
      } catch (error) {
        if (!SemanticIndexError.is(error)) throw error;
        throw new Error(`${error.code}: ${error.message}. ${error.hint}`);
      }
    },
  );
}

function idsOf({ sources = [], documents = [] }: ListAnswer): string[] {
  return [...sources.map(({ source }) => source), ...documents.map(({ id }) => String(id))];
}
