import { composed, foldCase, plainSigns, withoutInvisibleOutsideEmoji } from './characters.js';

/**
 * Separators between words. Excludes signs in names and quantities (C#, 5 %, AT&T, @ada, and/or) and symbols such as
 * currencies, + and =.
 */
const between = /[^\p{L}\p{N}\p{M}\p{S}\p{Cf}#%‰‱§&@/\\]+/gu;
const digit = /\p{N}/u;
const letterOrDigit = /[\p{L}\p{N}]/u;
const dashBeforeDigit = /\p{Pd}$/u;
const dashBeforeWord = /(?:^|\s)-{1,2}$/;
const pointBeforeWord = /(?:^|[^.])\.$/;
const negation = /(?:^|[^!?])!(?=\(*$)/;

/**
 * Normalizes a text for equality: ignores case, white space, punctuation and encoding (Unicode NFKC). Texts with equal results
 * have the same words in the same order. Keeps marks and signs that change a name or a number: "C#" differs from "C", ".NET" from
 * "NET", "1.5" from "15", ".5" from "5", "10²" from "102", "-5" from "5", and "!ready" from "ready". A text of punctuation only is
 * unchanged.
 */
export function normalizedText(text: string): string {
  const whole = plainSigns(withoutInvisibleOutsideEmoji(composed(text)));
  const words = whole.replace(between, (run, offset: number) => keptMark(whole, run, offset)).trim();
  return words === '' ? whole.trim() : foldCase(words);
}

/** Replaces a separator: by a space, or by the sign of a number or name that it contains. */
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
