import { segmenterOf } from '../segmenter.js';

/** Context that decides about a boundary: longer runs without a certain boundary are not natural text. */
const maxContext = 16_384;

/**
 * Whether a unit always begins a grapheme cluster of its own when the unit before it is one of these as well: letters and signs
 * below the first combining mark, Greek, Cyrillic and East Asian letters, without the marks among them.
 */
function isPlain(unit: number): boolean {
  if (unit < 0x300) return true;
  if (unit >= 0x2e80 && unit <= 0x9fff)
    return !(unit >= 0x302a && unit <= 0x302f) && unit !== 0x3099 && unit !== 0x309a;
  return (unit >= 0x370 && unit < 0x483) || (unit >= 0x48a && unit < 0x530);
}

function isCertain(before: number, after: number): boolean {
  return isPlain(before) && isPlain(after) && !(before === 13 && after === 10);
}

/** Whether a text can be cut at an index without breaking a grapheme cluster (Unicode UAX #29). */
export function isGraphemeBoundary(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return true;
  if (isCertain(text.charCodeAt(at - 1), text.charCodeAt(at))) return true;
  let from = at - 1;
  while (from > 0 && at - from < maxContext && !isCertain(text.charCodeAt(from - 1), text.charCodeAt(from))) from--;
  const cluster = segmenterOf('grapheme')
    .segment(text.slice(from, at + 2))
    .containing(at - from);
  return cluster?.index === at - from;
}

/** The last boundary at or before an index. */
export function boundaryBefore(text: string, at: number): number {
  let boundary = at;
  while (!isGraphemeBoundary(text, boundary)) boundary--;
  return boundary;
}

/** The first boundary at or after an index. */
export function boundaryAfter(text: string, at: number): number {
  let boundary = at;
  while (!isGraphemeBoundary(text, boundary)) boundary++;
  return boundary;
}

/** The grapheme clusters of a text, in their order. */
export function graphemesOf(text: string): Iterable<{ readonly index: number; readonly segment: string }> {
  return segmenterOf('grapheme').segment(text);
}
