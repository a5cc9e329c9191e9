import type { VectorBuffer } from '../../../vectors/vector-buffer.js';
import type { SortedKeys } from '../../catalog/sorted-keys.js';
import { GuardedFiles } from '../guarded-source.js';
import type { ImageFile, SegmentContext } from '../segment-context.js';
import type { SegmentVectors, VectorSource, VectorsState } from '../segment-vectors.js';
import { scannedVectors } from '../stored-vectors.js';

/** The vectors of the tail, and the file that the first of them are in, if any. */
export interface TailVectorsRequest {
  /** It may grow: only the rows of the keys are searched. */
  readonly vectors: VectorBuffer;
  readonly keys: SortedKeys;
  readonly firstKey: number;
  readonly lastKey: number;
  readonly file: ImageFile | undefined;
}

/** Vectors of the tail. Once the image that they are in has changed, those of the catalog are searched in their place. */
export function tailVectors(
  { vectors, keys, firstKey, lastKey, file }: TailVectorsRequest,
  context: SegmentContext,
): SegmentVectors {
  return new GuardedFiles<VectorSource, VectorsState>({
    source: { vectors, keys },
    state: 'stored',
    // All of it was compared while it was read.
    checkFirst: false,
    hasChanged: () => vectors.hasChanged(),
    isIntact: async () => (await file?.isIntact()) ?? true,
    reopen: (onState) => {
      onState('damaged');
      file?.onLost();
      return scannedVectors(firstKey, lastKey, context);
    },
    // The tail closes the buffer, which its next snapshots share.
    close: () => {},
  });
}
