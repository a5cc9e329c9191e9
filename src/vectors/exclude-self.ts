import type { NeighborRows } from './vector-buffer.js';

/**
 * The first `n` neighbours of each query without the query's own item: query i is item `first` + i. `found` has `n` + 1 columns;
 * where the item itself is not among them, equal vectors with lower numbers took its place and the last column is dropped.
 */
export function excludeSelf({ items, distances }: NeighborRows, n: number, first: number): NeighborRows {
  const rows = items.length / (n + 1);
  const kept = { items: new Int32Array(rows * n), distances: new Float32Array(rows * n) };
  for (let row = 0; row < rows; row++) {
    let target = row * n;
    const end = target + n;
    for (let column = row * (n + 1); target < end; column++) {
      if (items[column] === first + row) continue;
      kept.items[target] = items[column] as number;
      kept.distances[target] = distances[column] as number;
      target++;
    }
  }
  return kept;
}
