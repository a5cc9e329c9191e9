/**
 * The parts of a hit's score. `score = boost · (similarityPart + wordsPart)`; in mode `hybrid` the sum is first brought into 0..1, and a
 * sum below 0 is divided by `boost`.
 */
export interface HitExplanation {
  /** Score by vector alone: with the angular metric, the cosine. Absent in mode `text`, and without a vector. */
  readonly similarity?: number;
  /** Share of the similarity in the score: `vectorWeight` times it in mode `hybrid`, all of it in mode `vector`. */
  readonly similarityPart: number;
  /** BM25 of the document; the sum of `words`. Absent in mode `vector`. */
  readonly bm25?: number;
  /**
   * BM25 of each word of the query that the document has, as it is indexed: its stem. What follows from several words at once is listed
   * as `''`.
   */
  readonly words?: readonly ExplainedWord[];
  /**
   * What the words of the query say, from 0 to 1, the same for all of its hits: less than 1 where even the best document by words has few of
   * those that occur. Only in mode `hybrid`.
   */
  readonly evidence?: number;
  /**
   * Share of the words in the score: in mode `hybrid` the rest of the weight times `evidence` times BM25 as a share of its upper bound.
   */
  readonly wordsPart: number;
  /** Place in the ranking by vector and by words alone, from 1, as far as they were read: the first hundred. */
  readonly ranks: { readonly vector?: number; readonly words?: number };
  /** Product of `boosts`; 1 without. */
  readonly boost: number;
  /** The factor of each boost, in the order of the option. */
  readonly boosts?: readonly number[];
  /** The score that `rerank` gave, which replaced the explained one. */
  readonly reranked?: number;
}

/** A word of a query in a document. */
export interface ExplainedWord {
  readonly word: string;
  /** BM25. */
  readonly score: number;
}
