import { isAscii } from '../analysis/characters.js';
import { ownCopy } from '../analysis/own-copy.js';
import { graphemesOf } from './grapheme-boundaries.js';

/** The terms of a text, as the index analyzes documents. */
export type TermsOf = (text: string) => Iterable<string>;

/** Where a term of the query occurs. */
export interface TermMatch {
  readonly start: number;
  readonly end: number;
  /** Number of the term in the query. */
  readonly term: number;
}

/** Longest text whose terms are remembered, and how many are. Results do not depend on it. */
const [maxRemembered, maxKnown] = [8, 65_536];
/** Parts of a match that is found wherever it occurs in a piece; of a longer one, one place in each piece is found. */
const maxParts = 4;
/** Parts of a piece in which the place of a longer match is looked for; beyond, the whole piece is the match. */
const maxShrunk = 64;

const asciiParts = /[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^A-Za-z0-9]/g;
const unspaced =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー々〆]/u;
const [upper, digit, word] = [/^\p{Lu}/u, /^\p{N}/u, /^[\p{L}\p{M}\p{N}]/u];
const none: readonly TermMatch[] = [];
const noNumbers: ReadonlySet<number> = new Set();

/**
 * Finds where the terms of a query occur in pieces of text. Which terms a text has is asked of the analysis of the index: a match
 * is the shortest run of parts whose analysis yields the term. Parts are words, the words of identifiers, letters of scripts
 * without spaces, and signs; none cuts a grapheme cluster of the piece.
 */
export class TermMatcher {
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #termsOf: TermsOf;
  readonly #known = new Map<string, ReadonlySet<number>>();

  /** @param terms of each the forms in which it is indexed. */
  constructor(terms: readonly (readonly string[])[], termsOf: TermsOf) {
    this.#numbers = new Map(terms.flatMap((forms, number) => forms.map((form) => [form, number] as const)));
    this.#termsOf = termsOf;
  }

  /** Whether a text has a term of the query. */
  matches(text: string): boolean {
    return this.#numbersIn(text).size > 0;
  }

  /** The matches in a piece, whose terms must not depend on the text around it. Offsets are those of the piece. */
  matchesIn(piece: string): readonly TermMatch[] {
    if (this.#numbers.size === 0) return none;
    return this.#find(piece);
  }

  /** The terms in a part of a piece; those of short parts, such as pairs of letters, are remembered. */
  #numbersIn(text: string): ReadonlySet<number> {
    if (text.length > maxRemembered) return this.#analyze(text);
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const found = this.#analyze(text);
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.set(ownCopy(text), found);
    return found;
  }

  #analyze(text: string): ReadonlySet<number> {
    let found: Set<number> | undefined;
    for (const term of this.#termsOf(text)) {
      const number = this.#numbers.get(term);
      if (number === undefined) continue;
      found ??= new Set();
      found.add(number);
    }
    return found ?? noNumbers;
  }

  #find(piece: string): readonly TermMatch[] {
    const missing = new Set(this.#numbersIn(piece));
    if (missing.size === 0) return none;
    const ends = partEnds(piece);
    const startOf = (part: number): number => (part === 0 ? 0 : (ends[part - 1] as number));
    const found: TermMatch[] = [];
    for (let parts = 1; parts <= Math.min(maxParts, ends.length) && missing.size > 0; parts++) {
      const placed = new Set<number>();
      for (let last = parts - 1; last < ends.length; last++) {
        const [start, end] = [startOf(last - parts + 1), ends[last] as number];
        for (const term of this.#numbersIn(piece.slice(start, end))) {
          if (!missing.has(term)) continue;
          found.push({ start, end, term });
          placed.add(term);
        }
      }
      for (const term of placed) missing.delete(term);
    }
    for (const term of missing) found.push(this.#shrunk(piece, ends, term));
    return found.sort((a, b) => a.start - b.start || a.end - b.end);
  }

  /** A run of parts with a term that ends as early, and then begins as late as possible. */
  #shrunk(piece: string, ends: readonly number[], term: number): TermMatch {
    const whole = { start: 0, end: piece.length, term };
    if (ends.length > maxShrunk) return whole;
    const has = (start: number, end: number): boolean => this.#numbersIn(piece.slice(start, end)).has(term);
    const end = ends.find((end) => has(0, end)) ?? piece.length;
    const start = [0, ...ends].findLast((start) => start < end && has(start, end)) ?? 0;
    return { start, end, term };
  }
}

/** Where the parts of a piece end: words, the words of identifiers, letters of scripts without spaces, and signs. */
export function partEnds(piece: string): number[] {
  const ends: number[] = [];
  if (isAscii(piece)) {
    let end = 0;
    for (const { length } of piece.match(asciiParts) ?? []) {
      end += length;
      ends.push(end);
    }
    return ends;
  }
  let before = '';
  for (const { index, segment } of graphemesOf(piece)) {
    const kind = kindOf(segment);
    const continues = kind !== 'single' && (kind === before || (before === 'upper' && kind === 'lower'));
    if (index > 0 && !continues) ends.push(index);
    before = kind;
  }
  ends.push(piece.length);
  return ends;
}

function kindOf(grapheme: string): 'single' | 'upper' | 'lower' | 'digit' {
  if (unspaced.test(grapheme) || !word.test(grapheme)) return 'single';
  if (digit.test(grapheme)) return 'digit';
  return upper.test(grapheme) ? 'upper' : 'lower';
}
