import { createRequire } from 'node:module';
import { withoutMarks } from './characters.js';
import { type Language, languageOf } from './languages.js';
import { ownCopy } from './own-copy.js';
import { spanishStopWords } from './spanish-stop-words.js';
import { stemOf } from './stem.js';

const load = createRequire(import.meta.url);

/** Words of each language whose stems are remembered; see stem.ts. */
const maxStems = 65_536;
const letters = /^[\p{L}\p{M}]{2,}$/u;
const latinLetters = /^[a-z]+$/;

/** Derives the form in which the terms of a language are indexed. */
export interface Stemmer {
  /** The form of a term with its marks (see `markedTermsOf`). */
  stemOf(term: string): string;
  /** Whether a term of a query says nothing about what it looks for. */
  isStopWord(term: string): boolean;
}

const known = new Map<string, Stemmer>();

/** The stemmer of a language. Loaded at its first use. */
export function stemmerOf(code: string): Stemmer {
  let stemmer = known.get(code);
  if (stemmer === undefined) {
    stemmer = new SnowballStemmer(languageOf(code));
    known.set(code, stemmer);
  }
  return stemmer;
}

/** Stop words of a language, in lower case; none where there is no list. */
export function stopWordsOf({ stemmer }: Language): readonly string[] {
  if (stemmer === undefined) return [];
  if (stemmer === 'spanish') return spanishStopWords;
  const { stopwords } = load(`@orama/stopwords/${stemmer}`) as { stopwords: readonly string[] };
  return stopwords.filter((word) => word.trim() !== '');
}

/**
 * Stems words as Snowball does (https://snowballstem.org), then removes the marks of the stem: a query without accents finds the same
 * documents, where the stemmer needs none.
 */
class SnowballStemmer implements Stemmer {
  readonly #language: Language;
  readonly #stem: (word: string) => string;
  readonly #stems = new Map<string, string>();
  #stopWords: Set<string> | undefined;

  constructor(language: Language) {
    this.#language = language;
    const { stemmer } = language;
    this.#stem =
      stemmer === undefined
        ? (word) => word
        : (load(`@orama/stemmers/${stemmer}`) as { stemmer: (word: string) => string }).stemmer;
  }

  stemOf(term: string): string {
    const remembered = this.#stems.get(term);
    if (remembered !== undefined) return remembered;
    const stem = this.#stemOf(term);
    if (this.#stems.size >= maxStems) this.#stems.clear();
    this.#stems.set(ownCopy(term), stem);
    return stem;
  }

  #stemOf(term: string): string {
    if (!term.isWellFormed()) return withoutMarks(term.toWellFormed());
    if (!letters.test(term)) return withoutMarks(term);
    if (!this.#language.isLatin && latinLetters.test(term)) return stemOf(term);
    const { code } = this.#language;
    const stem = withoutMarks(this.#stem(spelled(term, code)) || term);
    // Capitals do not say which i they are.
    return code === 'tr' ? stem.replaceAll('ı', 'i') : stem;
  }

  isStopWord(term: string): boolean {
    this.#stopWords ??= new Set(stopWordsOf(this.#language).flatMap((word) => [word, withoutMarks(word)]));
    return this.#stopWords.has(term);
  }
}

/** The spelling that a stemmer expects. */
function spelled(term: string, code: string): string {
  // Snowball's Romanian stemmer knows the letters with a cedilla, which older texts use for those with a comma.
  if (code === 'ro') return term.replaceAll('ș', 'ş').replaceAll('ț', 'ţ');
  return code === 'tr' ? term.replaceAll('i\u0307', 'i') : term;
}
