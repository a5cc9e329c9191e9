import { analyzeDocument, analyzeQuery } from '../analysis/analyze.js';
import type { DocumentId } from '../types.js';
import type { Scored } from './exact-search.js';

const [k1, b] = [1.2, 0.75];

/**
 * The BM25 scores of all documents that share a term with a query, best first, equal ones in the order of the documents: the
 * reference for searches by text. Statistics are those of `all` documents.
 */
export function scoreTexts(
  all: Iterable<{ readonly id: DocumentId; readonly text: string }>,
  query: string,
  mayBeFound: (id: DocumentId) => boolean = () => true,
): Scored[] {
  const analyzed = Array.from(all, ({ id, text }) => ({ id, ...analyzeDocument(text) }));
  const average = analyzed.reduce((sum, { length }) => sum + length, 0) / Math.max(1, analyzed.length);
  const { terms, weights } = analyzeQuery(query);
  const idf = terms.map((term) => {
    const having = analyzed.filter((document) => document.terms.has(term)).length;
    return Math.log(1 + (analyzed.length - having + 0.5) / (having + 0.5));
  });
  const scored = analyzed.flatMap(({ id, length, terms: own }) => {
    if (!mayBeFound(id)) return [];
    const norm = k1 * (1 - b + (b * length) / average);
    const score = terms.reduce((sum, term, position) => {
      const frequency = own.get(term) ?? 0;
      const weight = (weights[position] as number) * (idf[position] as number);
      return sum + (weight * frequency) / (frequency + norm || 1);
    }, 0);
    return score > 0 ? [{ id, score }] : [];
  });
  return scored.sort((one, other) => other.score - one.score);
}
