import type { WhereOf } from '../types/where-of.js';
import type { Metadata, ReadConsistency, Rerank } from '../types.js';
import type { Listed, Resolved } from './resolve-options.js';
import type { ResolvedSnippetOptions, SnippetOptions } from './snippet.js';

/**
 * Options of `search(query, options)` and `searchMany(queries, options)`.
 *
 * @example
 * const options: SearchOptions = { k: 5, mode: 'vector' };
 */
export interface SearchOptions<M extends Metadata = Metadata> {
  /** Maximum number of hits. Default 10. */
  k?: number | undefined;
  /** Search only documents that match this filter. Default: all. */
  where?: WhereOf<M> | undefined;
  /**
   * `vector`: by similarity of meaning. `text`: by shared terms, ranked by BM25. `hybrid`: by both, with scores from 0 to 1. A query
   * that is not a string is always searched by vector. Default `hybrid`.
   */
  mode?: 'vector' | 'text' | 'hybrid' | undefined;
  /**
   * How a text is read. `plain`: as words alone. `operators`: `"several words"` must occur, next to each other; `-word` and
   * `-"several words"` must not occur; `begin*` stands for all words that begin so; a backslash before `"`, `-`, `*` or a
   * backslash makes it an ordinary character. Phrases and exclusions hold in every mode. Default `plain`.
   */
  syntax?: 'plain' | 'operators' | undefined;
  /**
   * Replace words of the query that occur in no document: a compound by its two parts (German, Dutch, Danish, Norwegian, Swedish, Finnish), other
   * words by the most similar word that occurs: one edit from four letters on, two from eight. Modes `text` and `hybrid`; `explanation` lists them as `corrected`. Default true.
   */
  typos?: boolean | undefined;
  /**
   * Share of the vectors in the score of mode `hybrid`, from 0 (the words decide) to 1 (the meaning decides). Default: the weight
   * that `evaluate` has fitted, else a third.
   */
  vectorWeight?: number | undefined;
  /** Maximal marginal relevance: from 0 (best hits only) to 1 (hits as different as possible). Default 0. */
  diversity?: number | undefined;
  /** Minimum score of a hit; with `rerank`, of the new score. Default: all hits are returned. */
  minScore?: number | undefined;
  /**
   * Rescores the top hits and reorders them. `tokens`: by the words of the query and the most similar words of the best part of
   * each text, in milliseconds, more for long texts; only for queries that are texts. A function: by any model. Default: no reranking.
   */
  rerank?: 'tokens' | Rerank<M> | undefined;
  /**
   * Share of the new score in reranking, from 0 to 1; the rest is that of the search. With `tokens` queries of more than 12 different
   * words get less of it. The scores of a function are scaled to 0 for the lowest and 1 for the highest of a query, unless the share is
   * 1. Default with `tokens`: what `evaluate` has fitted, else 0.35; with a function 1.
   */
  rerankWeight?: number | undefined;
  /**
   * Milliseconds that a `rerank` function may take: the hits are passed to it in batches, and none is begun that would exceed them.
   * Every batch but the first is given up, and its `signal` aborted, when it exceeds them by a tenth. `reranked` of the result says how many hits were judged; the others follow. Default: unlimited, all hits in one call.
   */
  rerankBudget?: number | undefined;
  /** Number of hits that are reranked, if above `k`. Default 50. */
  rerankDepth?: number | undefined;
  /**
   * Return the best window of each text as `snippet` of the hit, with the matched words. `true`: with the defaults of
   * `SnippetOptions`. Default false.
   */
  snippet?: boolean | SnippetOptions | undefined;
  /**
   * What a search does when the provider cannot embed the query. `error`: rejects. `text`: searches by words alone, and `degraded` of
   * the result says why. Mistakes, such as a model that is not that of the index, always reject. Default `error`.
   */
  onProviderFailure?: 'error' | 'text' | undefined;
  /**
   * Milliseconds that embedding the query may take, retries included. A query that takes longer is one that the provider failed to
   * embed. Default: unlimited.
   */
  embedBudget?: number | undefined;
  /**
   * Compare with every vector, which finds the true nearest neighbors; in mode `hybrid` look further until no other document can be
   * better, and look for phrases in all texts with their words. Default false; small segments are always searched exactly, and up to
   * 8,192 texts are read.
   */
  exact?: boolean | undefined;
  /** Items examined in each segment. Higher values are slower and find more. Default: that of the index. */
  searchK?: number | undefined;
  /**
   * Maximum size in bytes of the texts and metadata of all hits, over all queries of `searchMany`. A larger result fails with
   * TOO_LARGE before it is read. Default: unlimited.
   */
  maxBytes?: number | undefined;
  /**
   * Cursor: `next` of the previous page. No document is returned twice; pass the same query and options. Default: the first page.
   */
  after?: string | undefined;
  /**
   * Factors of scores, by age, by a number, or by a filter: applied before the best `k` are chosen. Exact in mode `text` and with
   * `exact`; otherwise among more candidates than are returned. Scores that `rerank` gives are not multiplied. Default: none.
   */
  boost?: readonly Boost<M>[] | undefined;
  /**
   * At most `groupSize` hits for each value of this field, and `k` groups: always min(k, groups), in the order of their best hits. A
   * list is one value; documents without the field are groups of their own. Default: hits are not grouped.
   */
  groupBy?: string | undefined;
  /** Number of hits of each group. Default 1. */
  groupSize?: number | undefined;
  /**
   * Count all documents that pass `where`, not only the hits, by these fields: names, or an object as for `facets`. Default: nothing
   * is counted.
   */
  facets?: FacetFields | undefined;
  /**
   * How recent the answer is, for an index in PostgreSQL with `replicas`. `session`: it has everything that this open index has
   * written or read before. `eventual`: what a replica has received. `strong`: everything that was acknowledged to any process, read from
   * the primary. Every answer of other indexes is `strong`. Default `session`.
   */
  consistency?: ReadConsistency | undefined;
  /** Return how the search was executed, and the parts of the score of each hit, as `explanation`. Default false. */
  explain?: boolean | undefined;
  /** Aborting rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** Defaults of {@link SearchOptions}. */
export const searchDefaults = {
  k: 10,
  where: undefined,
  mode: 'hybrid',
  syntax: 'plain',
  typos: true,
  vectorWeight: undefined,
  diversity: 0,
  minScore: undefined,
  rerank: undefined,
  rerankDepth: 50,
  rerankWeight: undefined,
  rerankBudget: undefined,
  snippet: undefined,
  onProviderFailure: 'error',
  embedBudget: undefined,
  exact: false,
  searchK: undefined,
  maxBytes: undefined,
  after: undefined,
  boost: undefined,
  groupBy: undefined,
  groupSize: 1,
  facets: undefined,
  consistency: 'session',
  explain: false,
  signal: undefined,
} satisfies Listed<SearchOptions>;

/** {@link SearchOptions}, completed by the defaults. */
export type ResolvedSearchOptions<M extends Metadata = Metadata> = Omit<
  Resolved<SearchOptions<M>, typeof searchDefaults>,
  'snippet'
> & { readonly snippet: ResolvedSnippetOptions | undefined };

/** Options of `listDocuments(options)`. */
export interface ListOptions<M extends Metadata = Metadata> {
  /** List only documents that match this filter. Default: all. */
  where?: WhereOf<M> | undefined;
  /** Order by a field of the metadata. Default: the order in which documents were added. */
  sort?: SortOptions | undefined;
  /** Maximum number of documents. Default 100. */
  limit?: number | undefined;
  /** Cursor: `next` of the previous page. Default: the first page. */
  after?: string | undefined;
  /** Bytes of texts and metadata after which a page ends; it has at least one document. Default: unlimited. */
  maxBytes?: number | undefined;
  /** Aborting rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** Defaults of {@link ListOptions}. */
export const listDefaults = {
  where: undefined,
  sort: undefined,
  limit: 100,
  after: undefined,
  maxBytes: undefined,
  signal: undefined,
} satisfies Listed<ListOptions>;

/** {@link ListOptions}, completed by the defaults. */
export type ResolvedListOptions<M extends Metadata = Metadata> = Resolved<ListOptions<M>, typeof listDefaults>;

/** Options of `count(options)`. */
export interface CountOptions<M extends Metadata = Metadata> {
  /** Count only documents that match this filter. Default: all. */
  where?: WhereOf<M> | undefined;
  /** Aborting rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** Defaults of {@link CountOptions}. */
export const countDefaults = { where: undefined, signal: undefined } satisfies Listed<CountOptions>;

/** Options of `suggest(text, options)`. */
export interface SuggestOptions<M extends Metadata = Metadata> {
  /** Maximum number of suggestions. Default 10. */
  limit?: number | undefined;
  /** Only documents that match this filter count. Default: all. */
  where?: WhereOf<M> | undefined;
  /** Aborting rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** Defaults of {@link SuggestOptions}. */
export const suggestDefaults = { limit: 10, where: undefined, signal: undefined } satisfies Listed<SuggestOptions>;

/** {@link SuggestOptions}, completed by the defaults. */
export type ResolvedSuggestOptions<M extends Metadata = Metadata> = Resolved<SuggestOptions<M>, typeof suggestDefaults>;

/** Multiplies scores by 2^(-age / halfLife): from 1 for what is as new as `now`, or newer, towards 0. */
export interface RecencyBoost {
  /** A field with dates in ISO 8601, or with milliseconds since 1970. The newest of a list counts. */
  field: string;
  /** Age at which a score is halved: milliseconds, or a duration such as `'30d'`, `'12h'`, `'90m'`, `'45s'`, `'2w'`, `'1y'`. */
  halfLife: number | string;
  /** The time that ages are measured from. Default: the current time. */
  now?: number | string | Date | undefined;
}

/** Multiplies scores by 1 + (factor - 1) · value / (value + scale): from 1 for the value 0, towards `factor` for large ones. */
export interface ValueBoost {
  /** A field with numbers. The greatest of a list counts. */
  field: string;
  /** The value that has half of the effect: above 0. */
  scale: number;
  /** The factor that large values approach: at least 0. Below 1, it lowers scores. */
  factor: number;
}

/** Multiplies the scores of documents that match a filter. */
export interface FilterBoost<M extends Metadata = Metadata> {
  where: WhereOf<M>;
  /** At least 0. Below 1, it lowers scores. */
  factor: number;
}

/**
 * A factor of the scores of documents. A document without a value of the field has the factor 1.
 *
 * @example
 * const boost: Boost[] = [{ field: 'date', halfLife: '30d' }, { where: { source: 'manual' }, factor: 1.5 }];
 */
export type Boost<M extends Metadata = Metadata> = RecencyBoost | ValueBoost | FilterBoost<M>;

/** How documents are counted by a field: by value, by ranges, or by calendar intervals. */
export interface FacetOptions {
  /** Maximum number of values, those with the most documents first. Default 100. */
  limit?: number | undefined;
  /** Count by ranges instead: from `from` to before `to`, either of which may be left out. */
  ranges?: readonly FacetRange[] | undefined;
  /** Count by calendar intervals in UTC instead. A week begins on Monday. */
  interval?: 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year' | undefined;
}

/**
 * A range of numbers, or of dates in ISO 8601. A number in the metadata compares with a date as milliseconds since 1970.
 */
export interface FacetRange {
  from?: number | string | undefined;
  to?: number | string | undefined;
}

/** The fields that documents are counted by: their names, or an object of names with how each is counted. */
export type FacetFields = readonly string[] | Readonly<Record<string, FacetOptions>>;

/**
 * Options of `facets(options)`.
 *
 * @example
 * const options: FacetsOptions = { where: { lang: 'en' }, fields: ['source'] };
 */
export interface FacetsOptions<M extends Metadata = Metadata> {
  /**
   * Fields to count by; required: `['source', 'tags']`, or `{ source: { limit: 10 }, price: { ranges: [{ to: 10 }, { from: 10 }] }, date: {
   * interval: 'month' } }`.
   */
  fields?: FacetFields | undefined;
  /** Count only documents that match this filter. Default: all. */
  where?: WhereOf<M> | undefined;
  /** Aborting rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** Defaults of {@link FacetsOptions}. */
export const facetsDefaults = {
  fields: undefined,
  where: undefined,
  signal: undefined,
} satisfies Listed<FacetsOptions>;

/** {@link FacetsOptions}, completed by the defaults. */
export type ResolvedFacetsOptions<M extends Metadata = Metadata> = Resolved<FacetsOptions<M>, typeof facetsDefaults>;

/** Defaults of {@link FacetOptions}. */
export const facetDefaults = { limit: 100, ranges: undefined, interval: undefined } satisfies Listed<FacetOptions>;

/** The order of a listing. */
export interface SortOptions {
  /** Field of the metadata; required. Booleans come before numbers, numbers before strings; strings are ordered by code points. */
  field?: string | undefined;
  /**
   * `asc`: by the least value of each document; `desc`: by its greatest. Documents without a value are last either way, and equal ones
   * are in the order in which they were added. Default `asc`.
   */
  order?: 'asc' | 'desc' | undefined;
}
