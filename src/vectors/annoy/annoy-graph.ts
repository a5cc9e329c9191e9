import { existsSync, statSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import type { NativeIndex } from '../../addon/native-index.js';
import { SemanticIndexError } from '../../errors.js';
import { type AnnoyEngine, describe } from '../../options.js';
import type { Metric } from '../../types.js';
import type { AnnoyDescription } from './sidecar.js';

/** Whether searches use the graph index, and if not, why. */
export interface GraphStatus {
  readonly inUse: boolean;
  /** Size of the graph index in use; 0 without one. */
  readonly bytes: number;
  /** Why it is not used; undefined when it is. */
  readonly reason: string | undefined;
}

/** Path of the graph index of an Annoy file. */
export function graphPath(path: string): string {
  return `${path}.accel`;
}

const graphMetrics: readonly Metric[] = ['angular', 'euclidean', 'dot'];
const maxDimensions = 2 ** 15;

/** Whether `buildGraph()` can derive a graph index for such an index. */
export function canBuildGraph(metric: Metric, dimensions: number): boolean {
  return graphMetrics.includes(metric) && dimensions <= maxDimensions;
}

/** @throws INVALID_ARGUMENT unless it is one of the two. */
export function checkEngine(method: string, engine: unknown): AnnoyEngine {
  if (engine === 'annoy' || engine === 'graph') return engine;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `${method}: expected engine "annoy" or "graph", got ${describe(engine)}`,
    {
      hint:
        engine === 'accelerated'
          ? 'It is called "graph" now.'
          : 'Leave it out to search the graph index where there is one.',
    },
  );
}

const foreign = 'the graph index was derived from another file';

/** Message of the kernel about a graph index in another version of the format. */
export const otherFormat = 'the graph index has another version of the format';

/**
 * The checksum of the file at `path` according to its sidecar, or undefined when the file was modified since the save:
 * the sidecar sets the modification time of the file that it describes.
 */
function knownContent(path: string, description: AnnoyDescription | undefined): string | undefined {
  if (description?.content === undefined) return undefined;
  const file = statSync(path, { throwIfNoEntry: false });
  const isUntouched =
    file !== undefined && file.size === description.fileSize && Math.abs(file.mtimeMs - description.modified) < 1;
  return isUntouched ? description.content : undefined;
}

/**
 * Removes the graph index beside `path` unless it was derived from the forest that `native` holds and that was just
 * written there. Searches ignore a graph index that cannot be removed.
 */
export async function removeForeignGraph(
  native: NativeIndex,
  path: string,
  { content }: AnnoyDescription,
): Promise<void> {
  const file = graphPath(path);
  if (!existsSync(file) || native.loadGraph(file, content) === undefined) return;
  await unlink(file).catch(() => undefined);
}

/**
 * Maps the graph index beside the file that `native` has just loaded. Returns why one that is there is not used, or
 * undefined. A sidecar with the checksum of the file decides at once; without one, the first search compares the whole file.
 */
export function attachGraph(
  engine: AnnoyEngine,
  native: NativeIndex,
  path: string,
  description: AnnoyDescription | undefined,
): string | undefined {
  const file = graphPath(path);
  if (engine === 'annoy' || !existsSync(file)) return undefined;
  return native.loadGraph(file, knownContent(path, description))?.message;
}

/** Whether searches of `native` use a graph index; `native` is undefined while nothing is loaded. */
export function graphStatus(
  engine: AnnoyEngine,
  native: NativeIndex | undefined,
  ignored: string | undefined,
): GraphStatus {
  const facts = native?.facts();
  const bytes = facts?.graphBytes ?? 0;
  const unused = (reason: string): GraphStatus => ({ inUse: false, bytes: 0, reason });
  if (engine === 'annoy') return unused('the engine is annoy');
  if (facts === undefined) return unused('nothing is loaded');
  if (facts.graphForeign) return unused(foreign);
  if (facts.graphDamaged) return unused('it is damaged');
  return bytes > 0 ? { inUse: true, bytes, reason: undefined } : unused(ignored ?? 'there is none');
}
