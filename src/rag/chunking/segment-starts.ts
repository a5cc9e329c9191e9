/** Code units that are segmented at once. On Node 20 every segment holds a copy of the text that it was cut from. */
const windowLength = 4096;

/** Scripts whose words are found with a dictionary. */
const dictionaryScripts =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;
/** White space, and the punctuation of East Asia, which is never within a word. */
const wordBreak = /[\s\u3001\u3002\u3008-\u3011\u3014-\u301B\uFF01\uFF08\uFF09\uFF1A\uFF1F]/;

/**
 * Where the segments of a text begin, 0 included, in ascending order: what `segmenter.segment(text)` gives, found in windows
 * of a few thousand code units, so that memory and time grow with the length of the text and not with its square.
 *
 * A window continues at a segment that began in its first three quarters, and one without such a segment is doubled. So the
 * result differs from that of the whole text only where a rule would look ahead further than a quarter of a window.
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
      // A window that was enlarged is left at once: it may hold thousands of further segments.
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
 * Where words begin that a dictionary finds (Chinese, Japanese, Thai, Lao, Khmer), in ascending order. A window ends at white space
 * or a full stop; only a run of more letters than a window holds is cut elsewhere, and may have another word there.
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
  // Not within a surrogate pair, nor between a letter and its marks.
  let end = furthest;
  while (end > furthest - 16 && /[\p{M}\uDC00-\uDFFF]/u.test(text[end] as string)) end--;
  return end;
}
