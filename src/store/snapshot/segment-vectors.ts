import type { AnnoyIndex } from '../../vectors/annoy/annoy-index.js';
import type { VectorBuffer } from '../../vectors/vector-buffer.js';
import type { SortedKeys } from '../catalog/sorted-keys.js';
import type { GuardedSource } from './guarded-source.js';

/** Where vectors are searched: item i, or row i, has the i-th key. */
export interface VectorSource {
  readonly vectors: AnnoyIndex | VectorBuffer;
  readonly keys: SortedKeys;
}

/**
 * How the vectors of a segment are stored: `stored` as they should be, `graph-missing` when its graph index is missing or wrong,
 * `damaged` when its documents are read from the catalog and scanned.
 */
export type VectorsState = 'stored' | 'graph-missing' | 'damaged';

/** The vectors of a segment, or of the tail. */
export type SegmentVectors = GuardedSource<VectorSource, VectorsState>;

/** Vectors in memory: of the tail, and of a segment whose files are damaged. */
export class VectorsInMemory implements SegmentVectors {
  readonly state: VectorsState;
  readonly #source: VectorSource;

  constructor(source: VectorSource, state: VectorsState) {
    this.#source = source;
    this.state = state;
  }

  get known(): VectorSource {
    return this.#source;
  }

  async source(): Promise<VectorSource> {
    return this.#source;
  }

  async isSound(source: VectorSource): Promise<boolean> {
    return source === this.#source;
  }

  async verify(): Promise<void> {}

  close(): void {
    this.#source.vectors.close();
  }
}
