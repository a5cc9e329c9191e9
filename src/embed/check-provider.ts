import { SemanticIndexError } from '../errors.js';
import { describe } from '../options.js';
import type { EmbeddingProvider } from '../types.js';

const limits = ['dimensions', 'maxBatchSize', 'maxBatchTokens', 'maxInputTokens', 'maxParallelCalls'] as const;
const calls = ['ready', 'countTokens', 'retryAfter', 'close'] as const;

/** Embedding classes of other libraries, recognised by a method name, and the adapter for each. */
const foreign: Readonly<Record<string, string>> = {
  embedDocuments: "Embeddings of LangChain: langchainProvider(embeddings, { id }) of 'semantic-index/langchain'.",
  getTextEmbedding: "Embeddings of LlamaIndex: llamaindexProvider(embedding, { id }) of 'semantic-index/llamaindex'.",
  doEmbed: "A model of the AI SDK: aiProvider(model) of 'semantic-index/ai'.",
};

/** @throws INVALID_ARGUMENT unless it has the members of an EmbeddingProvider. */
export function checkProvider(method: string, provider: unknown): asserts provider is EmbeddingProvider {
  const refuse = (what: string): SemanticIndexError =>
    new SemanticIndexError('INVALID_ARGUMENT', `${method}: expected a provider with ${what}`, {
      hint: hintFor(provider),
    });
  if (typeof provider !== 'object' || provider === null) {
    throw refuse(`an id and a function embed, got ${describe(provider)}`);
  }
  const { id, embed } = provider as { id?: unknown; embed?: unknown };
  if (typeof embed !== 'function') throw refuse(`a function embed, got ${describe(embed)}`);
  if (typeof id !== 'string' || id === '') throw refuse(`a string as id, got ${describe(id)}`);
  for (const name of limits) {
    const value = (provider as Record<string, unknown>)[name];
    if (value === undefined || (typeof value === 'number' && value >= 1)) continue;
    throw refuse(`a number above zero as ${name}, got ${describe(value)}`);
  }
  for (const name of calls) {
    const value = (provider as Record<string, unknown>)[name];
    if (value !== undefined && typeof value !== 'function')
      throw refuse(`a function as ${name}, got ${describe(value)}`);
  }
}

function hintFor(provider: unknown): string {
  if (typeof provider === 'string') return 'For a model of the OpenAI API: openaiProvider({ model }).';
  if (typeof provider === 'object' && provider !== null) {
    const known = Object.keys(foreign).find((name) => name in provider);
    if (known !== undefined) return foreign[known] as string;
  }
  return "A provider is { id: 'my-model', embed: async (texts) => ({ vectors }) }; null for an index without one.";
}
