import type { DocumentId, SearchedSegment } from '../types.js';
import type { StoredDocument } from './documents.js';
import type { FilterTree } from './filter-tree.js';
import type { Space } from './space.js';

/** A matching document: its key, and its distance in the metric of the index. */
export interface KeyedNeighbor {
  readonly key: number;
  readonly distance: number;
}

/** A search by vector. */
export interface VectorSearch {
  /** Packed, one query after the other. */
  readonly queries: Float32Array;
  readonly count: number;
  readonly k: number;
  /** Compare every vector. */
  readonly exact?: boolean | undefined;
  /** Effort of an approximate search; undefined leaves it to the backend. */
  readonly searchK?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called for each searched segment. */
  readonly onSegment?: ((segment: SearchedSegment) => void) | undefined;
}

/** A query by text, by vector, or by both. */
export interface RankQuery {
  readonly text?: string | undefined;
  readonly vector?: Float32Array | undefined;
}

/** A search that ranks documents by text, by vector, or by both. */
export interface RankSearch extends Omit<VectorSearch, 'queries' | 'count'> {
  readonly queries: readonly RankQuery[];
  /** Candidates of either side for a query by both. */
  readonly depth: number;
  /** Share of the similarity in the score of a query by both, from 0 to 1; the rest is that of BM25. Default a third. */
  readonly vectorWeight?: number | undefined;
}

/** A document with its score. */
export interface RankedDocument {
  readonly key: number;
  /** By text: BM25; by vector: that of the distance; by both: fused, from 0 to 1. */
  readonly score: number;
  /** BM25; 0 for a document without a term of the query. */
  readonly textScore: number;
}

/** The documents of a query, best first. */
export interface RankedDocuments {
  readonly ranked: readonly RankedDocument[];
  /** Upper bound of the BM25 scores of this query. */
  readonly maxTextScore: number;
}

/** Contents of a read snapshot. */
export interface SnapshotRequest {
  /** Restricts all searches of the snapshot to matching documents. */
  readonly filter?: FilterTree | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * All documents at one point in time. Vectors, texts, filter and look-ups come from the same commit, so a document that was
 * found can always be read. Keeps resources until `close`.
 */
export interface ReadSnapshot {
  /** The space of the vectors. */
  readonly space: Space;
  /** The nearest documents of each query among those that pass the filter. */
  search(search: VectorSearch): Promise<KeyedNeighbor[][]>;
  /**
   * The best documents of each query among those that pass the filter. By text: those that share a term with it, by BM25. By both:
   * BM25 as a share of the upper bound, and the similarity, weighted; both sides score the candidates of each other, so
   * the result does not depend on which side found a document. Equal scores are ordered by key.
   */
  rank(search: RankSearch): Promise<RankedDocuments[]>;
  /** The documents with these keys; undefined for a key that the snapshot does not have. */
  byKeys(keys: readonly number[], signal?: AbortSignal): Promise<(StoredDocument | undefined)[]>;
  /** Bytes of the texts and metadata of these documents, without reading them. */
  bytesByKeys(keys: readonly number[]): Promise<number>;
  /** Vectors of these documents, one after the other; zeros for a document without one. */
  vectorsByKeys(keys: readonly number[], signal?: AbortSignal): Promise<Float32Array>;
  /** Key and vector of the document with this id. */
  vectorOf(id: DocumentId): Promise<KeyedVector | undefined>;
  close(): void;
}

/** A document's key and vector. */
export interface KeyedVector {
  readonly key: number;
  readonly vector: Float32Array;
}
