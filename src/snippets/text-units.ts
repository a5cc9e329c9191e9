import { ownCopy } from '../analysis/own-copy.js';
import type { CountTokens } from '../options.js';
import type { TimeSlice } from '../time-slice.js';
import { boundaryAfter, boundaryBefore } from './grapheme-boundaries.js';
import type { TermMatch, TermMatcher } from './term-matches.js';

/** A stretch of text between white space, or a part of a long one: windows begin and end with units. */
export interface TextUnit {
  readonly start: number;
  readonly end: number;
  /** Tokens of the unit and of the white space before it. */
  readonly tokens: number;
  /** Line that it begins in, from 1. */
  readonly line: number;
  /** Whether a sentence, a line of a list or a paragraph begins here. */
  readonly opens: boolean;
}

/** A match in a text, and the units that it begins and ends in. */
export interface PlacedMatch extends TermMatch {
  readonly unit: number;
  readonly lastUnit: number;
}

/** A text with the places of the query's terms. */
export interface ScannedText {
  readonly units: readonly TextUnit[];
  /** In the order of their places. */
  readonly matches: readonly PlacedMatch[];
}

/** Longest piece that is analyzed as a whole; most tokens of a unit. */
const [maxPiece, maxUnitTokens] = [256, 8];
/** Code units of a part of a piece with many tokens. */
const partLength = 12;
/** Pieces between two looks at the clock. */
const piecesPerCheck = 32;
/** Longest piece that is remembered, and how many are. Results do not depend on it. */
const [maxRemembered, maxPieces] = [64, 65_536];

const lineEnds = /\r\n|\n|\r/g;
const closesSentence = /[.!?…。！？｡][)\]"'”’»」』]*$/u;
const continues = /^[\p{Ll}\p{Pe},;]/u;
const unspacedStop = /[。！？｡\n]/u;

/** What is known of a piece of text, wherever it occurs. */
interface PieceFacts {
  readonly tokens: number;
  readonly matches: readonly TermMatch[];
  readonly closes: boolean;
  readonly continues: boolean;
  readonly isItem: boolean;
}

/** Cuts texts into units and finds the terms of a query in them. */
export class TextScanner {
  readonly #matcher: TermMatcher;
  readonly #countTokens: CountTokens;
  readonly #counts: Map<string, number>;
  readonly #known = new Map<string, PieceFacts>();

  /** @param countTokens counts the tokens of a unit. */
  constructor(matcher: TermMatcher, countTokens: CountTokens) {
    this.#matcher = matcher;
    this.#countTokens = countTokens;
    this.#counts = countsOf(countTokens);
  }

  /** Takes linear time, in slices. */
  async scan(text: string, slice: TimeSlice, signal: AbortSignal | undefined): Promise<ScannedText> {
    const units: TextUnit[] = [];
    const matches: PlacedMatch[] = [];
    let [line, end, checked] = [1, 0, 0];
    let closed = true;
    for (let index = pieceStart(text, 0); index < text.length; index = pieceStart(text, end)) {
      if (++checked % piecesPerCheck === 0 && slice.due()) await slice.yieldIfDue(signal);
      let [lines, gapTokens] = [0, 0];
      if (index - end !== 1 || text.charCodeAt(end) !== 32) {
        const gap = text.slice(end, index);
        lines = gap.match(lineEnds)?.length ?? 0;
        if (gap.length > 1 || lines > 0) gapTokens = this.#countTokens(gap);
      }
      line += lines;
      end = pieceEnd(text, index);
      let opens = units.length === 0 || lines > 1;
      for (let from = index, to = from; from < end; from = to) {
        to = cutAfter(text, from, end, maxPiece);
        if (from > index && slice.due()) await slice.yieldIfDue(signal);
        const facts = this.#factsOf(text.slice(from, to));
        if (from === index) opens ||= (closed && !facts.continues) || (lines > 0 && facts.isItem);
        if (to === end) closed = facts.closes;
        const first = units.length;
        const isUnit = facts.tokens <= maxUnitTokens;
        for (let start = from, stop = start; start < to; start = stop) {
          stop = isUnit ? to : cutAfter(text, start, to, partLength);
          const own = isUnit ? facts.tokens : this.#countTokens(text.slice(start, stop));
          units.push({ start, end: stop, tokens: own + gapTokens, line, opens });
          gapTokens = 0;
          opens = unspacedStop.test(text[stop - 1] as string);
        }
        let unit = first;
        for (const match of facts.matches) {
          while ((units[unit] as TextUnit).end <= from + match.start) unit++;
          let lastUnit = unit;
          while ((units[lastUnit] as TextUnit).end < from + match.end) lastUnit++;
          matches.push({ start: from + match.start, end: from + match.end, term: match.term, unit, lastUnit });
        }
      }
    }
    return { units, matches };
  }

  #factsOf(piece: string): PieceFacts {
    if (piece.length > maxRemembered) return this.#examine(piece);
    const known = this.#known.get(piece);
    if (known !== undefined) return known;
    const facts = this.#examine(piece);
    if (this.#known.size >= maxPieces) this.#known.clear();
    this.#known.set(ownCopy(piece), facts);
    return facts;
  }

  #examine(piece: string): PieceFacts {
    return {
      tokens: this.#tokensOf(piece),
      matches: this.#matcher.matchesIn(piece),
      closes: closesSentence.test(piece),
      continues: continues.test(piece),
      isItem: /^(?:[-*+•|#>]|\d{1,9}[.)])/u.test(piece),
    };
  }

  #tokensOf(piece: string): number {
    const known = this.#counts.get(piece);
    if (known !== undefined) return known;
    const count = this.#countTokens(piece);
    if (piece.length > maxRemembered) return count;
    if (this.#counts.size >= maxPieces) this.#counts.clear();
    this.#counts.set(ownCopy(piece), count);
    return count;
  }
}

/**
 * Whether a code unit is white space (`\s`) that separates words: the byte-order mark, which JavaScript counts to it, is invisible and
 * does not.
 */
function separates(unit: number): boolean {
  if (unit < 0x80) return unit === 32 || (unit >= 9 && unit <= 13);
  if (unit === 0xa0) return true;
  if (unit < 0x1680) return false;
  return (
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000
  );
}

/** Where the next piece begins, at or after an index; the length of the text where there is none. */
function pieceStart(text: string, from: number): number {
  let at = from;
  while (at < text.length && separates(text.charCodeAt(at))) at++;
  return at;
}

function pieceEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && !separates(text.charCodeAt(at))) at++;
  return at;
}

/** Tokens of pieces that a function has counted, for all texts: counting takes longer than finding terms. */
const countsByFunction = new WeakMap<CountTokens, Map<string, number>>();

function countsOf(countTokens: CountTokens): Map<string, number> {
  const counts = countsByFunction.get(countTokens) ?? new Map<string, number>();
  countsByFunction.set(countTokens, counts);
  return counts;
}

/**
 * Where the first part of a range ends: at its end if it has at most about `length` code units, else between two grapheme clusters, behind
 * a stop where there is one.
 */
function cutAfter(text: string, from: number, end: number, length: number): number {
  if (end - from <= length) return end;
  const to = from + length;
  const before = boundaryBefore(text, lastStop(text, from, to) ?? to);
  return before > from ? before : Math.min(end, boundaryAfter(text, to));
}

/** Behind the last full stop of a script without spaces, or another sign, in a range. */
function lastStop(text: string, from: number, to: number): number | undefined {
  for (let at = to; at > from; at--) if (/[。！？｡、，,;:/()[\]{}|&?=]/u.test(text[at - 1] as string)) return at;
  return undefined;
}
