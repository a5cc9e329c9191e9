import { type EmbeddingModel, embedMany, tool } from 'ai';
import { z } from 'zod';
import type { EmbeddingProvider, SearchOptions, SemanticIndex, Where } from '../index.js';
import { resolveOptions } from '../options/resolve-options.js';
import { refuseUnknownMembers } from './foreign-documents.js';
import { embedAll, type ForeignEmbeddings } from './foreign-embeddings.js';

export type { ForeignEmbeddings } from './foreign-embeddings.js';

type ProviderOptions = NonNullable<Parameters<typeof embedMany>[0]['providerOptions']>;

/** Options of `aiProvider`. */
export interface AiProviderOptions extends Partial<ForeignEmbeddings> {
  /** Passed to the model with every call, for instance `{ openai: { dimensions: 512 } }`. Default: none. */
  readonly providerOptions?: ProviderOptions;
  /** Passed with queries instead, for instance `{ google: { taskType: 'RETRIEVAL_QUERY' } }`. Default: `providerOptions`. */
  readonly queryProviderOptions?: ProviderOptions;
}

const providerMembers = ['id', 'dimensions', 'maxBatchSize', 'providerOptions', 'queryProviderOptions'];

/**
 * An embedding model of the AI SDK as a provider for an index. Its id is made of the model and the provider options, unless one
 * is given. The SDK splits batches and tries again.
 *
 * @throws UNKNOWN_OPTION for an option that does not exist.
 * @example
 * const provider = aiProvider(google.textEmbedding('gemini-embedding-001'), {
 *   providerOptions: { google: { taskType: 'RETRIEVAL_DOCUMENT' } },
 *   queryProviderOptions: { google: { taskType: 'RETRIEVAL_QUERY' } },
 * });
 */
export function aiProvider(model: EmbeddingModel, options: AiProviderOptions = {}): EmbeddingProvider {
  refuseUnknownMembers('aiProvider', options, providerMembers);
  const { providerOptions, queryProviderOptions = providerOptions, ...foreign } = options;
  const named = typeof model === 'string' ? model : `${model.provider}/${model.modelId}`;
  // What changes a vector is part of the id, so that vectors of two settings are never compared.
  const settings =
    providerOptions === undefined ? '' : `&options=${encodeURIComponent(JSON.stringify(providerOptions))}`;
  return {
    id: `ai?model=${encodeURIComponent(named)}${settings}`,
    maxBatchSize: 64,
    ...foreign,
    async embed(texts, { role, signal }) {
      const given = role === 'query' ? queryProviderOptions : providerOptions;
      const { embeddings, usage } = await embedMany({
        model,
        values: [...texts],
        ...(given === undefined ? {} : { providerOptions: given }),
        ...(signal === undefined ? {} : { abortSignal: signal }),
      });
      return { vectors: embeddings.map((vector) => Float32Array.from(vector)), usage: { tokens: usage.tokens || 0 } };
    },
  };
}

/** A provider, such as the bundled model, as an embedding model of the AI SDK. All texts are embedded in one role. */
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

/** Options of `searchTool`. */
export interface SearchToolOptions {
  /** Tells the model what the index holds, and so when to search it. Default: a general description. */
  readonly description?: string | undefined;
  /** Most hits. Default 5. */
  readonly k?: number | undefined;
  /** Only documents that match; the model cannot change it. Default: all. */
  readonly where?: Where | undefined;
  /** Default hybrid. */
  readonly mode?: SearchOptions['mode'] | undefined;
}

const searchToolDefaults = {
  description: 'Finds texts that answer a question, by meaning and by words.',
  k: 5,
  where: undefined as Where | undefined,
  mode: 'hybrid' as SearchOptions['mode'],
};

/**
 * An index as a tool that a model of the AI SDK can call: a query in, hits with id, score, text and metadata out.
 *
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION.
 */
export function searchTool(index: SemanticIndex, options?: SearchToolOptions) {
  const { description, k, where, mode } = resolveOptions('searchTool', options, searchToolDefaults);
  return tool({
    description,
    inputSchema: z.object({ query: z.string().min(1).describe('A question, or some words') }),
    async execute({ query }, { abortSignal }) {
      const hits = await index.search(query, { k, where, mode, signal: abortSignal });
      return { hits: hits.map(({ id, score, text, metadata }) => ({ id, score, text, metadata })) };
    },
  });
}
