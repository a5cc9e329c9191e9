import { addon } from '../addon/addon.js';
import type { NativeSearchPart } from '../addon/native-search.js';
import type { NativeTermsFile, NativeTermsTail } from '../addon/native-terms.js';
import type { AnnoyIndex } from '../vectors/annoy/annoy-index.js';
import { nativeVectorsOf } from '../vectors/native-vectors.js';
import type { VectorBuffer } from '../vectors/vector-buffer.js';

/** What the documents of a part are found by. Item i has the i-th key. */
export interface SearchPartSource {
  /** A built index with an item for each key, or a buffer with at least as many rows. */
  readonly vectors?: AnnoyIndex | VectorBuffer | undefined;
  /** A file with an item for each key, or a tail with at least as many documents. */
  readonly terms?: NativeTermsFile | NativeTermsTail | undefined;
  /** Ascending keys: each is `first` plus its offset. */
  readonly keys: { readonly first: number; readonly offsets: Uint32Array | Float64Array };
}

/**
 * A run of documents by ascending key with vectors, terms, or both. Immutable, and shared by the snapshots of an index; keeps
 * what it was made of open, also when that is closed. Rows and documents that are appended later do not belong to it.
 */
export class SearchPart {
  readonly items: number;
  readonly native: NativeSearchPart;

  /** @throws CLOSED, NOT_BUILT */
  constructor({ vectors, terms, keys }: SearchPartSource) {
    this.items = keys.offsets.length;
    const native = vectors === undefined ? undefined : nativeVectorsOf(vectors);
    this.native = new (addon().SearchPart)(native, terms, keys.first, keys.offsets);
  }

  /** Releases the memory, once no snapshot and no running search uses it. Closing twice has no effect. */
  close(): void {
    this.native.close();
  }
}
