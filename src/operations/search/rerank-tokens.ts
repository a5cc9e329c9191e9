import type { ReadSnapshot } from '../../backend/read-snapshot.js';
import { loadTokenMatcher } from '../../embed/bundled/bundled-provider.js';
import type { TokenMatcher, TokenMatches } from '../../embed/bundled/token-matcher.js';
import type { Ranked } from '../../ranking/ranked.js';
import { byRank } from '../../ranking/ranked.js';
import { TimeSlice } from '../../time-slice.js';

/** A word of a query, and its inverse document frequency in the index. */
export interface WeightedWord {
  readonly word: string;
  readonly weight: number;
}

/** How a query is reranked by tokens. */
export interface TokenRerank {
  readonly words: readonly WeightedWord[];
  /** Share of the new score, from 0 to 1, for queries that are not long. */
  readonly share: number;
}

/** Words of a query, and tokens of a passage, that are compared. */
const [maxWords, maxPassageTokens] = [32, 4096];
/**
 * Tokens of a window; windows overlap by half. A text is judged by its best one: over a long text every word of the query has
 * something similar somewhere (measured on texts of 1,000 words).
 */
const windowTokens = 64;
/** Tokens that are compared between two looks at the clock. */
const tokensPerCall = 8192;
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

/** Scores passages by their tokens, and fuses this with their scores. @param documents of `ranked`, in its order. */
export async function rerankByTokens(
  query: TokenRerank,
  ranked: readonly Ranked[],
  documents: readonly { readonly text: string }[],
  signal: AbortSignal | undefined,
): Promise<Ranked[]> {
  return fuseTokenScores(query, ranked, await tokenScores(query.words, documents, signal));
}

/** Scores with those of tokens, best first; as they are where no word of the query is known. @param own of `ranked`, in its order. */
export function fuseTokenScores(
  { words, share }: TokenRerank,
  ranked: readonly Ranked[],
  own: ArrayLike<number> | undefined,
): Ranked[] {
  if (own === undefined) return [...ranked];
  const weight = share * Math.min(1, wordsOfQuestion / words.length) ** 2;
  // Scores without a bound, such as BM25, are compared as shares of the best one.
  const top = ranked.reduce((best, { score }) => Math.max(best, score), 1);
  return ranked
    .map(({ key, score }, place) => {
      // Cosines of 32-bit numbers may be above 1 by a rounding.
      const worth = Math.min(1, own[place] as number);
      return { key, score: (1 - weight) * Math.max(0, score / top) + weight * worth };
    })
    .sort(byRank);
}

/**
 * Scores passages by late interaction and nearness: for each word of the query the most similar token of the passage, weighted by inverse
 * document frequency, and how near neighboring words of the query occur to each other, both within the best window of the passage.
 * Undefined where no word of the query is known.
 */
export async function tokenScores(
  query: readonly WeightedWord[],
  documents: readonly { readonly text: string }[],
  signal: AbortSignal | undefined,
): Promise<ArrayLike<number> | undefined> {
  const matcher = await loadTokenMatcher();
  const asked = new AskedTokens(query, matcher);
  return asked.isEmpty ? undefined : bestWindows(asked, documents, matcher, signal);
}

/** What the best window of each text is worth. */
async function bestWindows(
  asked: AskedTokens,
  documents: readonly { readonly text: string }[],
  matcher: TokenMatcher,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const best = new Float64Array(documents.length);
  const slice = new TimeSlice();
  let [windows, owners, waiting]: [Int32Array[], number[], number] = [[], [], 0];
  const compare = (): void => {
    const matches = matcher.match(asked.tokens, windows);
    for (const [window, owner] of owners.entries()) {
      best[owner] = Math.max(best[owner] as number, asked.worthOf(matches, window));
    }
    [windows, owners, waiting] = [[], [], 0];
  };
  for (const [place, { text }] of documents.entries()) {
    const tokens = await matcher.passageTokensOf(text, maxPassageTokens, slice, signal);
    for (let start = 0; start === 0 || start + windowTokens / 2 < tokens.length; start += windowTokens / 2) {
      const window = tokens.subarray(start, start + windowTokens);
      windows.push(window);
      owners.push(place);
      waiting += window.length;
    }
    if (waiting >= tokensPerCall) compare();
    if (slice.due()) await slice.yieldIfDue(signal);
  }
  compare();
  return best;
}

/** The known tokens of the words of a query, and what a window is worth that has similar ones. */
class AskedTokens {
  readonly tokens: number[] = [];
  readonly #weights: number[] = [];
  /** Of each token and the one before it. */
  readonly #pairs: number[];
  readonly #sum: number;
  readonly #sumOfPairs: number;

  constructor(query: readonly WeightedWord[], matcher: TokenMatcher) {
    for (const { word, weight } of query) {
      const tokens = matcher.tokensOf(word, maxPassageTokens);
      for (const token of tokens) {
        this.tokens.push(token);
        this.#weights.push(weight / tokens.length);
      }
    }
    this.#pairs = this.#weights.map((weight, place) =>
      place === 0 ? 0 : Math.min(weight, this.#weights[place - 1] as number),
    );
    this.#sum = this.#weights.reduce((sum, weight) => sum + weight, 0);
    this.#sumOfPairs = this.#pairs.reduce((sum, weight) => sum + weight, 0);
  }

  /** Whether no word counts. */
  get isEmpty(): boolean {
    return this.#sum === 0;
  }

  /** From 0 to 1, except for roundings. */
  worthOf({ similarities, closeness }: TokenMatches, window: number): number {
    let [similar, near] = [0, 0];
    for (const [place, weight] of this.#weights.entries()) {
      const at = window * this.#weights.length + place;
      similar += weight * (similarities[at] as number);
      near += (this.#pairs[place] as number) * (closeness[at] as number);
    }
    const nearness = this.#sumOfPairs === 0 ? 0 : near / this.#sumOfPairs;
    return (similar / this.#sum + nearWeight * nearness) / (1 + nearWeight);
  }
}
