import type { EmbeddingProvider, EmbeddingRole } from '../index.js';

/** The vectors of any number of texts, in their order, in batches of a size that the provider takes. */
export async function embedAll(
  provider: EmbeddingProvider,
  texts: readonly string[],
  role: EmbeddingRole,
  signal?: AbortSignal,
): Promise<number[][]> {
  const size = provider.maxBatchSize ?? 64;
  const vectors: number[][] = [];
  for (let first = 0; first < texts.length; first += size) {
    const batch = await provider.embed(texts.slice(first, first + size), {
      role,
      ...(signal === undefined ? {} : { signal }),
    });
    for (const vector of batch.vectors) vectors.push(Array.from(vector));
  }
  return vectors;
}

/** What makes a provider of another framework's embeddings. */
export interface ForeignEmbeddings {
  /**
   * Names everything that changes a vector: the model, its revision, its dimensions. An index remembers it, and refuses
   * vectors of another.
   */
  readonly id: string;
  /** Length of the vectors, if it is known. */
  readonly dimensions?: number;
  /** Most texts per call. Default 64. */
  readonly maxBatchSize?: number;
}

/** How another framework embeds: documents together, questions one by one. */
export interface ForeignCalls {
  documents(texts: string[]): Promise<readonly (readonly number[])[]>;
  query(text: string): Promise<readonly number[] | null>;
}

/**
 * Another framework's embeddings as a provider for an index. What a call did not answer is an empty vector, which the index
 * refuses.
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
