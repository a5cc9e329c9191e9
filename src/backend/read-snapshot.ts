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

/** A term of a query. A document has it as often as all of its forms together. */
export interface QueryTerm {
  readonly forms: readonly string[];
  /** How often it counts. */
  readonly times: number;
  /** The same word as other languages of the index stem it: they count with it as one word, each with the frequencies of its own. */
  readonly alternatives?: readonly string[] | undefined;
}

/** A query by text, by vector, or by both. */
export interface RankQuery {
  readonly text?: string | undefined;
  /** The terms of the text, where they are not those of its analysis. */
  readonly terms?: readonly QueryTerm[] | undefined;
  readonly vector?: Float32Array | undefined;
}

/** A search that ranks documents by text, by vector, or by both. */
export interface RankSearch extends Omit<VectorSearch, 'queries' | 'count'> {
  readonly queries: readonly RankQuery[];
  /** Candidates of either side for a query by both. */
  readonly depth: number;
  /** Share of the similarity in the score of a query by both, from 0 to 1; the rest is that of BM25. Default a third. */
  readonly vectorWeight?: number | undefined;
  /** Documents that may be found: a set of this snapshot. Default: those that pass the filter. */
  readonly within?: DocumentSet | undefined;
}

/** Documents of a snapshot. Immutable. */
export interface DocumentSet {
  readonly size: number;
  /** Their keys, ascending. */
  keys(): Iterable<number>;
  /** The set without the documents with these keys. */
  without(keys: Iterable<number>): DocumentSet;
}

/** Terms that documents must have, and terms that they must not have, as they are indexed. */
export interface TermsFilter {
  readonly required: readonly string[];
  readonly excluded: readonly string[];
}

/** What is looked up among the terms of all documents. */
export interface TermLookUp {
  /** Prefixes of terms; with `distances`, terms. */
  readonly terms: readonly string[];
  /**
   * For each term, the most edits of the terms that are found in its place if no document has it. Insertions, deletions,
   * substitutions and transpositions of adjacent characters (optimal string alignment).
   */
  readonly distances?: readonly number[] | undefined;
  /** Whether such a term begins with the same character. Default false. */
  readonly sameFirst?: boolean | undefined;
  /** Terms of each list. */
  readonly limit: number;
  /** Documents of each term whose keys are returned. Default 0. */
  readonly sample?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A term, and the documents that have it among those that pass the filter. */
export interface FoundTerm {
  readonly term: string;
  /** Edits from the term that was looked up; 0 for a prefix. */
  readonly distance: number;
  readonly documents: number;
  /** Keys of the first documents, of `sample` or fewer. */
  readonly keys: ArrayLike<number> & Iterable<number>;
}

/** Terms by edits, then by number of documents, most first, then by bytes. */
export interface TermList {
  readonly terms: readonly FoundTerm[];
  /** Whether there are more. */
  readonly isCut: boolean;
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
  /** Terms of the query that no document has. */
  readonly missingTerms: number;
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
  /** Languages that texts are analyzed in, at least one. */
  readonly languages: readonly string[];
  /** The nearest documents of each query among those that pass the filter. */
  search(search: VectorSearch): Promise<KeyedNeighbor[][]>;
  /**
   * The best documents of each query among those that pass the filter. By text: those that share a term with it, by BM25. By both:
   * BM25 as a share of the upper bound, and the similarity, weighted; both sides score the candidates of each other, so
   * the result does not depend on which side found a document. Equal scores are ordered by key.
   */
  rank(search: RankSearch): Promise<RankedDocuments[]>;
  /** The documents with these terms among those of a set, or, by default, among those that pass the filter. */
  withTerms(filter: TermsFilter, signal?: AbortSignal, within?: DocumentSet): Promise<DocumentSet>;
  /** Looks terms up: a list for each. Only documents that pass the filter count. */
  lookUpTerms(lookUp: TermLookUp): Promise<readonly TermList[]>;
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
