import type { EmbeddingProvider } from '../index.js';

/** Options for a provider based on the embeddings of another framework. */
export interface ForeignEmbeddings {
  /**
   * Identifies everything that changes a vector: the model, its revision, its dimensions. An index stores the id and
   * refuses vectors with another one.
   */
  readonly id: string;
  /** Length of the vectors, if known. */
  readonly dimensions?: number;
  /** Max. texts per call. Default 64. */
  readonly maxBatchSize?: number;
}

/** The calls of another framework: documents in batches, queries one by one. */
export interface ForeignCalls {
  documents(texts: string[]): Promise<readonly (readonly number[])[]>;
  query(text: string): Promise<readonly number[] | null>;
}

/**
 * The embeddings of another framework as a provider for an index. A missing vector becomes an empty one, which the
 * index refuses.
 */
export function foreignProvider(calls: ForeignCalls, foreign: ForeignEmbeddings): EmbeddingProvider {
  return {
    maxBatchSize: 64,
    ...foreign,
    async embed(texts, { role, signal }) {
      signal?.throwIfAborted();
      const vectors =
        role === 'query'
          ? await Promise.all(texts.map((text) => calls.query(text)))
          : await calls.documents([...texts]);
      return { vectors: vectors.map((vector) => Float32Array.from(vector ?? [])) };
    },
  };
}
