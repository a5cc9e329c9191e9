import { withoutMarks } from './characters.js';
import { detectLanguage } from './detect-language.js';
import { exactFormOf } from './exact-forms.js';
import { weightedPartsOf } from './fields/stored-text.js';
import { languageOf } from './languages.js';
import { stemOf } from './stem.js';
import { stemmerOf } from './stemmers.js';
import { isStopWord, markedTermsOf, queryTermsOf, termsOf } from './terms.js';

/** The stems of a document. */
export interface AnalyzedDocument {
  /** Occurrences of all stems: the document length of BM25. */
  readonly length: number;
  /** How often each stem occurs, in the order of their first occurrences. */
  readonly terms: ReadonlyMap<string, number>;
}

/** The stems of a query, each once, in the order of their first occurrences; behind them the exact forms of its words. */
export interface AnalyzedQuery {
  readonly terms: readonly string[];
  /**
   * How often each stem counts: its occurrences, and more for names (see `queryTermsOf`). 0: the same word as the last one before it
   * that counts, as another language stems it.
   */
  readonly weights: readonly number[];
}

/** Most stems of a query; those that follow are ignored. */
const maxQueryTerms = 256;
/** Only so much of a query is analyzed: a query that is a whole book costs no more than a page. */
const maxQueryLength = 16_384;

/**
 * The stems of a text, or of a part of it between white space, as a document in a language is indexed, with repetitions.
 */
export function indexedTermsOf(text: string, language = 'en'): string[] {
  if (language === 'en') return termsOf(text).map(stemOf);
  const stemmer = stemmerOf(language);
  return markedTermsOf(text, false).map((term) => stemmer.stemOf(term));
}

/**
 * All terms of a text as a document in a language is indexed: `indexedTermsOf` it, and behind each stem that differs from its word the
 * exact form of the word, so that documents with the words of a query as they are written rank above those with other forms. English
 * has stems only.
 */
export function documentTermsOf(text: string, language = 'en'): string[] {
  if (language === 'en') return indexedTermsOf(text);
  const stemmer = stemmerOf(language);
  const terms: string[] = [];
  for (const term of markedTermsOf(text, false)) {
    const [stem, word] = [stemmer.stemOf(term), plainOf(term)];
    terms.push(stem);
    if (stem !== word) terms.push(exactFormOf(word));
  }
  return terms;
}

/**
 * Analyzes a document as it is stored: `documentTermsOf` it, counted, with fields as often as they weigh. `TermPacker` does the same for
 * many documents, faster.
 */
export function analyzeDocument(
  stored: string,
  language = 'en',
  weights?: Readonly<Record<string, number>>,
): AnalyzedDocument {
  let length = 0;
  const counts = new Map<string, number>();
  for (const { text, weight } of weightedPartsOf(stored, weights)) {
    const terms = documentTermsOf(text, language);
    length += weight * terms.length;
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + weight);
  }
  return { length, terms: counts };
}

const letters = /^[\p{L}\p{M}]{2,}$/u;
const english: readonly string[] = ['en'];

/**
 * Analyzes a query: the stems of its terms without stop words, counted. At most 256 stems of the first 16,384 characters. In an index
 * with several languages each word has the forms in which all of them index it, and, if one of them has a stemmer, its exact form; the stop words are those of the language that the
 * query is in, of the first language where that is unknown.
 */
export function analyzeQuery(text: string, languages = english): AnalyzedQuery {
  if (languages.length === 1 && languages[0] === 'en') {
    const [terms, weights]: [string[], number[]] = [[], []];
    for (const [term, count] of counted(queryTermsOf(beginning(text)).map(stemOf))) {
      if (terms.length === maxQueryTerms) break;
      terms.push(term);
      weights.push(count);
    }
    return { terms, weights };
  }
  const query = beginning(text);
  const language = languageOfQuery(query, languages);
  const all = markedTermsOf(query, true);
  const content = all.filter((term) => !isStop(term, language));
  const forms = new Map<string, Set<string>>();
  const counts = new Map<string, number>();
  const exact = new Map<string, number>();
  const isStemmed = languages.some((code) => code !== 'en' && languageOf(code).stemmer !== undefined);
  for (const term of content.length > 0 ? content : all) {
    const form = formOf(term, language);
    counts.set(form, (counts.get(form) ?? 0) + 1);
    const others = forms.get(form) ?? new Set();
    forms.set(form, others);
    const word = plainOf(term);
    for (const other of languages) others.add(formOf(term, other));
    // Also where it is its own stem: with other marks, which queries leave out, a word may have another one.
    if (isStemmed && letters.test(word)) exact.set(exactFormOf(word), (exact.get(exactFormOf(word)) ?? 0) + 1);
  }
  const [terms, weights]: [string[], number[]] = [[], []];
  for (const [form, count] of counts) {
    const others = [...(forms.get(form) as Set<string>)].filter((other) => other !== form);
    if (terms.length + 1 + others.length > maxQueryTerms) break;
    terms.push(form, ...others);
    weights.push(count, ...others.map(() => 0));
  }
  for (const [term, count] of exact) {
    if (terms.length === maxQueryTerms) break;
    terms.push(term);
    weights.push(count);
  }
  return { terms, weights };
}

function languageOfQuery(query: string, languages: readonly string[]): string {
  const [first = 'en'] = languages;
  if (languages.length === 1) return first;
  const detected = detectLanguage(query);
  return languages.includes(detected) ? detected : first;
}

function isStop(term: string, language: string): boolean {
  return language === 'en' ? isStopWord(withoutMarks(term)) : stemmerOf(language).isStopWord(term);
}

/** How a language indexes a term with its marks. */
function formOf(term: string, language: string): string {
  return language === 'en' ? stemOf(withoutMarks(term)) : stemmerOf(language).stemOf(term);
}

/** A term as it is written, without marks. */
function plainOf(term: string): string {
  return withoutMarks(term.isWellFormed() ? term : term.toWellFormed());
}

function counted(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}

/** The part of a query that is analyzed, without half a word at its end. */
function beginning(text: string): string {
  if (text.length <= maxQueryLength) return text;
  const cut = text.slice(0, maxQueryLength);
  return /\s/.test(text[maxQueryLength] as string) ? cut : cut.replace(/(?<=\s)\S+$/, '');
}
