import { existsSync, statSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { SemanticIndexError } from '../../errors.js';
import type { AnnoyEngine } from '../../options.js';
import type { Metric } from '../../types.js';
import type { NativeIndex } from '../binding.js';
import type { AnnoyDescription } from './sidecar.js';

/** Whether searches of an index are accelerated, and why not. */
export interface AcceleratorStatus {
  readonly inUse: boolean;
  /** Size of the accelerator in use; 0 without one. */
  readonly bytes: number;
  /** Why there is none in use; undefined when there is. */
  readonly reason: string | undefined;
}

/** Where the accelerator of an Annoy file is. */
export function acceleratorPath(path: string): string {
  return `${path}.accel`;
}

const acceleratedMetrics: readonly Metric[] = ['angular', 'euclidean', 'dot'];
const maxDimensions = 2 ** 15;

/** Whether `accelerate()` can derive an accelerator for such an index. */
export function canAccelerate(metric: Metric, dimensions: number): boolean {
  return acceleratedMetrics.includes(metric) && dimensions <= maxDimensions;
}

/** @throws INVALID_ARGUMENT unless it is one of the two. */
export function checkEngine(method: string, engine: unknown): AnnoyEngine {
  if (engine === 'annoy' || engine === 'accelerated') return engine;
  throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: engine must be "annoy" or "accelerated"`);
}

const foreign = 'the accelerator was derived from another file';

/** Why an accelerator that another version of this package wrote is not used; the kernel's words. */
export const otherFormat = 'the accelerator has another version of the format';

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
 * Removes the accelerator beside `path` unless it was derived from the forest that `native` holds and that was just
 * written there. An accelerator that cannot be removed is ignored by searches all the same.
 */
export async function removeForeignAccelerator(
  native: NativeIndex,
  path: string,
  { content }: AnnoyDescription,
): Promise<void> {
  const file = acceleratorPath(path);
  if (!existsSync(file) || native.loadAccelerator(file, content) === undefined) return;
  await unlink(file).catch(() => undefined);
}

/** Which engine an index searches with, and what it knows of its accelerator. */
export class AcceleratorHandle {
  readonly engine: AnnoyEngine;
  #ignored: string | undefined;

  constructor(engine: AnnoyEngine) {
    this.engine = engine;
  }

  /**
   * Maps the accelerator beside the file that `native` has just loaded, if there is one that belongs to it. A sidecar
   * that knows the file's checksum decides at once. Without such a sidecar, the first search compares the whole file.
   */
  attach(native: NativeIndex, path: string, description: AnnoyDescription | undefined): void {
    this.#ignored = undefined;
    if (this.engine === 'annoy') return;
    const file = acceleratorPath(path);
    if (existsSync(file)) this.#ignored = native.loadAccelerator(file, knownContent(path, description))?.message;
  }

  status(native: NativeIndex | undefined): AcceleratorStatus {
    const facts = native?.facts();
    const bytes = facts?.acceleratorBytes ?? 0;
    if (this.engine === 'annoy') return { inUse: false, bytes: 0, reason: 'the engine is annoy' };
    if (facts?.acceleratorForeign === true) return { inUse: false, bytes: 0, reason: foreign };
    if (facts?.acceleratorDamaged === true) return { inUse: false, bytes: 0, reason: 'it is damaged' };
    if (bytes > 0) return { inUse: true, bytes, reason: undefined };
    if (this.#ignored !== undefined) return { inUse: false, bytes: 0, reason: this.#ignored };
    return { inUse: false, bytes: 0, reason: facts === undefined ? 'nothing is loaded' : 'there is none' };
  }
}
