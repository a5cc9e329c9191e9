import { indexedTermsOf } from '../../analysis/analyze.js';
import type { FoundTerm, QueryTerm, ReadSnapshot } from '../../backend/read-snapshot.js';
import type { CorrectedWord } from '../../types.js';
import { formsIn } from './forms-in-documents.js';

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
 * Replaces the words of a query that occur in no document by the most similar ones that do: the fewest edits, then the most documents, then
 * the order of their letters. Undefined if nothing is replaced.
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
  const words = new Map(
    terms.flatMap(({ forms, alternatives = [] }) => {
      const [term, ...others] = forms;
      const isWord = term !== undefined && others.length === 0 && editsOf(term) > 0 && !kept.has(term);
      return isWord ? [[term, [...new Set([term, ...alternatives])]] as const] : [];
    }),
  );
  if (words.size === 0) return undefined;
  const single = [...new Set([...words.values()].flat())];
  const distances = single.map(editsOf);
  const sample = isNoted ? formSample : 0;
  const lists = await snapshot.lookUpTerms({ terms: single, distances, limit: 1, sample, signal });
  const found = new Map(single.map((form, place) => [form, lists[place]?.terms[0]]));
  const replaced = new Map(
    Array.from(words, ([term, forms]) => {
      const [best] = forms.flatMap((form) => found.get(form) ?? []).sort(byLikeness);
      return [term, best] as const;
    }).flatMap(([term, best]) => (best === undefined || best.distance === 0 ? [] : [[term, best] as const])),
  );
  if (replaced.size === 0) return undefined;
  return {
    terms: terms.map((term) => {
      const best = term.forms.length === 1 ? replaced.get(term.forms[0] as string) : undefined;
      return best === undefined ? term : { forms: [best.term], times: term.times };
    }),
    corrected: isNoted ? await correctedWords(snapshot, text, replaced, signal) : [],
  };
}

async function correctedWords(
  snapshot: ReadSnapshot,
  text: string,
  replaced: ReadonlyMap<string, FoundTerm>,
  signal: AbortSignal | undefined,
): Promise<CorrectedWord[]> {
  const forms = await formsIn(snapshot, [...replaced.values()], signal);
  const written = writtenForms(text, snapshot.languages);
  return Array.from(replaced, ([term, best]) => ({
    from: written.get(term) ?? term,
    to: forms.best(best.term) ?? best.term,
  }));
}

/** As `lookUpTerms` orders the terms that are similar to one. */
function byLikeness(a: FoundTerm, b: FoundTerm): number {
  return a.distance - b.distance || b.documents - a.documents || (a.term < b.term ? -1 : 1);
}

function editsOf(term: string): number {
  if (!word.test(term)) return 0;
  const letters = [...term].length;
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
