import type { Store } from '../store/store.js';
import type { CompactResult, LongWorkOptions } from '../types.js';

/** Drops what no document uses any more, and tells how much that was. */
export async function compactIndex(store: Store, options: LongWorkOptions): Promise<CompactResult> {
  const [before, deadBefore] = [await store.bytes(), await deadItems(store)];
  const { vectors } = await store.compact(options);
  const [after, deadAfter] = [await store.bytes(), await deadItems(store)];
  return {
    items: deadBefore - deadAfter,
    vectors,
    bytesBefore: before.database + before.segments,
    bytesAfter: after.database + after.segments,
  };
}

async function deadItems(store: Store): Promise<number> {
  const snapshot = await store.snapshot();
  return (snapshot?.parts ?? []).reduce((sum, part) => sum + (part.segment === 0 ? 0 : part.dead), 0);
}
