import { composed, foldCase, isAscii, plainSigns, withoutInvisible, withoutMarks } from './characters.js';

/** Scripts without spaces between words. */
const unspaced =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Bopomofo}\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}ー々〆';
/** Signs inside names, versions, addresses and amounts. */
const nameSigns = '.\\-/:@&+#%$*=,\\\\~\\p{Sc}';
const wordCharacters = `(?![${unspaced}])[\\p{L}\\p{N}\\p{M}_]`;
/** A letter of a script without spaces; a run of words and signs of names; another symbol. */
const pieces = new RegExp(`([${unspaced}]\\p{M}*)|((?:${wordCharacters}|[${nameSigns}])+)|(\\p{S})`, 'gu');
const atoms = new RegExp(`[\\p{L}\\p{N}\\p{M}_]+|[${nameSigns}]`, 'gu');
/** Same for ASCII, the common case. */
const asciiRuns = /[\w.\-/:@&+#%$*=,\\~]+/g;
const asciiAtoms = /\w+|\W/g;
const sign = new RegExp(`[${nameSigns}]`, 'u');
const oneWord = /^(?:[A-Z]?[a-z]+|[0-9]+)$/;
const letterOrNumber = /[\p{L}\p{N}]/u;
const currency = /^\p{Sc}$/u;
const hasTerms = /[\p{L}\p{N}\p{Sc}]/u;
/** Not searchable: standalone marks, and replacement characters. */
const notASymbol = /[\p{Sk}\u2800\uFFFC\uFFFD]/u;
/** Flags, and pictographs with skin tones and joined parts. */
const emojiUnit = '\\p{Extended_Pictographic}(?:[\\uFE0E\\uFE0F\\u20E3]|\\p{Emoji_Modifier}|[\\u{E0020}-\\u{E007F}])*';
const emoji = new RegExp(`\\p{Regional_Indicator}{2}|${emojiUnit}(?:\\u200D${emojiUnit})*`, 'gu');
const mayHoldEmoji = /[\u00A9\u00AE\u2000-\u32FF\uD83C-\uD83F]/;
/** Splits identifiers into words: between lower and upper case, at underscores, around digits. */
const identifierParts = /\p{Lu}+(?=\p{Lu}\p{Ll})|\p{Lu}?[\p{Ll}\p{M}]+|\p{Lu}+|[\p{Lo}\p{Lm}\p{Lt}\p{M}]+|\p{N}+/gu;
const asciiParts = /[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+/g;
const maxTerm = 64;

/**
 * Extracts the terms that index a text, normalized for comparison: NFKC, without invisible characters, in lower case, and without
 * optional marks.
 *
 * - Words: runs of letters, digits, marks and underscores. Identifiers such as `addDocuments` and `max_size` also yield their
 *   parts.
 * - Names: words joined by signs, or with a sign of their own (`c++`, `.net`, `1.2.3`, `10.0.0.1`, `a/b`, `$100`), in addition
 *   to their words.
 * - Every letter and every pair of adjacent letters of Chinese, Japanese, Korean and other scripts without spaces.
 * - Symbols and emoji; composite emoji as a whole and in parts.
 *
 * A term longer than 64 code units is replaced by a 64-bit hash, so names of any length match.
 */
export function termsOf(text: string): string[] {
  return analyze(text, plain);
}

/**
 * The terms of a text, or of a query, as `termsOf` extracts them, with the marks of their letters: the stemmers of most languages read
 * them. A query has no stop words removed.
 */
export function markedTermsOf(text: string, query: boolean): string[] {
  return analyze(text, query ? markedQuery : marked);
}

/** English stop words of questions. */
const stopWords = new Set(
  `a about an and any are as at be been but by can could did do does for from had has have how i if in into is it its may me
  my no not of on or our should so some such than that the their them then there these they this to was we were what when
  where which who whom whose why will with would you your`.split(/\s+/),
);

/** Whether a term is an English stop word. */
export function isStopWord(term: string): boolean {
  return stopWords.has(term);
}

/**
 * Extracts the terms of a query: those of `termsOf`, except stop words (unless there are no other terms) and single letters of a
 * run without spaces. A repeated term counts repeatedly, and a name with signs counts twice, so that a text with the name ranks
 * above texts with its words only. (On CISI and SQuAD, dropping stop words improved results and took a fifth of the time; names that
 * count more than twice made them worse.)
 */
export function queryTermsOf(query: string): string[] {
  const terms = analyze(query, plainQuery);
  const contentTerms = terms.filter((term) => !stopWords.has(term));
  return contentTerms.length > 0 ? contentTerms : terms;
}

/** How a text is taken apart. */
interface Analysis {
  /** Whether it is a query. */
  readonly query: boolean;
  /** Whether letters keep their marks. */
  readonly marks: boolean;
}

const plain: Analysis = { query: false, marks: false };
const plainQuery: Analysis = { query: true, marks: false };
const marked: Analysis = { query: false, marks: true };
const markedQuery: Analysis = { query: true, marks: true };

function analyze(text: string, { query, marks }: Analysis): string[] {
  const terms: string[] = [];
  if (isAscii(text)) {
    for (const run of text.match(asciiRuns) ?? []) pushRun(terms, run, { ascii: true, query });
    return terms;
  }
  let rest = composed(text);
  if (mayHoldEmoji.test(rest)) rest = takeEmoji(terms, rest);
  rest = withoutInvisible(rest);
  rest = plainSigns(marks ? rest : withoutMarks(rest));
  const letters = new LetterRun(terms, query);
  let symbol = '';
  let symbolEnd = -1;
  for (const { 0: piece, 1: letter, 2: run, index } of rest.matchAll(pieces)) {
    if (letter !== undefined) {
      letters.add(letter, index);
    } else if (run !== undefined) {
      pushRun(terms, run, { ascii: false, query });
    } else if (!notASymbol.test(piece) && piece > '\x7f') {
      // A repeated symbol, such as a ruled line, counts once.
      if (piece !== symbol || index !== symbolEnd) terms.push(piece);
      symbol = piece;
      symbolEnd = index + piece.length;
    }
  }
  letters.end();
  return terms;
}

/** A run of adjacent letters of scripts without spaces. */
class LetterRun {
  readonly #terms: string[];
  readonly #query: boolean;
  #before = '';
  #end = -1;
  #length = 0;

  constructor(terms: string[], query: boolean) {
    this.#terms = terms;
    this.#query = query;
  }

  add(letter: string, index: number): void {
    if (index !== this.#end) this.end();
    if (!this.#query) this.#terms.push(termFor(letter));
    if (this.#length > 0) this.#terms.push(termFor(this.#before + letter));
    this.#before = letter;
    this.#length++;
    this.#end = index + letter.length;
  }

  /** In a query, only an isolated letter is a term by itself. */
  end(): void {
    if (this.#query && this.#length === 1) this.#terms.push(termFor(this.#before));
    this.#length = 0;
  }
}

/** Extracts the emoji of a text as terms: each as a whole, and its parts. Returns the rest of the text. */
function takeEmoji(terms: string[], text: string): string {
  let before = '';
  let end = -1;
  return text.replace(emoji, (found: string, index: number) => {
    const whole = found.replace(/[\uFE0E\uFE0F\u20E3]/g, '');
    const repeated = whole === before && index === end;
    before = whole;
    end = index + found.length;
    if (repeated) return ' ';
    const parts = new Set(found.match(/\p{Extended_Pictographic}/gu) ?? []);
    terms.push(termFor(whole), ...[...parts].filter((part) => part !== whole));
    return ' ';
  });
}

interface RunKind {
  /** Whether the run is ASCII. */
  readonly ascii: boolean;
  /** Whether the run belongs to a query. */
  readonly query: boolean;
}

/** Adds the words of a run, and its names if it contains signs. */
function pushRun(terms: string[], dressed: string, { ascii, query }: RunKind): void {
  const run = withoutStops(dressed);
  // Most runs.
  if (oneWord.test(run)) {
    terms.push(termFor(foldCase(run)));
    return;
  }
  // A ruled line is one run.
  if (!hasTerms.test(run)) return;
  if (!sign.test(run)) {
    pushWord(terms, run, ascii);
    return;
  }
  const parts = run.match(ascii ? asciiAtoms : atoms) ?? [];
  for (const part of parts) {
    if (currency.test(part)) terms.push(part);
    else if (letterOrNumber.test(part)) pushWord(terms, part, ascii);
  }
  pushNames(terms, parts, query);
}

/** Removes trailing sentence punctuation. */
function withoutStops(run: string): string {
  let end = run.length;
  while (end > 0 && '.,:'.includes(run[end - 1] as string)) end--;
  return end === run.length ? run : run.slice(0, end);
}

function pushWord(terms: string[], word: string, ascii: boolean): void {
  if (!letterOrNumber.test(word)) return;
  terms.push(termFor(foldCase(word.replaceAll('_', ''))));
  if (oneWord.test(word)) return;
  const parts = word.match(ascii ? asciiParts : identifierParts) ?? [];
  if (parts.length > 1) for (const part of parts) terms.push(termFor(foldCase(part)));
}

/** Signs that split a compound name: `net/.NET`, `C++-style`, `10.0.0.1:80`. */
const joiners = new Set('-/:@&=,\\~');
const startsWithDigit = /^\p{N}/u;
const endsInDigit = /\p{N}$/u;
const endsName = /^(?:[+#%*]|\p{Sc})$/u;

/** Adds the whole run as a name, and the names inside it. */
function pushNames(terms: string[], parts: readonly string[], query: boolean): void {
  const names = new Map<string, number>();
  const add = (start: number, end: number): void => {
    for (const name of namesIn(parts, start, end)) names.set(name, query ? weightOf(parts.slice(start, end)) : 1);
  };
  add(0, parts.length);
  let start = 0;
  for (let at = 1; at < parts.length; at++) {
    const [part, before] = [parts[at] as string, parts[at - 1] as string];
    if (part === ',' && endsInDigit.test(before) && startsWithDigit.test(parts[at + 1] ?? '')) continue;
    if (joiners.has(part) && (endsName.test(before) || letterOrNumber.test(before))) {
      add(start, at);
      start = at + 1;
    } else if (
      startsWithDigit.test(part) &&
      at - 1 > start &&
      (before === '#' || (before === '+' && parts[at - 2] === '+'))
    ) {
      // C++20 also matches C++.
      add(start, at);
      start = at;
    }
  }
  if (start > 0) add(start, parts.length);
  for (const [name, weight] of names) for (let time = 0; time < weight; time++) terms.push(name);
}

/** Weight of a name in a query: 1 for compounds of words, which add little to their words; 2 for names and numbers with signs. */
function weightOf(parts: readonly string[]): number {
  return parts.every((part) => /^(?:\p{L}+|[-/,=])$/u.test(part)) ? 1 : 2;
}

/** Signs allowed before the first word of a name: before a digit, before a letter. */
const beforeDigit = /(?:[-+]?\p{Sc}[-+]?|[-+]?(?<!\.)\.|[-+#@])$/u;
const beforeLetter = /(?:\p{Sc}|--|(?<!\.)\.|[#@])$/u;
/** Signs allowed after its last word. */
const behindWord = /^(?:\+{1,3}|#|%|\*|\p{Sc})/u;

/** Yields the name in a range of words and signs, without signs that are not part of it; nothing when only a word remains. */
function* namesIn(parts: readonly string[], start: number, end: number): Generator<string> {
  let [first, last] = [start, end - 1];
  while (first <= last && !letterOrNumber.test(parts[first] as string)) first++;
  while (last >= first && !letterOrNumber.test(parts[last] as string)) last--;
  if (first > last) return;
  const signsBefore = parts.slice(Math.max(start, first - 3), first).join('');
  const signsBehind = parts.slice(last + 1, Math.min(end, last + 4)).join('');
  const before =
    (startsWithDigit.test(parts[first] as string) ? beforeDigit : beforeLetter).exec(signsBefore)?.[0] ?? '';
  let behind = behindWord.exec(signsBehind)?.[0] ?? '';
  // Asterisks around a word are emphasis.
  if (behind === '*' && (signsBehind !== '*' || signsBefore.includes('*'))) behind = '';
  if (before === '' && behind === '' && first === last) return;
  const words = parts.slice(first, last + 1);
  yield termFor(foldCase(before + words.join('') + behind));
  // v1.2.3 also matches 1.2.3.
  const version = /^v(\p{N}+)$/iu.exec(words[0] as string)?.[1];
  if (version !== undefined && words.length > 2) yield termFor(foldCase(version + words.slice(1).join('') + behind));
}

/** Bounds a term: beyond 64 code units, a private-use character and a 64-bit hash (FNV-1a in two 32-bit halves). */
function termFor(marked: string): string {
  if (marked.length <= maxTerm) return marked;
  const term = withoutMarks(marked);
  if (term.length <= maxTerm) return term;
  let [low, high] = [0x811c9dc5, 0xcbf29ce4];
  for (let at = 0; at < term.length; at++) {
    const unit = term.charCodeAt(at);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit ^ (at & 0xff), 0x01000193) ^ (high >>> 15);
  }
  const hex = (half: number): string => (half >>> 0).toString(16).padStart(8, '0');
  return `\uE000${hex(high)}${hex(low)}`;
}
