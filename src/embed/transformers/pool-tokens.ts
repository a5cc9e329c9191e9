import type { Pooling } from '../model-families.js';

/**
 * One vector per text from the vectors of its tokens. Only real tokens count, never padding: else a text's vector
 * would depend on the longest text beside it.
 *
 * @param tokens rows x length x dimensions numbers.
 * @param counts how many tokens of each row are real; they come first.
 */
export function poolTokens(
  tokens: ArrayLike<number>,
  counts: readonly number[],
  length: number,
  dimensions: number,
  pooling: Pooling,
): Float32Array[] {
  return counts.map((count, row) => {
    const start = row * length * dimensions;
    const token = (index: number): number => start + index * dimensions;
    const vector = new Float32Array(dimensions);
    if (pooling === 'mean') {
      const sums = new Float64Array(dimensions);
      for (let index = 0; index < count; index++) {
        for (let column = 0, from = token(index); column < dimensions; column++, from++) {
          sums[column] = (sums[column] as number) + (tokens[from] as number);
        }
      }
      for (let column = 0; column < dimensions; column++) vector[column] = (sums[column] as number) / count;
    } else {
      const from = token(pooling === 'cls' ? 0 : count - 1);
      for (let column = 0; column < dimensions; column++) vector[column] = tokens[from + column] as number;
    }
    return vector;
  });
}
