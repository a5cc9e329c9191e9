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
