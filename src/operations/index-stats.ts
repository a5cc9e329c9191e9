import { instructionSet } from '../addon/addon.js';
import type { Backend } from '../backend/backend.js';
import type { EmbeddingProvider, IndexStats } from '../types.js';
import { storedLayout } from './stored-analysis.js';

/** Figures of an index, for `stats`. An empty index has the dimensions and the model of its provider. */
export async function indexStats(
  backend: Backend,
  provider: EmbeddingProvider | undefined,
  tuning: IndexStats['tuning'],
): Promise<IndexStats> {
  const { segments, tail } = await backend.facts();
  const layout = await storedLayout(backend);
  return {
    documents: await backend.count(),
    dimensions: backend.space?.dimensions ?? provider?.dimensions,
    metric: backend.metric,
    provider: backend.space?.fingerprint ?? provider?.id,
    segments: segments.map(({ segment: _, ...summary }) => summary),
    tail,
    bytes: await backend.bytes(),
    instructionSet: instructionSet(),
    ...(layout !== undefined && { textFields: layout.weights, textTemplate: layout.template }),
    tuning,
  };
}
