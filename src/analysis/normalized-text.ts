import { composed, foldCase, plainSigns, withoutInvisibleOutsideEmoji } from './characters.js';

/**
 * What stands between words. Signs that are part of a name or a quantity are not: C#, 5 %, AT&T, @ada, and/or; neither are
 * symbols such as currencies, + and =.
 */
const between = /[^\p{L}\p{N}\p{M}\p{S}\p{Cf}#%‰‱§&@/\\]+/gu;
const digit = /\p{N}/u;
const letterOrDigit = /[\p{L}\p{N}]/u;
const dashBeforeDigit = /\p{Pd}$/u;
const dashBeforeWord = /(?:^|\s)-{1,2}$/;
const pointBeforeWord = /(?:^|[^.])\.$/;
const negation = /(?:^|[^!?])!(?=\(*$)/;

/**
 * The text as it counts when case, white space, punctuation and the way characters are encoded (Unicode NFKC) do not. Two
 * texts with the same result have the same words in the same order. Marks and signs that change a name or a number stay: "C#" is not
 * "C", ".NET" is not "NET", "1.5" is not "15", ".5" is not "5", "10²" is not "102", "-5" is not "5", and "!ready" is not
 * "ready". A text of nothing but punctuation is left as it is.
 */
export function normalizedText(text: string): string {
  const whole = plainSigns(withoutInvisibleOutsideEmoji(composed(text)));
  const words = whole.replace(between, (run, offset: number) => keptMark(whole, run, offset)).trim();
  return words === '' ? whole.trim() : foldCase(words);
}

/** What becomes of a run between words: a space, or the mark of a number or a name that it holds. */
function keptMark(text: string, run: string, offset: number): string {
  if (run === ' ') return run;
  const before = text[offset - 1] ?? '';
  const next = text[offset + run.length] ?? '';
  const primes = digit.test(before) ? (/^\u2032+/.exec(run)?.[0] ?? '') : '';
  if (!letterOrDigit.test(next)) return next !== '' && /^\s-$/.test(run) ? `${primes} -` : `${primes} `;
  const single = run.length === 1 ? run : '';
  if (single !== '' && letterOrDigit.test(before)) {
    if (single === '*' || ('.,:'.includes(single) && digit.test(before) && digit.test(next))) return single;
    return `${primes} `;
  }
  const [beforeDigit, beforeLetter] = [digit.test(next), letterOrDigit.test(next)];
  if (beforeDigit && dashBeforeDigit.test(run)) return `${primes} -`;
  if (beforeLetter && dashBeforeWord.test(run)) return `${primes} -`;
  if (beforeLetter && pointBeforeWord.test(run)) return `${primes} .`;
  return negation.test(run) && !(run.startsWith('!') && letterOrDigit.test(before)) ? `${primes} !` : `${primes} `;
}
