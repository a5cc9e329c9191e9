import type { Backend } from '../backend/backend.js';
import type { ResolvedOptimizeOptions } from '../options.js';
import type { OptimizeResult } from '../types.js';

/** Builds and merges segments, drops deleted items and unused vectors, and reports what that moved and freed. */
export async function optimizeIndex(backend: Backend, options: ResolvedOptimizeOptions): Promise<OptimizeResult> {
  const [before, deadBefore] = [await backend.bytes(), await deadItems(backend)];
  const { vectors } = await backend.optimize(options);
  const [after, deadAfter] = [await backend.bytes(), await deadItems(backend)];
  const { segments } = await backend.facts();
  return {
    items: Math.max(0, deadBefore - deadAfter),
    vectors,
    segments: segments.length,
    bytesBefore: before.database + before.segments,
    bytesAfter: after.database + after.segments,
  };
}

async function deadItems(backend: Backend): Promise<number> {
  const { segments } = await backend.facts();
  return segments.reduce((sum, { dead }) => sum + dead, 0);
}
