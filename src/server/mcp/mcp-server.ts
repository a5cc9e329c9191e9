import { readFileSync } from 'node:fs';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { checkIndex } from '../../check-arguments.js';
import {
  type Boost,
  type DocumentInput,
  type Json,
  type SemanticIndex,
  SemanticIndexError,
  type Where,
} from '../../index.js';
import { unknownFieldsNote } from '../../operations/unknown-fields.js';
import { type McpOptions, mcpDefaults } from '../../options/mcp.js';
import { describe, resolveOptions } from '../../options.js';
import { deadlineIn, untilAborted } from '../http/deadline.js';
import { rerankOptions } from '../http/rerank-request.js';
import { addAnswer } from './add-answer.js';
import { AnswerBudget, largestBudget, smallestBudget } from './answer-budget.js';
import { answerSchemas } from './answer-schemas.js';
import { answerTokens } from './answer-tokens.js';
import { registerResources } from './document-resources.js';
import { facetsAnswer } from './facets-answer.js';
import { getAnswer } from './get-answer.js';
import { listAnswer } from './list-answer.js';
import { rangeOf, toolArguments } from './mcp-arguments.js';
import { mcpPackages } from './mcp-packages.js';
import { searchAnswer } from './search-answer.js';
import { statusAnswer } from './status-answer.js';

/** Tokens of a text that an agent reads at once; of a longer one it gets the best part first. */
const tokensOfPart = 256;
/** Characters of an error. */
const longestError = 2000;

const reading = { readOnlyHint: true, openWorldHint: false };

/**
 * An index as tools of the Model Context Protocol (https://modelcontextprotocol.io): `search`, `get`, `list`, `facets`, `status`, and
 * unless `readonly`, `add`; documents and sources are resources. No answer exceeds the `maxTokens` of its call. Connect the server to
 * a transport of the SDK, or use `serveMcpOverStdio` or `answerMcp`.
 *
 * @throws MISSING_PEER, UNKNOWN_OPTION, INVALID_ARGUMENT.
 */
export async function createMcpServer(index: SemanticIndex, options?: McpOptions): Promise<McpServer> {
  const resolved = resolveOptions('createMcpServer', options, mcpDefaults);
  checkIndex('createMcpServer', index);
  const {
    readonly,
    description,
    maxHits,
    maxTokens: defaultTokens,
    countTokens = answerTokens,
    answerTimeout,
  } = resolved;
  if (!Number.isSafeInteger(defaultTokens) || defaultTokens < smallestBudget || defaultTokens > largestBudget) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `createMcpServer: expected ${smallestBudget} to ${largestBudget} as maxTokens, got ${describe(defaultTokens)}`,
      { hint: 'Clients refuse answers above 25,000 tokens. Leave it out for 8000.' },
    );
  }
  const { McpServer, ResourceTemplate, z } = await mcpPackages();
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  const instructions = `Searches ${description}. Begin with search; read on around a hit with get and its id, or its source and lines. list and facets show what there is, status which fields can be filtered by. Cite source and lines or pages.`;
  const server = new McpServer({ name: 'semantic-index', version }, { instructions });
  const inputs = toolArguments(z, maxHits, defaultTokens, resolved);
  const outputs = answerSchemas(z);
  const budgetOf = (maxTokens = defaultTokens): AnswerBudget => new AnswerBudget(maxTokens, countTokens);
  /** An empty answer with a note if it is empty as the filter names a field that no document has. */
  const noted = async <T extends object>(
    found: Promise<T>,
    where: Where | undefined,
    isEmpty: (answer: T) => boolean,
  ) => {
    const answer = await found;
    const note = isEmpty(answer) ? await unknownFieldsNote(where, (one) => index.count({ where: one })) : undefined;
    return note === undefined ? answer : { ...answer, note: `${note}. status lists the fields.` };
  };
  const timed = <T extends object>(cancelled: AbortSignal, work: (signal: AbortSignal) => Promise<T>) =>
    inWords(cancelled, answerTimeout, work);
  server.registerTool(
    'search',
    {
      title: 'Search the index',
      description: `Finds texts by meaning and by words in ${description}. Returns the best hits with id, score (large is good), source with lines or pages, text and metadata. Of a long text it returns the best part; read more of it with get. An answer has at most maxTokens; next continues it.`,
      inputSchema: inputs.search,
      outputSchema: outputs.search,
      annotations: reading,
    },
    (
      { query, k = 5, where, groupBy, boost, after, syntax = 'plain', rerank, full = false, maxTokens },
      { signal: cancelled },
    ) =>
      timed(cancelled, (signal) => {
        // An agent cannot repair a provider, but can use hits by words.
        const onProviderFailure = 'text' as const;
        const snippet = full ? false : { maxTokens: tokensOfPart };
        const ranking = { groupBy, boost: boost as Boost[] | undefined, ...rerankOptions({ rerank }, resolved) };
        const filter = where as Where | undefined;
        const options = { k, where: filter, ...ranking, after, syntax, snippet, onProviderFailure, signal };
        const answer = searchAnswer(index, query, options, budgetOf(maxTokens));
        return noted(answer, filter, ({ hits }) => hits.length === 0);
      }),
  );
  server.registerTool(
    'get',
    {
      title: 'Read a document',
      description: `Reads texts of ${description}: the part with the id of a hit, and its neighbors; lines or pages of a source; or a whole source, as far as it fits into maxTokens. next continues it.`,
      inputSchema: inputs.get,
      outputSchema: outputs.get,
      annotations: reading,
    },
    ({ id, lines, pages, neighbors = 0, after, maxTokens }, { signal: cancelled }) =>
      timed(cancelled, (signal) => {
        const place = { lines: rangeOf(lines), pages: rangeOf(pages) };
        return getAnswer(index, id, { ...place, neighbors, after, signal }, budgetOf(maxTokens));
      }),
  );
  server.registerTool(
    'list',
    {
      title: 'List sources or documents',
      description: `Lists the files of ${description} by name with the number of their parts, or the documents that are not parts of files.`,
      inputSchema: inputs.list,
      outputSchema: outputs.list,
      annotations: reading,
    },
    ({ of, where, prefix, after, maxTokens }, { signal: cancelled }) =>
      timed(cancelled, (signal) => {
        const filter = where as Where | undefined;
        const answer = listAnswer(index, { of, where: filter, prefix, after, signal }, budgetOf(maxTokens));
        return noted(answer, filter, ({ sources, documents }) => (sources ?? documents ?? []).length === 0);
      }),
  );
  server.registerTool(
    'facets',
    {
      title: 'Count documents by field',
      description: `Counts the documents of ${description} by the values of fields of their metadata: shows what can be filtered by.`,
      inputSchema: inputs.facets,
      outputSchema: outputs.facets,
      annotations: reading,
    },
    ({ fields, where, maxTokens }, { signal: cancelled }) =>
      timed(cancelled, (signal) => {
        const filter = where as Where | undefined;
        const answer = facetsAnswer(index, fields, filter, signal, budgetOf(maxTokens));
        return noted(answer, filter, ({ documents }) => documents === 0);
      }),
  );
  server.registerTool(
    'status',
    {
      title: 'Describe the index',
      description: `Says how many documents and sources ${description} has, and which fields of the metadata searches can filter by.`,
      inputSchema: inputs.status,
      outputSchema: outputs.status,
      annotations: reading,
    },
    (_, { signal: cancelled }) => timed(cancelled, (signal) => statusAnswer(index, !readonly, signal, budgetOf())),
  );
  if (!readonly) {
    server.registerTool(
      'add',
      {
        title: 'Add texts to the index',
        description: `Adds texts to ${description}, or replaces those whose id is known. They are found from now on.`,
        inputSchema: inputs.add,
        outputSchema: outputs.add,
        annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
      },
      ({ documents }, { signal: cancelled }) =>
        timed(cancelled, (signal) => {
          const given = documents.map(
            ({ id, text, metadata }): DocumentInput => ({
              text,
              ...(id !== undefined && { id }),
              ...(metadata !== undefined && { metadata: metadata as Record<string, Json> }),
            }),
          );
          return addAnswer(index, given, signal, budgetOf());
        }),
    );
  }
  registerResources(server, ResourceTemplate, index, () => budgetOf(largestBudget));
  return server;
}

/**
 * A result for programs and, as JSON, for models that read text only; a failure with what to do about it. Work that takes longer
 * than `milliseconds`, or whose caller has gone, is aborted.
 */
async function inWords<T extends object>(
  cancelled: AbortSignal,
  milliseconds: number | undefined,
  work: (signal: AbortSignal) => Promise<T>,
) {
  const deadline = milliseconds === undefined ? undefined : deadlineIn(milliseconds);
  const signal = deadline === undefined ? cancelled : AbortSignal.any([cancelled, deadline.signal]);
  try {
    const structuredContent = { ...(await untilAborted(signal, work)) } as Record<string, unknown>;
    return { structuredContent, content: [{ type: 'text' as const, text: JSON.stringify(structuredContent) }] };
  } catch (error) {
    if (!SemanticIndexError.is(error)) throw error;
    const text = `${error.code}: ${error.message}. ${error.hint}`.slice(0, longestError);
    return { isError: true, content: [{ type: 'text' as const, text }] };
  } finally {
    deadline?.clear();
  }
}
