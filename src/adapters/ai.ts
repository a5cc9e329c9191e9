import { type EmbeddingModel, embedMany, tool } from 'ai';
import { z } from 'zod';
import type { EmbeddingProvider, SearchOptions, SemanticIndex, Where } from '../index.js';
import { embedAll, type ForeignEmbeddings } from './foreign-embeddings.js';

export type { ForeignEmbeddings } from './foreign-embeddings.js';

/**
 * An embedding model of the AI SDK as a provider for an index. Its id is that of the model, unless one is given. The SDK
 * splits batches and tries again.
 */
export function aiProvider(model: EmbeddingModel, foreign: Partial<ForeignEmbeddings> = {}): EmbeddingProvider {
  const named = typeof model === 'string' ? model : `${model.provider}/${model.modelId}`;
  return {
    id: `ai?model=${encodeURIComponent(named)}`,
    maxBatchSize: 64,
    ...foreign,
    async embed(texts, { signal }) {
      const { embeddings, usage } = await embedMany({
        model,
        values: [...texts],
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

/** What `searchTool` takes. */
export interface SearchToolOptions {
  /** Tells the model what the index holds, and so when to search it. */
  readonly description?: string;
  /** Hits at most. Default 5. */
  readonly k?: number;
  /** Only documents that match; the model cannot change it. Default: all. */
  readonly where?: Where;
  /** Default hybrid. */
  readonly mode?: SearchOptions['mode'];
}

/** An index as a tool that a model of the AI SDK can call: a query in, hits with id, score, text and metadata out. */
export function searchTool(index: SemanticIndex, options: SearchToolOptions = {}) {
  const { description = 'Finds texts that answer a question, by meaning and by words.', k = 5, where, mode } = options;
  return tool({
    description,
    inputSchema: z.object({ query: z.string().min(1).describe('A question, or some words') }),
    async execute({ query }, { abortSignal }) {
      const hits = await index.search(query, { k, where, mode, signal: abortSignal });
      return { hits: hits.map(({ id, score, text, metadata }) => ({ id, score, text, metadata })) };
    },
  });
}
