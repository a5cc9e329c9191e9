import { SemanticIndexError } from '../../errors.js';
import { type AnnoySerializeOptions, describe } from '../../options.js';
import type { Metric } from '../../types.js';
import { type KnownFile, sizeIn } from './annoy-description.js';

/**
 * An index as a plain object for `postMessage` and `structuredClone`. A `byte` snapshot contains the data, and its buffer can be
 * transferred. A `disk` snapshot contains the path only; threads and processes that open it share the memory of the file.
 */
export type AnnoySnapshot = {
  readonly kind: 'semantic-index.annoy';
  readonly version: 1;
  readonly f: number;
  readonly metric: Metric;
} & (
  | {
      readonly mode: 'byte';
      readonly bytes: Uint8Array;
      readonly compress: AnnoySerializeOptions['compress'];
      /** Size before compression, which limits the expansion. */
      readonly fileSize?: number | undefined;
    }
  | {
      readonly mode: 'disk';
      readonly path: string;
      /** Id in the sidecar; without one, `identity` detects a replaced file. */
      readonly id: string | undefined;
      readonly fileSize: number;
      readonly identity?: string | undefined;
    }
);

/**
 * Returns `value` when it is a snapshot.
 *
 * @throws INVALID_ARGUMENT, or NEWER_FORMAT for one of a later version.
 */
export function checkSnapshot(method: string, value: unknown): AnnoySnapshot {
  const snapshot = value as Partial<AnnoySnapshot> | null;
  if (typeof snapshot !== 'object' || snapshot === null || snapshot.kind !== 'semantic-index.annoy') {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `${method}: expected a snapshot of an AnnoyIndex, got ${describe(value)}`,
      {
        hint: 'Pass what toSnapshot() returned.',
      },
    );
  }
  if (snapshot.version !== 1) {
    throw new SemanticIndexError(
      'NEWER_FORMAT',
      `${method}: expected a snapshot of version 1, got ${String(snapshot.version)}`,
    );
  }
  return snapshot as AnnoySnapshot;
}

/** Whether a file is the one that a `disk` snapshot was taken of. */
export function isSameFile(snapshot: AnnoySnapshot & { mode: 'disk' }, known: KnownFile | undefined): boolean {
  if (known === undefined || sizeIn(known.identity) !== snapshot.fileSize) return false;
  if (known.description?.id !== snapshot.id) return false;
  return snapshot.id !== undefined || snapshot.identity === undefined || snapshot.identity === known.identity;
}
