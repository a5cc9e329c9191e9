import type { EmbeddingProvider, EmbeddingRole } from '../types.js';
import { embedTexts } from './embed-texts.js';

/**
 * The vectors of all texts, in order, of length 1: `embedTexts` for callers that need them at once.
 *
 * @throws the errors of `embedTexts`.
 */
export async function embedAll(
  provider: EmbeddingProvider,
  texts: readonly string[],
  role: EmbeddingRole,
  signal?: AbortSignal,
): Promise<number[][]> {
  const vectors: number[][] = [];
  for await (const batch of embedTexts(provider, texts, { role, signal })) {
    batch.indices.forEach((index, row) => {
      vectors[index] = Array.from(batch.vectors[row] as Float32Array);
    });
  }
  return vectors;
}
