import { type EmbeddingModel, embedMany, type RerankingModel, rerank, tool } from 'ai';
import { z } from 'zod';
import { embedAll } from '../embed/embed-all.js';
import {
  type EmbeddingProvider,
  type Rerank,
  type SearchOptions,
  type SemanticIndex,
  SemanticIndexError,
  type Where,
} from '../index.js';
import { resolveOptions } from '../options/resolve-options.js';
import type { ForeignEmbeddings } from './foreign-embeddings.js';

export type { ForeignEmbeddings } from './foreign-embeddings.js';

/** Options that the model passes to its service, by provider. */
export type ProviderOptions = NonNullable<Parameters<typeof embedMany>[0]['providerOptions']>;

/** Options of `aiProvider`. */
export interface AiProviderOptions extends Partial<ForeignEmbeddings> {
  /** Passed to the model with every call, for instance `{ openai: { dimensions: 512 } }`. Default: none. */
  readonly providerOptions?: ProviderOptions;
  /**
   * Passed with queries instead, for instance `{ google: { taskType: 'RETRIEVAL_QUERY' } }`. Default:
   * `providerOptions`.
   */
  readonly queryProviderOptions?: ProviderOptions;
}

const aiProviderDefaults = {
  id: undefined as string | undefined,
  dimensions: undefined as number | undefined,
  maxBatchSize: 64,
  providerOptions: undefined as ProviderOptions | undefined,
  queryProviderOptions: undefined as ProviderOptions | undefined,
};

/**
 * An embedding model of the AI SDK as a provider for an index. The default id consists of the model and the provider
 * options. The SDK splits batches and retries.
 *
 * @throws UNKNOWN_OPTION for an option that does not exist.
 * @example
 * const provider = aiProvider(google.textEmbedding('gemini-embedding-001'), {
 *   providerOptions: { google: { taskType: 'RETRIEVAL_DOCUMENT' } },
 *   queryProviderOptions: { google: { taskType: 'RETRIEVAL_QUERY' } },
 * });
 */
export function aiProvider(model: EmbeddingModel, options?: AiProviderOptions): EmbeddingProvider {
  const { id, dimensions, maxBatchSize, providerOptions, queryProviderOptions } = resolveOptions(
    'aiProvider',
    options,
    aiProviderDefaults,
  );
  const named = typeof model === 'string' ? model : `${model.provider}/${model.modelId}`;
  // Everything that changes a vector is part of the id, so that vectors of different settings are never compared.
  const settings =
    providerOptions === undefined ? '' : `&options=${encodeURIComponent(JSON.stringify(providerOptions))}`;
  return {
    id: id ?? `ai?model=${encodeURIComponent(named)}${settings}`,
    maxBatchSize,
    ...(dimensions === undefined ? {} : { dimensions }),
    async embed(texts, { role, signal }) {
      const passed = role === 'query' ? (queryProviderOptions ?? providerOptions) : providerOptions;
      const { embeddings, usage } = await embedMany({
        model,
        values: [...texts],
        ...(passed === undefined ? {} : { providerOptions: passed }),
        ...(signal === undefined ? {} : { abortSignal: signal }),
      });
      return { vectors: embeddings.map((vector) => Float32Array.from(vector)), usage: { tokens: usage.tokens || 0 } };
    },
  };
}

/** A provider, such as the bundled model, as an embedding model of the AI SDK. All texts are embedded with one role. */
export function aiEmbeddingModel(
  provider: EmbeddingProvider,
  role: 'document' | 'query' = 'document',
): Exclude<EmbeddingModel, string> {
  return {
    specificationVersion: 'v3',
    provider: 'semantic-index',
    modelId: provider.id,
    maxEmbeddingsPerCall: provider.maxBatchSize ?? 64,
    supportsParallelCalls: (provider.maxParallelCalls ?? 1) > 1,
    async doEmbed({ values, abortSignal }) {
      return { embeddings: await embedAll(provider, values, role, abortSignal), warnings: [] };
    },
  };
}

/**
 * A reranking model of the AI SDK as the option `rerank` of a search. Queries must be texts. The SDK retries.
 *
 * @example
 * const { hits } = await index.search(question, { rerank: aiReranker(cohere.reranking('rerank-v3.5')), rerankBudget: 500 });
 */
export function aiReranker(model: RerankingModel): Rerank {
  return async (query, hits, { signal }) => {
    if (typeof query !== 'string') {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'aiReranker: expected a text as query, got a vector or an id', {
        hint: 'Leave rerank out for other queries.',
      });
    }
    const documents = hits.map(({ text }) => text);
    const { ranking } = await rerank({ model, query, documents, ...(signal !== undefined && { abortSignal: signal }) });
    const scores = new Float64Array(hits.length).fill(Number.NaN);
    for (const { originalIndex, score } of ranking) scores[originalIndex] = score;
    return scores;
  };
}

/** Options of `searchTool`. */
export interface SearchToolOptions {
  /** Describes the content of the index to the model. Default: a general description. */
  readonly description?: string | undefined;
  /** Max. number of hits. Default 5. */
  readonly k?: number | undefined;
  /** Filter on metadata; the model cannot change it. Default: all documents. */
  readonly where?: Where | undefined;
  /** Search mode. Default `hybrid`. */
  readonly mode?: SearchOptions['mode'] | undefined;
  /**
   * What else the search does: `rerank`, `boost`, `groupBy`, `diversity`, `minScore`, `vectorWeight`, `onProviderFailure`, and so on.
   * With `snippet`, hits have the best part of their text, and its lines, instead of the whole. Default: nothing else.
   */
  readonly search?: Omit<SearchOptions, 'k' | 'where' | 'mode' | 'after' | 'facets' | 'explain' | 'signal'> | undefined;
}

const searchToolDefaults = {
  description: 'Finds texts that answer a question, by meaning and by words.',
  k: 5,
  where: undefined as Where | undefined,
  mode: 'hybrid' as SearchOptions['mode'],
  search: undefined as SearchToolOptions['search'],
};

/**
 * A tool of the AI SDK that searches an index: takes a query, returns hits with id, score, text and metadata.
 *
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION.
 */
export function searchTool(index: SemanticIndex, options?: SearchToolOptions) {
  const { description, k, where, mode, search = {} } = resolveOptions('searchTool', options, searchToolDefaults);
  return tool({
    description,
    inputSchema: z.object({ query: z.string().min(1).describe('A question, or some words') }),
    async execute({ query }, { abortSignal }) {
      const { hits } = await index.search(query, { ...search, k, where, mode, signal: abortSignal });
      return {
        hits: hits.map(({ id, score, text, metadata, snippet }) => {
          if (snippet === undefined) return { id, score, text, metadata };
          const { startLine, endLine } = snippet;
          return { id, score, text: snippet.text, lines: `${startLine}-${endLine}`, metadata };
        }),
      };
    },
  });
}
