import type { ReadSnapshot } from '../../backend/read-snapshot.js';
import { loadTokenMatcher } from '../../embed/bundled/bundled-provider.js';
import type { Ranked } from '../../ranking/ranked.js';
import { byRank } from '../../ranking/ranked.js';
import { TimeSlice } from '../../time-slice.js';

/** A word of a query, and its inverse document frequency in the index. */
export interface WeightedWord {
  readonly word: string;
  readonly weight: number;
}

/** Words of a query, and tokens of a passage, that are compared. */
const [maxWords, maxPassageTokens] = [32, 512];
/** Worth of nearness where that of similarity is 1. */
const nearWeight = 0.6;
/**
 * Distinct words of a query up to which the new score has its whole share; beyond, its share falls with the square of their number.
 * A question is answered by a passage with its words, a long description is not (measured on SQuAD and CISI).
 */
const wordsOfQuestion = 12;
const words = /[\p{L}\p{N}\p{M}]+/gu;

/** The words of a query, each once, with their inverse document frequencies as the index analyzes them. */
export async function weightedWords(
  query: string,
  snapshot: ReadSnapshot,
  signal: AbortSignal | undefined,
): Promise<WeightedWord[]> {
  const found = [...new Set(query.slice(0, 4096).match(words) ?? [])].slice(0, maxWords);
  if (found.length === 0) return [];
  // The upper bound of the scores of a query of one word is its weight.
  const ranked = await snapshot.rank({ queries: found.map((text) => ({ text })), k: 1, depth: 1, signal });
  return found.map((word, place) => ({ word, weight: ranked[place]?.maxTextScore ?? 0 }));
}

/**
 * Scores passages by late interaction and nearness, and fuses this with their scores: for each word of the query the most similar
 * token of the passage, weighted by inverse document frequency, and how near neighboring words of the query occur to each other.
 *
 * @param documents of `ranked`, in its order.
 * @param share of the new score, from 0 to 1, for queries that are not long.
 */
export async function rerankByTokens(
  query: readonly WeightedWord[],
  ranked: readonly Ranked[],
  documents: readonly { readonly text: string }[],
  share: number,
  signal: AbortSignal | undefined,
): Promise<Ranked[]> {
  const matcher = await loadTokenMatcher();
  const known = query.flatMap(({ word, weight }) => {
    const tokens = matcher.tokensOf(word, maxPassageTokens);
    return tokens.map((token) => ({ token, weight: weight / tokens.length }));
  });
  const total = known.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return [...ranked];
  const weight = share * Math.min(1, wordsOfQuestion / query.length) ** 2;
  const slice = new TimeSlice();
  const passages: (readonly number[])[] = [];
  for (const { text } of documents) {
    if (slice.due()) await slice.yieldIfDue(signal);
    passages.push(matcher.passageTokensOf(text, maxPassageTokens));
  }
  const { similarities, closeness } = matcher.match(
    known.map(({ token }) => token),
    passages,
  );
  const pairs = known.map(({ weight }, place) =>
    place === 0 ? 0 : Math.min(weight, known[place - 1]?.weight as number),
  );
  const allPairs = pairs.reduce((sum, weight) => sum + weight, 0);
  // Scores without a bound, such as BM25, are compared as shares of the best one.
  const top = ranked.reduce((best, { score }) => Math.max(best, score), 1);
  return ranked
    .map(({ key, score }, passage) => {
      let [similar, near] = [0, 0];
      for (const [place, { weight }] of known.entries()) {
        const at = passage * known.length + place;
        similar += weight * (similarities[at] as number);
        near += (pairs[place] as number) * (closeness[at] as number);
      }
      const own = (similar / total + (allPairs === 0 ? 0 : (nearWeight * near) / allPairs)) / (1 + nearWeight);
      // Cosines of 32-bit numbers may be above 1 by a rounding.
      return { key, score: (1 - weight) * Math.max(0, score / top) + weight * Math.min(1, own) };
    })
    .sort(byRank);
}
