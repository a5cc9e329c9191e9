import type { DocumentReads } from '../tables/document-reads.js';
import type { Postings } from '../tables/postings.js';
import type { TermPostings } from '../tables/postings-cache.js';
import type { Selection } from './selection.js';
import { rankByTerms, type ScoredTerms, scoresOfKeys, type TextHit } from './term-scores.js';
import type { CollectionSizes, WeightedTerms } from './text-query.js';

/** Documents that are tested against a filter: for each one that is wanted at first, then times as many. */
const [testedPerHit, testedMore] = [4, 8];

/** The terms of a query by their weights, and what else their scores depend on. */
export interface ScoredQuery {
  readonly weighted: WeightedTerms;
  readonly sizes: CollectionSizes;
}

/** A query with the documents that it may find. */
export interface TextRanking extends ScoredQuery {
  readonly selection: Selection;
  readonly signal?: AbortSignal | undefined;
}

/** Finds the documents with the highest BM25: the same as from scoring every document, and the same bits as the embedded store. */
export class TextSearch {
  readonly #postings: TermPostings;
  readonly #reads: DocumentReads;

  constructor(postings: TermPostings, reads: DocumentReads) {
    this.#postings = postings;
    this.#reads = reads;
  }

  /** The `limit` best documents, ties by key. */
  async best(query: TextRanking, limit: number): Promise<TextHit[]> {
    const { selection, signal } = query;
    const scored = await this.#scored(query);
    if (selection.keys !== undefined) return firstOf(scoresOfKeys(scored, selection.keys), limit);
    if (!selection.needsDocuments) return rankByTerms(scored, limit, selection.excluded, signal);
    for (let tested = testedPerHit * limit; ; tested *= testedMore) {
      const hits = await rankByTerms(scored, tested, selection.excluded, signal);
      const kept = await this.#passing(hits, selection);
      if (kept.length >= limit || hits.length < tested) return kept.slice(0, limit);
    }
  }

  /** All documents that have a term, with their scores. */
  async all(query: TextRanking): Promise<TextHit[]> {
    const { selection, signal } = query;
    const scored = await this.#scored(query);
    if (selection.keys !== undefined) return scoresOfKeys(scored, selection.keys);
    const hits = await rankByTerms(scored, undefined, selection.excluded, signal);
    return selection.needsDocuments ? this.#passing(hits, selection) : hits;
  }

  /** The scores of documents by key; those without a term are missing. */
  async scores(query: ScoredQuery, keys: readonly number[]): Promise<Map<number, number>> {
    const found = scoresOfKeys(await this.#scored(query), keys);
    return new Map(found.map(({ key, score }) => [key, score]));
  }

  async #scored({ weighted: { terms, total }, sizes }: ScoredQuery): Promise<ScoredTerms> {
    const lists = await this.#postings.united(terms.map(({ members }) => members));
    return {
      terms: terms.map(({ weight }, place) => ({ weight, postings: lists[place] as Postings })),
      sizes,
      total,
    };
  }

  async #passing(hits: readonly TextHit[], selection: Selection): Promise<TextHit[]> {
    const keys = hits.map(({ key }) => key);
    const passing = new Set(await this.#reads.keys((parameters) => selection.within(keys).sql(parameters, 'd.key')));
    return hits.filter(({ key }) => passing.has(key));
  }
}

function firstOf(hits: readonly TextHit[], limit: number): TextHit[] {
  return hits.toSorted((left, right) => right.score - left.score || left.key - right.key).slice(0, limit);
}
