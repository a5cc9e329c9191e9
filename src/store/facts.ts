import type { BackendFacts } from '../backend/backend.js';
import type { SegmentRow } from './catalog/segment-table.js';
import type { Snapshot } from './snapshot/snapshot.js';

/** The structure of an index in figures: of its snapshot, and of the rows of its segments. */
export function factsOf(snapshot: Snapshot | undefined, rows: readonly SegmentRow[]): BackendFacts {
  const bySegment = new Map(rows.map((row) => [row.segment, row]));
  const { segments = [], tail } = snapshot ?? {};
  return {
    segments: segments.flatMap(({ segment, keys, dead, vectors }) => {
      const row = bySegment.get(segment);
      if (row === undefined) return [];
      const { file, trees, file_size: bytes } = row;
      return [{ segment, file, items: keys.offsets.length, dead, trees, bytes, damaged: vectors.state === 'damaged' }];
    }),
    tail: tail === undefined ? 0 : tail.keys.offsets.length - tail.dead,
    // A walk that has visited every item of every tree.
    maxNodes: Math.max(1, ...rows.map(({ items, trees }) => items * trees)),
  };
}
