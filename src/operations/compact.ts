import type { Backend } from '../backend/backend.js';
import type { CompactResult, LongWorkOptions } from '../types.js';

/** Drops deleted items and unused vectors, and reports how much that freed. */
export async function compactIndex(backend: Backend, options: LongWorkOptions): Promise<CompactResult> {
  const [before, deadBefore] = [await backend.bytes(), await deadItems(backend)];
  const { vectors } = await backend.compact(options);
  const [after, deadAfter] = [await backend.bytes(), await deadItems(backend)];
  return {
    items: deadBefore - deadAfter,
    vectors,
    bytesBefore: before.database + before.segments,
    bytesAfter: after.database + after.segments,
  };
}

async function deadItems(backend: Backend): Promise<number> {
  const { segments } = await backend.facts();
  return segments.reduce((sum, { dead }) => sum + dead, 0);
}
