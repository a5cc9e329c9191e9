import { stemOf } from '../../analysis/stem.js';
import { termsOf } from '../../analysis/terms.js';
import type { QueryTerm, ReadSnapshot } from '../../backend/read-snapshot.js';
import type { CorrectedWord } from '../../types.js';
import { formsIn } from './forms-in-documents.js';

/** The terms of a query after correction. */
export interface CorrectedTerms {
  readonly terms: readonly QueryTerm[];
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
 */
export async function correctSpelling(
  snapshot: ReadSnapshot,
  text: string,
  terms: readonly QueryTerm[],
  { kept, signal }: { readonly kept: ReadonlySet<string>; readonly signal: AbortSignal | undefined },
): Promise<CorrectedTerms | undefined> {
  const single = [...new Set(terms.flatMap(({ forms }) => (forms.length === 1 ? forms : [])))].filter(
    (term) => editsOf(term) > 0 && !kept.has(term),
  );
  if (single.length === 0) return undefined;
  const distances = single.map(editsOf);
  const lists = await snapshot.lookUpTerms({ terms: single, distances, limit: 1, sample: formSample, signal });
  const found = lists.map(({ terms: [best] }) => best);
  const replaced = new Map(
    single.flatMap((term, place) => {
      const best = found[place];
      return best === undefined || best.distance === 0 ? [] : [[term, best] as const];
    }),
  );
  if (replaced.size === 0) return undefined;
  const forms = await formsIn(snapshot, [...replaced.values()], signal);
  const written = writtenForms(text);
  return {
    terms: terms.map((term) => {
      const best = term.forms.length === 1 ? replaced.get(term.forms[0] as string) : undefined;
      return best === undefined ? term : { ...term, forms: [best.term] };
    }),
    corrected: Array.from(replaced, ([term, best]) => ({
      from: written.get(term) ?? term,
      to: forms.best(best.term) ?? best.term,
    })),
  };
}

function editsOf(term: string): number {
  if (!word.test(term)) return 0;
  const letters = [...term].length;
  return letters < oneEdit ? 0 : letters < twoEdits ? 1 : 2;
}

/** The words of a query by their terms. */
function writtenForms(text: string): Map<string, string> {
  const forms = new Map<string, string>();
  for (const [word] of text.normalize('NFKC').matchAll(/[\p{L}\p{N}\p{M}_]+/gu)) {
    // The parts of an identifier are words by themselves.
    const [whole, ...parts] = termsOf(word).map(stemOf);
    if (whole !== undefined && !forms.has(whole)) forms.set(whole, word);
    for (const part of parts) if (!forms.has(part)) forms.set(part, part);
  }
  return forms;
}
