/** Code units per window. On Node 20 every segment holds a copy of the whole input. */
const windowLength = 4096;

/** Scripts that need a dictionary for word segmentation. */
const dictionaryScripts =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;
/** White space and East Asian punctuation, which never occur within a word. */
const wordBreak = /[\s\u3001\u3002\u3008-\u3011\u3014-\u301B\uFF01\uFF08\uFF09\uFF1A\uFF1F]/;

/**
 * The starts of the segments of a text, 0 included, in ascending order, as returned by `segmenter.segment(text)`. Works
 * in windows of a few thousand code units, so memory and time are linear in the length of the text instead of
 * quadratic.
 *
 * The next window starts at a segment from the first three quarters of the previous one; a window without such a
 * segment is doubled. The result differs from that for the whole text only if a rule looks ahead more than a quarter of
 * a window.
 */
export function segmentStarts(segmenter: Intl.Segmenter, text: string, length = windowLength): number[] {
  const starts: number[] = text === '' ? [] : [0];
  let from = 0;
  for (let size = length; from < text.length; ) {
    const end = Math.min(from + size, text.length);
    const trusted = end === text.length ? end : end - (size >>> 2);
    let next = from;
    for (const { index } of segmenter.segment(text.slice(from, end))) {
      if (index === 0) continue;
      if (from + index > trusted) break;
      next = from + index;
      starts.push(next);
      // Leave an enlarged window immediately: it may contain thousands of further segments.
      if (size > length) break;
    }
    if (next === from) {
      if (end === text.length) break;
      size *= 2;
    } else {
      if (end === text.length && size === length) break;
      size = length;
      from = next;
    }
  }
  return starts;
}

/**
 * The starts of words in scripts that need a dictionary (Chinese, Japanese, Thai, Lao, Khmer), in ascending order. A
 * window ends at white space or a full stop; a run of letters longer than a window is split elsewhere and may differ
 * there.
 */
export function dictionaryWordStarts(segmenter: Intl.Segmenter, text: string, length = windowLength >>> 2): number[] {
  const starts: number[] = [];
  for (let from = 0; from < text.length; ) {
    const end = windowEnd(text, from, length);
    const window = text.slice(from, end);
    if (dictionaryScripts.test(window)) {
      for (const { index, segment } of segmenter.segment(window)) {
        if (dictionaryScripts.test(segment)) starts.push(from + index);
      }
    }
    from = end;
  }
  return starts;
}

function windowEnd(text: string, from: number, length: number): number {
  const furthest = from + length;
  if (furthest >= text.length) return text.length;
  for (let end = furthest; end > from + (length >>> 1); end--) {
    if (wordBreak.test(text[end - 1] as string)) return end;
  }
  // Never within a surrogate pair or between a letter and its combining marks.
  let end = furthest;
  while (end > furthest - 16 && /[\p{M}\uDC00-\uDFFF]/u.test(text[end] as string)) end--;
  return end;
}
