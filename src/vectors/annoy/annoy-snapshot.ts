import { SemanticIndexError } from '../../errors.js';
import type { AnnoySerializeOptions } from '../../options.js';
import type { Metric } from '../../types.js';
import { type KnownFile, sizeIn } from './annoy-description.js';

/**
 * An index as a plain object that `postMessage` and `structuredClone` accept. Of a `byte` snapshot the buffer of `bytes` can be
 * transferred; a `disk` snapshot costs nothing, and threads and processes that open it share the memory of the file.
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
      /** Size of the bytes before they were compressed, which bounds what is expanded. */
      readonly fileSize?: number | undefined;
    }
  | {
      readonly mode: 'disk';
      readonly path: string;
      /** The id in the sidecar; without one, `identity` tells whether the file was replaced. */
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
    throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: this is no snapshot of an AnnoyIndex`, {
      hint: 'Pass what toSnapshot() returned.',
    });
  }
  if (snapshot.version !== 1) {
    throw new SemanticIndexError('NEWER_FORMAT', `${method}: the snapshot has version ${String(snapshot.version)}`);
  }
  return snapshot as AnnoySnapshot;
}

/** Whether the file that was opened for a `disk` snapshot is the one that it was taken of. */
export function isSameFile(snapshot: AnnoySnapshot & { mode: 'disk' }, known: KnownFile | undefined): boolean {
  if (known === undefined || sizeIn(known.identity) !== snapshot.fileSize) return false;
  if (known.description?.id !== snapshot.id) return false;
  return snapshot.id !== undefined || snapshot.identity === undefined || snapshot.identity === known.identity;
}
