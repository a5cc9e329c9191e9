import type { QueryWeights } from './query-terms.js';

/** Among fewer documents than this all are ranked that share any word with a query. */
export const minDocuments = 10_000;
/** What the most common words of a query may weigh together, as a share of the weight of all. */
const untelling = 0.3;

/**
 * An FTS5 query for the documents with a rare term of the query: every term except the most common ones, which have at
 * most 0.3 of the total IDF, so a document with only common terms gets at most that share of the highest score. Most
 * documents have only common terms, and ranking one costs much more than skipping it (MaxScore; Turtle, Flood 1995).
 * Common terms still contribute to the scores of the candidates. Rare terms are on both sides of the AND, so the others
 * are repeated as well, and a score is twice that of an OR of all terms. Undefined if every term is rare, and in a
 * small collection.
 */
export function rareTermMatch(words: readonly string[], { documents, total, each }: QueryWeights): string | undefined {
  if (documents < minDocuments || each === undefined) return undefined;
  const byWeight = words.map((word, position) => ({ word, weight: each[position] as number, position }));
  byWeight.sort((a, b) => a.weight - b.weight || a.position - b.position);
  let [common, sum] = [0, 0];
  for (const { weight } of byWeight) {
    sum += weight;
    if (sum > untelling * total) break;
    common++;
  }
  if (common === 0) return undefined;
  const sorted = byWeight.map(({ word }) => word);
  const [others, telling] = [sorted.slice(0, common), sorted.slice(common)];
  return `(${anyOf(telling)}) AND (${anyOf([...telling, ...others, ...others])})`;
}

/** A query of FTS5 for the documents that have any of these words; nothing in a word is an operator. */
export function anyOf(words: readonly string[]): string {
  return words.map((word) => `"${word}"`).join(' OR ');
}
