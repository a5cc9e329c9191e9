import type { DocumentId, Metadata } from './base.js';
import type { Document } from './documents.js';
import type { Facet } from './facets.js';
import type { FilterValue } from './filter.js';
import type { HitExplanation } from './hit-explanation.js';

/** A search query: a text, a vector, or the id of a document whose nearest neighbors are wanted. */
export type Query = string | Float32Array | readonly number[] | { readonly id: DocumentId };

/** A document found by a search. */
export interface Hit<M extends Metadata = Metadata> extends Document<M> {
  /**
   * Higher is better. Mode `vector` with the angular metric: the cosine, from -1 to 1. Mode `text`: BM25, from 0 up. Mode
   * `hybrid`: from 0 to 1.
   */
  readonly score: number;
  /** The part of the text that answers best. Present with the option `snippet`. */
  readonly snippet?: Snippet;
  /** The parts of the score. Present with `explain: true`. */
  readonly explanation?: HitExplanation;
}

/** A part of a text: the best window for a query. It never cuts a grapheme cluster. Offsets count UTF-16 code units. */
export interface Snippet {
  /** `text.slice(start, end)` of the document. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** First and last line in the text of the document, from 1. */
  readonly startLine: number;
  readonly endLine: number;
  /** Where words of the query occur: each in another form of the word, in an identifier, or as it is. */
  readonly ranges: readonly SnippetRange[];
  /** `text` with the markers of the option `highlight` around each range. Not escaped: for HTML, use `ranges`. */
  readonly highlighted: string;
  /**
   * What the window was chosen by. `words`: words of the query, and meaning where the model is the bundled one. `meaning`: no word
   * occurs, and the window is the nearest in meaning. `beginning`: no word occurs, and meaning was not compared.
   */
  readonly basis: 'words' | 'meaning' | 'beginning';
  /** The parts of fields that the snippet shows, in its order. Present for a document with `textFields`. */
  readonly textFields?: readonly SnippetField[];
}

/** A part of a field in a snippet. Offsets count UTF-16 code units of the value of the field. */
export interface SnippetField {
  readonly field: string;
  readonly start: number;
  readonly end: number;
  /** Where words of the query occur in it. */
  readonly ranges: readonly { readonly start: number; readonly end: number }[];
}

/** A word of the query in a snippet. */
export interface SnippetRange {
  /** In the text of the document. */
  readonly start: number;
  readonly end: number;
  /** In the text of the snippet. */
  readonly snippetStart: number;
  readonly snippetEnd: number;
}

/**
 * Result of a search.
 *
 * @example
 * const { hits, next } = await index.search('harbour at night', { k: 5 });
 */
export interface SearchResult<M extends Metadata = Metadata> {
  /** The documents found, best first. */
  readonly hits: Hit<M>[];
  /** Cursor of the next page, for the option `after`. Absent on the last page. */
  readonly next?: string;
  /** The hits by group, best group first. Present with `groupBy`; `hits` has the same hits in the same order. */
  readonly groups?: HitGroup<M>[];
  /** Counts of all documents that pass the filter, by field. Present with `facets`. */
  readonly facets?: Readonly<Record<string, Facet>>;
  /** Why the search was by words alone. Present if the query could not be embedded and `onProviderFailure` is `text`. */
  readonly degraded?: DegradedSearch;
  /** How many hits the `rerank` function judged. Present with `rerankBudget`. */
  readonly reranked?: RerankedHits;
  /**
   * How many texts were read to look for the phrases of the query. Present if others that have all of their words were not read: these
   * may have the phrases, and are not among the hits. With `exact: true` all are read.
   */
  readonly phrases?: SearchedPhrases;
  /** How the search was executed. Present with `explain: true`. */
  readonly explanation?: SearchExplanation;
}

/** How far a reranking within a budget came. Hits that were not judged follow the judged ones, in their order. */
export interface RerankedHits {
  readonly judged: number;
  readonly of: number;
}

/** Texts that were read to look for phrases: the best `read` of those that have all words. */
export interface SearchedPhrases {
  readonly read: number;
  readonly of: number;
}

/** The best hits with the same value of the field that hits are grouped by. */
export interface HitGroup<M extends Metadata = Metadata> {
  /** The value, or the distinct elements of a list. Absent for a document without a value, which is a group of its own. */
  readonly value?: FilterValue | readonly FilterValue[];
  /** At most `groupSize`, best first. */
  readonly hits: Hit<M>[];
}

/**
 * Why a search was done by words alone. Its scores are from 0 to 1: BM25 as a share of the highest score that any document could
 * reach.
 */
export interface DegradedSearch {
  /** `provider-failure`: the provider failed after its retries. `embed-budget`: it took longer than `embedBudget`. */
  readonly reason: 'provider-failure' | 'embed-budget';
  /** What the provider said. */
  readonly message: string;
}

/** How one segment was searched by vector. */
export interface SearchedSegment {
  /** Number of the segment; 0 for the documents that have none yet. */
  readonly segment: number;
  /** Vectors in the segment. */
  readonly items: number;
  /** Vectors that the filter allows. */
  readonly allowed: number;
  /** True if every allowed vector was compared. */
  readonly exact: boolean;
  readonly milliseconds: number;
}

/** A completion of a text that is being typed. */
export interface Suggestion {
  /** The text with its last word completed. */
  readonly text: string;
  /** The last word of it: the most frequent form that begins with what was typed, in the first documents with its stem. */
  readonly word: string;
  /** Documents that have this word in any form. */
  readonly documents: number;
}

/** A word of a query that occurs in no document, and the word, or the two parts of a compound, that was searched for in its place. */
export interface CorrectedWord {
  /** The word as it was typed. */
  readonly from: string;
  /** The form of the other word that is most frequent in the first documents with it; those of the parts of a compound, with a space between. */
  readonly to: string;
}

/** A prefix of a query (`begin*`, with `syntax: 'operators'`). */
export interface SearchedPrefix {
  readonly prefix: string;
  /** Terms that it was expanded to. */
  readonly terms: number;
  /** True if there are more; the most frequent ones were searched for. */
  readonly cut: boolean;
}

/** How a search was executed. For `searchMany` it covers all queries of the call. */
export interface SearchExplanation {
  /** True if every allowed vector was compared, so that the nearest neighbors are the true ones. */
  readonly exact: boolean;
  /** The segments that were searched by vector. */
  readonly segments: readonly SearchedSegment[];
  /** Documents that share a term with the query, as far as that ranking was read. */
  readonly matchingWords: number;
  /** Words that were replaced, see `typos`. Absent if there are none. */
  readonly corrected?: readonly CorrectedWord[];
  /** Prefixes of the query. Absent if there are none. */
  readonly prefixes?: readonly SearchedPrefix[];
  /** Time by stage, one after the other. `vectors` includes the terms of a hybrid search; `words` is for mode `text`. */
  readonly milliseconds: Readonly<
    Record<'embed' | 'filter' | 'vectors' | 'words' | 'lookup' | 'rerank' | 'snippet', number>
  >;
}

/**
 * How recent the answer of a search in PostgreSQL with replicas is. `session`: it has everything that this open index has written or read
 * before. `eventual`: it has what one of the replicas has received. `strong`: it has everything that was acknowledged to any process,
 * and comes from the primary.
 */
export type ReadConsistency = 'session' | 'eventual' | 'strong';

/**
 * Scores hits for a query, for example with a cross-encoder. Returns one number per hit, in the order of the hits; higher is
 * better.
 */
export type Rerank<M extends Metadata = Metadata> = (
  query: Query,
  hits: readonly Hit<M>[],
  options: { signal?: AbortSignal },
) => ArrayLike<number> | Promise<ArrayLike<number>>;
