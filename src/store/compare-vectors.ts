import type { Metric } from '../types.js';
import { VectorBuffer } from '../vectors/vector-buffer.js';
import type { KeyedNeighbor } from './snapshot.js';

/** The distance of a vector to each of those of these keys (one after the other), nearest first. */
export async function compareVectors(
  metric: Metric,
  vector: Float32Array,
  keys: readonly number[],
  vectors: Float32Array,
): Promise<KeyedNeighbor[]> {
  const buffer = new VectorBuffer(vector.length, metric);
  try {
    buffer.append(vectors);
    const { items, distances } = await buffer.search(vector, keys.length);
    return Array.from(items, (item, rank) => ({ key: keys[item] as number, distance: distances[rank] as number }));
  } finally {
    buffer.close();
  }
}
