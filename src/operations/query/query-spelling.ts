import { indexedTermsOf } from '../../analysis/analyze.js';
import { isExactForm, wordOfTerm } from '../../analysis/exact-forms.js';
import type { WordForms } from '../../analysis/query/word-forms.js';
import type { FoundTerm, QueryTerm, ReadSnapshot } from '../../backend/read-snapshot.js';
import { termsOfText } from '../../ranking/query-terms.js';
import type { CorrectedWord } from '../../types.js';
import { formsIn } from './forms-in-documents.js';
import { splitCompounds } from './split-compounds.js';

/** The terms of a query after correction. */
export interface CorrectedTerms {
  readonly terms: readonly QueryTerm[];
  /** As words are written; empty unless it was asked for. */
  readonly corrected: readonly CorrectedWord[];
}

/** Words, as opposed to numbers, names with signs, and scripts in which a letter stands for a word. */
const word =
  /^(?:(?!\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Script=Thai}|\p{Script=Lao}|\p{Script=Khmer}|\p{Script=Myanmar})[\p{L}\p{M}])+$/u;
/** Letters from which on a word may have one edit, or two. */
const [oneEdit, twoEdits] = [4, 8];
/** Documents in which the form of a word is looked up. */
const formSample = 8;

/**
 * Replaces the words of a query that occur in no document: compounds by their parts (see `splitCompounds`), others by the most similar words
 * that do: the fewest edits, then the most documents, then the order of their letters. Words are compared by their stems, and by their exact
 * forms where the index has these: an ending with a typo hides the stem. Undefined if nothing is replaced.
 *
 * @param kept terms that are not replaced: those of phrases.
 * @param isNoted whether the words are returned as they are written, for which texts are read.
 */
export async function correctSpelling(
  snapshot: ReadSnapshot,
  text: string,
  terms: readonly QueryTerm[],
  {
    kept,
    isNoted,
    signal,
  }: {
    readonly kept: ReadonlySet<string>;
    readonly isNoted: boolean;
    readonly signal: AbortSignal | undefined;
  },
): Promise<CorrectedTerms | undefined> {
  const written = exactFormsOf(terms, snapshot.languages);
  const words = new Map(
    terms.flatMap(({ forms, alternatives = [] }) => {
      const [term, ...others] = forms;
      if (term === undefined || others.length > 0 || isExactForm(term) || kept.has(term)) return [];
      const stems = [term, ...alternatives];
      const all = [...new Set([...stems, ...stems.flatMap((stem) => written.get(stem) ?? [])])];
      return all.some((form) => editsOf(form) > 0) ? [[term, all] as const] : [];
    }),
  );
  if (words.size === 0) return undefined;
  const single = [...new Set([...words.values()].flat())];
  const distances = single.map(editsOf);
  const sample = isNoted ? formSample : 0;
  const lists = await snapshot.lookUpTerms({
    terms: single,
    distances,
    skipsCounts: true,
    limit: 1,
    sample,
    signal,
  });
  const found = new Map(single.map((form, place) => [form, lists[place]?.terms[0]]));
  const missing = new Map<string, FoundTerm | undefined>();
  for (const [term, forms] of words) {
    const [best] = forms.flatMap((form) => found.get(form) ?? []).sort(byLikeness);
    if (best?.distance !== 0) missing.set(term, best);
  }
  const spelled = new Map([...missing.keys()].flatMap((term) => (written.get(term) ?? []).map((form) => [form, term])));
  const compounds = await splitCompounds(snapshot, [...spelled.keys()].map(wordOfTerm), { sample, signal });
  const parts = new Map(Array.from(spelled, ([form, term]) => [term, compounds.get(wordOfTerm(form))]));
  const replaced = new Map<string, readonly FoundTerm[]>();
  for (const [term, best] of missing) {
    const others = parts.get(term) ?? (best && [best]);
    if (others !== undefined) replaced.set(term, others);
  }
  if (replaced.size === 0) return undefined;
  return {
    terms: terms.flatMap((term) => {
      const others = term.forms.length === 1 ? replaced.get(term.forms[0] as string) : undefined;
      if (others === undefined) return [term];
      return others.flatMap((other): QueryTerm[] => {
        if (!isExactForm(other.term)) return [{ forms: [other.term], times: term.times }];
        return termsOfText(wordOfTerm(other.term), snapshot.languages).map((own) => ({ ...own, times: term.times }));
      });
    }),
    corrected: isNoted ? await correctedWords(snapshot, text, replaced, signal) : [],
  };
}

/** The exact forms in a query by the stems of their words. */
function exactFormsOf(terms: readonly QueryTerm[], languages: readonly string[]): Map<string, string[]> {
  const forms = new Map<string, string[]>();
  for (const form of terms.flatMap(({ forms }) => forms).filter(isExactForm)) {
    for (const stem of new Set(stemsOf(form, languages))) {
      forms.set(stem, [...(forms.get(stem) ?? []), form]);
    }
  }
  return forms;
}

async function correctedWords(
  snapshot: ReadSnapshot,
  text: string,
  replaced: ReadonlyMap<string, readonly FoundTerm[]>,
  signal: AbortSignal | undefined,
): Promise<CorrectedWord[]> {
  // With the stems of exact forms, by which the words of texts are known.
  const sampled = [...replaced.values()].flat().flatMap((found) => {
    if (!isExactForm(found.term)) return [found];
    return [...new Set(stemsOf(found.term, snapshot.languages))].map((term) => ({ ...found, term }));
  });
  const forms = await formsIn(snapshot, sampled, signal);
  const written = writtenForms(text, snapshot.languages);
  return Array.from(replaced, ([term, others]) => ({
    from: written.get(term) ?? term,
    to: others.map((other) => writtenAs(other, forms, snapshot.languages)).join(' '),
  }));
}

/** How a found term is written in documents. */
function writtenAs({ term }: FoundTerm, forms: WordForms, languages: readonly string[]): string {
  if (!isExactForm(term)) return forms.best(term) ?? term;
  const word = wordOfTerm(term);
  const written = stemsOf(term, languages).map((stem) => forms.best(stem, word));
  return written.find((form) => form !== undefined) ?? word;
}

/** The stems of the word of an exact form. */
function stemsOf(exactForm: string, languages: readonly string[]): string[] {
  const word = wordOfTerm(exactForm);
  return languages.flatMap((language) => indexedTermsOf(word, language));
}

/** As `lookUpTerms` orders the terms that are similar to one. */
function byLikeness(a: FoundTerm, b: FoundTerm): number {
  return a.distance - b.distance || b.documents - a.documents || (a.term < b.term ? -1 : 1);
}

function editsOf(term: string): number {
  const text = wordOfTerm(term);
  if (!word.test(text)) return 0;
  const letters = [...text].length;
  return letters < oneEdit ? 0 : letters < twoEdits ? 1 : 2;
}

/** The words of a query by their terms. */
function writtenForms(text: string, languages: readonly string[]): Map<string, string> {
  const forms = new Map<string, string>();
  for (const [word] of text.normalize('NFKC').matchAll(/[\p{L}\p{N}\p{M}_]+/gu)) {
    // The parts of an identifier are words by themselves.
    for (const language of languages) {
      const [whole, ...parts] = indexedTermsOf(word, language);
      if (whole !== undefined && !forms.has(whole)) forms.set(whole, word);
      for (const part of parts) if (!forms.has(part)) forms.set(part, part);
    }
  }
  return forms;
}
