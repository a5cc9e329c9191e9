import type { DocumentReads } from '../tables/document-reads.js';
import type { TermPostings } from '../tables/postings-cache.js';
import type { Selection } from './selection.js';
import { bestByTerms, scoresOfKeys, type TextHit, type WeightedPostings } from './term-scores.js';
import type { Bm25, WeightedTerms } from './text-query.js';

/** Documents that are tested against a filter: for each one that is wanted at first, then times as many. */
const [testedPerHit, testedMore] = [4, 8];

/** Finds the documents with the highest BM25: the same as from scoring every document, and the same bits as the embedded store. */
export class TextSearch {
  readonly #postings: TermPostings;
  readonly #reads: DocumentReads;

  constructor(postings: TermPostings, reads: DocumentReads) {
    this.#postings = postings;
    this.#reads = reads;
  }

  /** The `limit` best documents, ties by key. */
  async best(weighted: WeightedTerms, bm25: Bm25, selection: Selection, limit: number): Promise<TextHit[]> {
    const terms = await this.#lists(weighted);
    if (terms.length === 0) return [];
    if (selection.keys !== undefined) return firstOf(scoresOfKeys(terms, bm25, selection.keys), limit);
    const without = new Set(selection.excluded);
    if (!selection.needsDocuments) return bestByTerms(terms, bm25, limit, without);
    for (let tested = testedPerHit * limit; ; tested *= testedMore) {
      const hits = await bestByTerms(terms, bm25, tested, without);
      const kept = await this.#passing(hits, selection);
      if (kept.length >= limit || hits.length < tested) return kept.slice(0, limit);
    }
  }

  /** All documents that have a term, with their scores. */
  async all(weighted: WeightedTerms, bm25: Bm25, selection: Selection): Promise<TextHit[]> {
    const terms = await this.#lists(weighted);
    if (terms.length === 0) return [];
    if (selection.keys !== undefined) return scoresOfKeys(terms, bm25, selection.keys);
    const hits = await bestByTerms(terms, bm25, undefined, new Set(selection.excluded));
    return selection.needsDocuments ? this.#passing(hits, selection) : hits;
  }

  /** The scores of documents that pass a selection, by key; those without a term are missing. */
  async scores(weighted: WeightedTerms, bm25: Bm25, keys: readonly number[]): Promise<Map<number, number>> {
    const found = scoresOfKeys(await this.#lists(weighted), bm25, keys);
    return new Map(found.map(({ key, score }) => [key, score]));
  }

  async #lists({ terms }: WeightedTerms): Promise<WeightedPostings[]> {
    const lists = await this.#postings.united(terms.map(({ members }) => members));
    return terms.map(({ weight }, place) => ({ weight, postings: lists[place] as WeightedPostings['postings'] }));
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
