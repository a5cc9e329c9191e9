import { indexedTermsOf } from '../analyze.js';

/** Scripts whose letters stand for words; see `termsOf`. */
const unspaced =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Bopomofo}\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}ー々〆';
/** A letter of such a script; a run of letters, digits and marks. */
const atoms = new RegExp(`[${unspaced}]\\p{M}*|(?:(?![${unspaced}])[\\p{L}\\p{N}\\p{M}_])+`, 'gu');
const plainRun = /^[A-Za-z]+$/;

/** White space, and punctuation that no name contains. */
const runs = /[^\s。、！？；「」『』【】《》〈〉（）()[\]{}"“”!?;]+/gu;

/** The terms of a run of characters between white space and such punctuation, in the forms in which they are indexed. */
export interface TermRun {
  /** The terms of its words, one after the other. */
  readonly words: readonly string[];
  /** Its other terms: names with signs, whole identifiers, pairs of letters, symbols. */
  readonly others: ReadonlySet<string>;
}

/** Runs that are remembered: a language has fewer common ones. */
const maxRuns = 65_536;
/** Longer runs are taken apart again each time. */
const maxRemembered = 64;
/** By language. */
const remembered = new Map<string, Map<string, TermRun>>();
const noOthers: ReadonlySet<string> = new Set();

/**
 * The terms of a text in their order, as documents in a language are indexed: run by run. All of them are terms of `analyzeDocument`.
 */
export function* termRunsOf(text: string, language: string): Generator<TermRun> {
  const known = knownRuns(language);
  for (const [run] of text.matchAll(runs)) yield runOf(run, language, known);
}

/** The same from an index on, with where each run is. */
export function* placedRunsOf(
  text: string,
  language: string,
  from: number,
): Generator<{ readonly run: TermRun; readonly start: number; readonly end: number }> {
  const known = knownRuns(language);
  const found = new RegExp(runs);
  found.lastIndex = from;
  for (let match = found.exec(text); match !== null; match = found.exec(text)) {
    yield { run: runOf(match[0], language, known), start: match.index, end: found.lastIndex };
  }
}

function knownRuns(language: string): Map<string, TermRun> {
  let known = remembered.get(language);
  if (known === undefined) {
    known = new Map();
    remembered.set(language, known);
  }
  return known;
}

function runOf(run: string, language: string, known: Map<string, TermRun>): TermRun {
  const found = known.get(run);
  if (found !== undefined) return found;
  const made = takeApart(run, language);
  if (run.length <= maxRemembered) {
    if (known.size >= maxRuns) known.clear();
    known.set(run, made);
  }
  return made;
}

function takeApart(run: string, language: string): TermRun {
  const all = indexedTermsOf(run, language);
  if (all.length === 1 && plainRun.test(run)) return { words: all, others: noOthers };
  const words: string[] = [];
  const others = new Set(all);
  for (const [atom] of run.normalize('NFKC').matchAll(atoms)) {
    const [whole, ...parts] = indexedTermsOf(atom, language);
    // An identifier counts as its parts.
    for (const term of parts.length > 0 ? parts : [whole]) {
      if (term !== undefined && others.has(term)) words.push(term);
    }
  }
  for (const word of words) others.delete(word);
  return { words, others };
}
