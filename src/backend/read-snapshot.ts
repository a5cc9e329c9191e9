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

/** Queries for full-text search. */
export interface TextSearch {
  readonly queries: readonly string[];
  /** Most documents of each query. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** Documents that share terms with a query, best first. */
export interface TextMatches {
  readonly ranked: { readonly key: number; readonly score: number }[];
  /** Upper bound of the scores of this query. */
  readonly maxScore: number;
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
  /** The documents that share terms with each query, by BM25, among those that pass the filter. */
  searchTexts(search: TextSearch): Promise<TextMatches[]>;
  /** The distance of a vector to each of these documents, nearest first. */
  compare(vector: Float32Array, keys: readonly number[], signal?: AbortSignal): Promise<KeyedNeighbor[]>;
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
