import type { QueryWeights } from './query-terms.js';

/** Among fewer documents than this all are ranked that share any word with a query. */
export const minDocuments = 10_000;
/** What the most common words of a query may weigh together, as a share of the weight of all. */
const untelling = 0.3;

/**
 * A query of FTS5 for the documents that have a telling word of the query: all its words tell but the most common ones, which
 * weigh at most 0.3 of all together, so that a document of those alone cannot get more than that share of the highest
 * score. There are many of them, and to rank a document costs much more than to skip it. (MaxScore skips in the same order;
 * Turtle, Flood 1995.) Words that do not tell still count for the documents that are found. Telling words are on both sides
 * of the AND, so the others are named twice, and a score is twice what it is with all words joined by OR. Undefined where
 * every word tells, and in a small collection.
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
