/**
 * What stands between words. Signs that are part of a name or a quantity are not: C#, 5 %, AT&T, @ada, and/or; neither are
 * symbols such as currencies, + and =.
 */
const between = /[^\p{L}\p{N}\p{M}\p{S}#%&@/\\]+/gu;
const invisible = /\p{Cf}+/gu;
const digit = /\p{N}/u;
const letterOrDigit = /[\p{L}\p{N}]/u;

/**
 * The text as it counts when case, white space, punctuation and the way characters are encoded (Unicode NFKC) do not. Two
 * texts with the same result have the same words in the same order. Marks that change a name or a number stay: "C#" is not
 * "C", "1.5" is not "15", and "-5" is not "5". A text of nothing but punctuation is left as it is.
 */
export function normalizedText(text: string): string {
  const composed = text.normalize('NFKC').replace(invisible, '');
  const words = composed.replace(between, (run, offset: number) => keptMark(composed, run, offset)).trim();
  // Up, then down: only so do ß and SS, or the two forms of sigma, become the same.
  return words === '' ? composed.trim() : words.toUpperCase().toLowerCase();
}

/** What becomes of a run between words: a space, or the mark of a number that it holds. */
function keptMark(text: string, run: string, offset: number): string {
  if (run === ' ') return run;
  const end = offset + run.length;
  const mark = run[run.length - 1] as string;
  if (!digit.test(text[end] ?? '')) return ' ';
  if (run.length === 1 && '.,:'.includes(mark) && digit.test(text[offset - 1] ?? '')) return mark;
  const before = run.length > 1 ? '' : (text[offset - 1] ?? '');
  return mark === '-' && !letterOrDigit.test(before) ? ' -' : ' ';
}
