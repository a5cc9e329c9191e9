import type { DocumentId, ReadConsistency, SearchedSegment } from '../types.js';
import type { StoredDocument } from './documents.js';
import type { FieldReading, GroupKey } from './field-reading.js';
import type { DeclaredTypes, Field, FilterTree } from './filter-tree.js';
import type { Space } from './space.js';

/** Reads a setting of an index; undefined for one that was never set. */
export type ReadSetting = (name: string) => Promise<string | number | undefined>;

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

/** How often the terms of queries occur in all documents of a snapshot, whatever its filter is. */
export interface TermStatistics {
  readonly documents: number;
  /** Sum of the lengths of all documents. */
  readonly length: number;
  /** Documents by term; by `termName` for forms that count as one. */
  readonly counts: ReadonlyMap<string, number>;
}

/** A name for the forms of a term, which no other term has. */
export function termName(forms: readonly string[]): string {
  return forms.length === 1 ? (forms[0] as string) : forms.join('\0');
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
  /** Candidates of either side for a query by both, `k` or more if all hits matter; `k` of twice as many returns them all. */
  readonly depth: number;
  /** Share of the similarity in the score of a query by both, from 0 to 1; the rest is that of BM25. Default a third. */
  readonly vectorWeight?: number | undefined;
  /** What another search by both found as `evidence`, for more of its documents. Default: by the best document by text. */
  readonly evidence?: number | undefined;
  /** Documents that may be found: a set of this snapshot. Default: those that pass the filter. */
  readonly within?: DocumentSet | undefined;
  /** Documents that cannot be found. */
  readonly without?: readonly number[] | undefined;
  /**
   * Factors of scores, which decide what is found: by text exactly; otherwise among the candidates of either side, see `isComplete`.
   */
  readonly boosts?: readonly RankBoost[] | undefined;
  /** Groups of a field that alone can be found, or cannot. */
  readonly groups?: RankedGroups | undefined;
  /** What terms are weighed by; it has all terms of the queries. Default: the statistics of the snapshot. */
  readonly statistics?: TermStatistics | undefined;
  /** How many of the best documents of each query will be read, by `byKeys`: a backend may read them along the way. Default 0. */
  readonly reads?: number | undefined;
  /** Whether a query with terms that no document has may be skipped, which the caller would ask again. Default false. */
  readonly skipsMissing?: boolean | undefined;
}

/** Documents of a snapshot. Immutable. */
export interface DocumentSet {
  readonly size: number;
  /** Their keys, ascending. */
  keys(): Iterable<number>;
  /** The set without the documents with these keys. */
  without(keys: Iterable<number>): DocumentSet;
  /** The documents of the set with these keys. */
  only(keys: Iterable<number>): DocumentSet;
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
  /** With `distances`: whether it is enough that a document has a term. Its `documents` and `keys` may be too few then. Default false. */
  readonly skipsCounts?: boolean | undefined;
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

/**
 * A factor of scores; a document without a value has 1. Negative scores are divided by it. `decay`: 2^(-age / halfLife), where age is
 * `now` less the greatest number or date of the field, in milliseconds, at least 0. `saturation`: 1 + (factor - 1) · v / (v + scale)
 * for its greatest number v above 0. `filter`: the factor for documents that match the filter with this place in the request.
 */
export type RankBoost =
  | { readonly by: 'decay'; readonly field: string; readonly halfLife: number; readonly now: number }
  | { readonly by: 'saturation'; readonly field: string; readonly scale: number; readonly factor: number }
  | { readonly by: 'filter'; readonly filter: number; readonly factor: number };

/** Groups of documents by a field of the snapshot. */
export interface RankedGroups {
  readonly field: string;
  readonly groups: readonly GroupKey[];
  /** Whether documents of these groups alone are found; otherwise, those of other groups and of none. */
  readonly only: boolean;
}

/** A document with its score. */
export interface RankedDocument {
  readonly key: number;
  /** By text: BM25; by vector: that of the distance; by both: fused, from 0 to 1. */
  readonly score: number;
  /** BM25; 0 for a document without a term of the query. */
  readonly textScore: number;
  /** Distance in the metric of the index to the vector of the query; NaN without one. */
  readonly distance: number;
  /** Product of the boosts; 1 without. */
  readonly factor: number;
}

/** The documents of a query, best first. */
export interface RankedDocuments {
  readonly ranked: readonly RankedDocument[];
  /** Upper bound of the BM25 scores of this query. */
  readonly maxTextScore: number;
  /** Terms of the query that no document has. */
  readonly missingTerms: number;
  /** What the share of the text in fused scores was multiplied by, from 0 to 1: see `evidenceOf`. 1 for a query by one side. */
  readonly evidence: number;
  /** Whether it was skipped for these. Default false. */
  readonly isSkipped?: boolean | undefined;
  /** What the similarities of fused scores are measured by: 1, or the best one where they have no upper bound. */
  readonly similarityScale: number;
  /** Whether no document that was not a candidate can be among the ranked ones. */
  readonly isComplete: boolean;
}

/** Contents of a read snapshot. */
export interface SnapshotRequest {
  /** Restricts all searches of the snapshot to matching documents. */
  readonly filter?: FilterTree | undefined;
  /** Fields whose values are asked for later: by `groupsOf`, `fieldValues`, or by what leaves groups out or multiplies scores. */
  readonly fields?: readonly Field[] | undefined;
  /** Filters of boosts. */
  readonly boosted?: readonly FilterTree[] | undefined;
  /** Called with the declared fields as of the snapshot by a backend that has `lastFields`; there is no snapshot if it throws. */
  readonly checkFields?: ((fields: DeclaredTypes) => void) | undefined;
  /** How recent the snapshot is, where the backend has replicas. Default `strong`. */
  readonly consistency?: ReadConsistency | undefined;
  /**
   * Whether the snapshot may turn out to be lost as something was written: its reader calls `confirm` before it uses what it has read,
   * and reads another one, without this, where it `isLost`. Default false.
   */
  readonly isOptimistic?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * All documents at one point in time. Vectors, texts, filter and look-ups come from the same commit, so a document that was
 * found can always be read. Keeps resources until `close`.
 */
export interface ReadSnapshot {
  /** Whether nothing can be read of it any more, as its connection was lost; another one may be opened. Default false. */
  readonly isLost?: boolean | undefined;
  /** For an optimistic snapshot: rejects unless it is that of the newest commit when it was asked for. */
  confirm?(): Promise<void>;
  /** The space of the vectors. */
  readonly space: Space;
  /** Languages that texts are analyzed in, at least one. */
  readonly languages: readonly string[];
  /** A setting of the index at this point in time; undefined for one that was never set. */
  setting(name: string): ReturnType<ReadSetting>;
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
  /** The values of a field that the request named, in all documents that pass the filter. */
  field(name: string): FieldReading;
  /**
   * How often the terms of queries occur. The sums over several snapshots, given to `rank` of each, make their scores those of one
   * snapshot of all documents.
   */
  statistics(queries: readonly RankQuery[]): Promise<TermStatistics>;
  /** For each term its BM25 in documents; 0 where a document does not have it. @param statistics as for `rank` */
  termScores(terms: readonly QueryTerm[], keys: readonly number[], statistics?: TermStatistics): Promise<number[][]>;
  /** Which documents match a filter, by its place in `boosted` of the request. */
  whichMatch(filter: number, keys: readonly number[]): Promise<boolean[]>;
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
