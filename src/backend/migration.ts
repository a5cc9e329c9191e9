import type { DocumentId } from '../types.js';
import type { KeyedVectors } from './documents.js';
import type { KeyedNeighbor } from './read-snapshot.js';
import type { Space } from './space.js';

/** A document whose text has no vector in the space that is being filled. */
export interface MissingText {
  readonly key: number;
  readonly id: DocumentId;
  /** Content hash, base64url. */
  readonly hash: string;
  readonly text: string;
}

/** Documents that keep an index from moving to its next space; both zero once it has moved. */
export interface Remainder {
  /** Documents without a vector in the next space. */
  readonly missing: number;
  /** Documents whose vectors the caller passed: no model can make them again. */
  readonly given: number;
}

/** Moves an index to another space. */
export interface SpaceMigration {
  /**
   * Runs work while no other process migrates the index. A process that died blocks nothing.
   *
   * @throws BUSY when another migration is running.
   */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /** Names the space to be filled; a known one keeps its reference embeddings. */
  begin(fingerprint: string, dimensions: number, canaries: string): Promise<Space>;
  /** The space with this fingerprint, if the index has or had it. */
  findSpace(fingerprint: string): Promise<Space | undefined>;
  abandon(): Promise<void>;
  remainder(space: number): Promise<Remainder>;
  missingAfter(space: number, afterKey: number, limit: number): Promise<MissingText[]>;
  /** Moves the index to the space in one transaction, unless anything is missing there. */
  cutOver(space: number): Promise<Remainder>;
  /** Documents spread over the index, with their vectors in a space. */
  sample(space: number, count: number): Promise<KeyedVectors>;
  /** The true nearest documents of some vectors (packed) in a space other than that of the index. */
  nearest(space: Space, queries: Float32Array, k: number): Promise<KeyedNeighbor[][]>;
}
