import type { Store } from '../store/store.js';
import type { EmbeddingProvider, IndexStats } from '../types.js';
import { instructionSet } from '../vectors/binding.js';

/** Figures of an index as it is now, for `stats`. An empty index has the dimensions and model of its provider. */
export async function indexStats(
  store: Store,
  provider: EmbeddingProvider | undefined,
  tuning: IndexStats['tuning'],
): Promise<IndexStats> {
  const snapshot = await store.snapshot();
  const rows = new Map(store.segmentRows().map((row) => [row.segment, row]));
  const parts = snapshot?.parts ?? [];
  const tail = parts.find((part) => part.segment === 0);
  return {
    documents: await store.count(undefined),
    dimensions: store.space?.dimensions ?? provider?.dimensions,
    metric: store.metric,
    provider: store.space?.fingerprint ?? provider?.id,
    segments: parts.flatMap(({ segment, keys, dead, damaged }) => {
      const row = rows.get(segment);
      if (row === undefined) return [];
      const items = keys.offsets.length;
      return [{ file: row.file, items, dead, trees: row.trees, bytes: row.file_size, damaged }];
    }),
    tail: tail === undefined ? 0 : tail.keys.offsets.length - tail.dead,
    bytes: await store.bytes(),
    instructionSet: instructionSet(),
    tuning,
  };
}
