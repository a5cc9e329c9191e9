import type { Pooling } from '../model-families.js';

/**
 * Pools the vectors of tokens into one vector per text. Padding is ignored: otherwise the vector of a text would depend
 * on the longest text of its batch.
 *
 * @param tokens rows x length x dimensions.
 * @param counts number of tokens of each row without padding; they come first.
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
