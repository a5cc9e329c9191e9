import type { ResolvedTuneOptions } from '../../options.js';
import type { TreesPoint } from '../../types.js';
import { canBuildGraph } from '../../vectors/annoy/annoy-graph.js';
import { AnnoyIndex } from '../../vectors/annoy/annoy-index.js';
import type { NeighborRows } from '../../vectors/vector-buffer.js';
import type { OperationContext } from '../context.js';
import { exportDocuments } from '../transfer/transfer.js';
import { recallInterval } from './recall-interval.js';
import type { ProbeQueries } from './recall-probe.js';

const timedSearches = 50;

/** What the table over numbers of trees is made with. */
export interface TreesTableOptions
  extends Pick<ResolvedTuneOptions, 'k' | 'seed' | 'signal' | 'onProgress' | 'confidence'> {
  readonly searchK: number;
  /** As in `recallInterval`. */
  readonly effect: number;
}

/**
 * Builds a forest of all vectors for each number of trees, and measures building, searching and recall at one `searchK`. The
 * forests are in memory, one at a time, beside one copy of the vectors.
 */
export async function compareTrees(
  { backend, space }: OperationContext,
  numbers: readonly number[],
  { vectors, count }: ProbeQueries,
  options: TreesTableOptions,
): Promise<TreesPoint[]> {
  const { k, seed, signal, onProgress, searchK, confidence, effect } = options;
  const dimensions = space.dimensions as number;
  const index = new AnnoyIndex(dimensions, backend.metric);
  try {
    let item = 0;
    for await (const { vector } of exportDocuments(backend)) {
      signal?.throwIfAborted();
      index.addItem(item++, vector);
    }
    index.setSeed(seed);
    const points: TreesPoint[] = [];
    let truth: NeighborRows | undefined;
    for (const [position, trees] of numbers.entries()) {
      onProgress?.({ stage: 'trees', done: position, total: numbers.length });
      const began = performance.now();
      await index.build(trees, signal === undefined ? {} : { signal });
      // As the segments of an index are.
      if (canBuildGraph(backend.metric, dimensions)) await index.buildGraph(signal === undefined ? {} : { signal });
      const buildMilliseconds = performance.now() - began;
      // Documents find themselves in truth and walk alike.
      truth ??= await index.getNnsByVectors(vectors, k, { exact: true });
      const walked = await index.getNnsByVectors(vectors, k, { searchK });
      const found = new Int32Array(count);
      const of = new Int32Array(count);
      for (let query = 0; query < count; query++) {
        const row = (items: Int32Array): number[] =>
          [...items.subarray(query * k, (query + 1) * k)].filter((neighbor) => neighbor >= 0);
        const known = new Set(row(truth.items));
        of[query] = known.size;
        found[query] = row(walked.items).filter((neighbor) => known.has(neighbor)).length;
      }
      const times: number[] = [];
      for (let query = 0; query < Math.min(timedSearches, count); query++) {
        const vector = vectors.subarray(query * dimensions, (query + 1) * dimensions);
        const started = performance.now();
        await index.getNnsByVectors(vector, k, { searchK, threads: 1 });
        times.push(performance.now() - started);
      }
      times.sort((a, b) => a - b);
      const { heap, mapped } = index.memoryUsage();
      points.push({
        trees,
        buildMilliseconds,
        searchK,
        milliseconds: times[Math.floor(times.length / 2)] ?? 0,
        bytes: heap + mapped,
        ...recallInterval({ found, of }, confidence, effect),
      });
      await index.unbuild();
    }
    onProgress?.({ stage: 'trees', done: numbers.length, total: numbers.length });
    return points;
  } finally {
    index.close();
  }
}
