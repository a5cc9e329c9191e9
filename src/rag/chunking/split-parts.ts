import type { CountTokens } from '../../options.js';
import { segmenterOf } from '../../segmenter.js';
import type { TextRange } from './chunk.js';
import { dictionaryWordStarts, segmentStarts } from './segment-starts.js';

/** A part of a text that is not split further. */
export interface Part extends TextRange {
  readonly tokens: number;
  /** Quality of a split before this part: 0 is best (a paragraph), larger is worse. */
  readonly level: number;
}

/** Returns the starts of the pieces of a range, in ascending order, including the start of the range. */
export type Splitter = (text: string, start: number, end: number) => number[];

function startsAfter(pattern: RegExp): Splitter {
  return (text, start, end) => {
    const starts = [start];
    for (const { index, 0: match } of text.slice(start, end).matchAll(pattern)) {
      const place = start + index + match.length;
      if (place > start && place < end) starts.push(place);
    }
    return starts;
  };
}

/** Paragraphs, separated by blank lines. */
export const atParagraphs = startsAfter(/(?:\r\n|\n|\r)[^\S\n\r]*(?:\r\n|\n|\r)\s*/g);

/** Lines. */
export const atLines = startsAfter(/\r\n|\n|\r/g);

/** List items with their continuation lines. */
export const atListItems: Splitter = (text, start, end) => [
  start,
  ...[...text.slice(start, end).matchAll(/(?<=[\n\r])[^\S\n\r]*(?:[-*+]|\d{1,9}[.)])\s/g)].map(
    ({ index }) => start + index,
  ),
];

/** Max. code units of a grapheme cluster: an emoji family has eleven. */
const maxGraphemeUnits = 64;

/** Sentences (Unicode UAX #29); a line end within a paragraph counts as a space. */
export const atSentences: Splitter = (text, start, end) => {
  const flowing = text.slice(start, end).replace(/[\n\r\u0085\u2028\u2029]/g, ' ');
  return segmentStarts(segmenterOf('sentence'), flowing).map((index) => start + index);
};

/** Words, separated by white space; in scripts without spaces, by a dictionary. */
export const atWords: Splitter = (text, start, end) => {
  const range = text.slice(start, end);
  const starts = new Set([0]);
  for (const { index, 0: space } of range.matchAll(/\s+/g)) starts.add(index + space.length);
  for (const index of dictionaryWordStarts(segmenterOf('word'), range)) starts.add(index);
  starts.delete(range.length);
  return [...starts].sort((a, b) => a - b).map((place) => start + place);
};

/**
 * Splits a range into parts of at most `maxTokens` tokens: with the first splitter, parts that are too long with the
 * next one, and finally between grapheme clusters. Parts are separated by white space only and have none at their ends.
 */
export function splitParts(
  text: string,
  range: TextRange,
  splitters: readonly Splitter[],
  maxTokens: number,
  countTokens: CountTokens,
  level = 0,
): Part[] {
  const { start, end } = trimmed(text, range);
  if (start === end) return [];
  const tokens = countTokens(text.slice(start, end));
  if (tokens <= maxTokens) return [{ start, end, tokens, level }];
  const [splitter, ...rest] = splitters;
  if (splitter === undefined) return hardParts(text, { start, end }, maxTokens, countTokens, level);
  const starts = splitter(text, start, end);
  return starts.flatMap((from, position) => {
    const piece = { start: from, end: starts[position + 1] ?? end };
    const parts = splitParts(text, piece, rest, maxTokens, countTokens, level + 1);
    // The first piece starts where the whole part does, which may be a better place to split.
    return position > 0 || parts[0] === undefined ? parts : [{ ...parts[0], level }, ...parts.slice(1)];
  });
}

/** Pieces of a word that is too long, each as long as possible; a single grapheme cluster is never split. */
function hardParts(
  text: string,
  { start, end }: TextRange,
  maxTokens: number,
  countTokens: CountTokens,
  level: number,
): Part[] {
  const parts: Part[] = [];
  for (let from = start; from < end; ) {
    const to = furthestCut(text, from, end, maxTokens, countTokens);
    const range = trimmed(text, { start: from, end: to });
    if (range.end > range.start)
      parts.push({ ...range, tokens: countTokens(text.slice(range.start, range.end)), level });
    from = to;
  }
  return parts;
}

/** The largest end with at most `maxTokens` tokens from `start`, after at least one grapheme cluster. */
export function furthestCut(
  text: string,
  start: number,
  end: number,
  maxTokens: number,
  countTokens: CountTokens,
): number {
  const fits = (to: number): boolean => countTokens(text.slice(start, to)) <= maxTokens;
  let reach = 8;
  while (start + reach < end && fits(start + reach)) reach *= 2;
  let [low, high] = [start, Math.min(end, start + reach)];
  if (high === end && fits(end)) return end;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return characterStart(text, start, low, end);
}

/** The last grapheme boundary at or before `place`, after at least one grapheme cluster. */
function characterStart(text: string, start: number, place: number, end: number): number {
  const first = start + firstCharacter(text.slice(start, Math.min(end, start + maxGraphemeUnits)));
  if (place <= first) return first;
  const from = Math.max(first, place - maxGraphemeUnits);
  let found = from;
  for (const { index } of segmenterOf('grapheme').segment(text.slice(from, Math.min(end, place + maxGraphemeUnits)))) {
    if (from + index > place) break;
    found = from + index;
  }
  if (found > from || from === first) return found;
  // Not a grapheme cluster of natural text: still never split a surrogate pair.
  return /[\uDC00-\uDFFF]/.test(text[place] ?? '') ? place - 1 : place;
}

function firstCharacter(text: string): number {
  for (const { segment } of segmenterOf('grapheme').segment(text)) return segment.length;
  return 0;
}

/** The range without white space at its ends; empty, at its start, if there is nothing else. */
export function trimmed(text: string, { start, end }: TextRange): TextRange {
  const piece = text.slice(start, end);
  const leading = piece.length - piece.trimStart().length;
  const length = piece.trim().length;
  return { start: start + leading, end: start + leading + length };
}
