import type { StoredDocument } from '../../backend/documents.js';
import type { Ranked } from '../../ranking/ranked.js';
import type { FacetsResult, HitExplanation, SearchedPhrases } from '../../types.js';
import type { RankedGroup } from './columns/group-search.js';
import type { TokenRerank } from './rerank-tokens.js';
import type { SnippetTerms } from './snippet-terms.js';

/** The best documents of a query, read from the snapshot that they were found in. */
export interface Candidates {
  readonly ranked: readonly Ranked[];
  /** Of each of `ranked`, undefined for one that is gone; shorter where the last one only shows that another page follows. */
  readonly documents: readonly (StoredDocument | undefined)[];
  /** Whether there are as many as were searched for: others may follow. */
  readonly isFull: boolean;
  /** The group of each of `ranked`, if they are grouped: best group first, with its hits one after the other. */
  readonly groups: ReadonlyMap<number, RankedGroup> | undefined;
  /** The parts of scores, by key; only if they are explained. */
  readonly explained: ReadonlyMap<number, HitExplanation> | undefined;
  /** Counts of all documents that pass the filter. */
  readonly facets: FacetsResult | undefined;
  /** Vectors of `ranked`, one after the other, if they are needed to diversify after reranking. */
  readonly vectors: VectorRows | undefined;
  /** How it is reranked by tokens; undefined if it is not. */
  readonly tokens: TokenRerank | undefined;
  /** What snippets mark of the query, if hits have them. */
  readonly marked: SnippetTerms | undefined;
  /** How many texts were read for the phrases of the query, if not all that may have them. */
  readonly phrases: SearchedPhrases | undefined;
}

/** Vectors, one after the other. */
export interface VectorRows {
  readonly data: Float32Array;
  readonly dimensions: number;
}

/** The candidates of a query that finds nothing. */
export const noCandidates: Candidates = {
  ranked: [],
  documents: [],
  isFull: false,
  groups: undefined,
  explained: undefined,
  facets: undefined,
  vectors: undefined,
  tokens: undefined,
  marked: undefined,
  phrases: undefined,
};
