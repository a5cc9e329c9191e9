import { isExactForm } from '../../analysis/exact-forms.js';
import { Phrase } from '../../analysis/query/phrase.js';
import type { QueryClauses } from '../../analysis/query/query-syntax.js';
import type { QueryTerm, ReadSnapshot } from '../../backend/read-snapshot.js';
import { termsOfText } from '../../ranking/query-terms.js';
import type { SnippetTerm } from '../../snippets/snippet-maker.js';
import { termsOfClauses } from '../query/rank-queries.js';

/** What snippets mark of a query, each with its inverse document frequency in the index. */
export interface SnippetTerms {
  readonly terms: readonly SnippetTerm[];
  readonly phrases: readonly { readonly text: string; readonly weight: number }[];
}

/**
 * What snippets mark of a query: its words, as they were searched for, with the terms that a prefix stands for as one, and its phrases. A
 * word that is only in a phrase is marked where the phrase is.
 *
 * @param searched terms of the query after expansion and correction; undefined for those of its analysis.
 */
export async function snippetTermsOf(
  snapshot: ReadSnapshot,
  { text, clauses }: { readonly text: string; readonly clauses?: QueryClauses | undefined },
  searched: readonly QueryTerm[] | undefined,
  signal: AbortSignal | undefined,
): Promise<SnippetTerms> {
  const { languages } = snapshot;
  const own = clauses === undefined ? undefined : await termsOfClauses(snapshot, clauses, undefined, signal);
  const all = searched ?? own ?? termsOfText(text, languages);
  const phrases = (clauses?.phrases ?? []).filter((phrase) => !hasNoOrder(phrase, languages));
  const inPhrases = new Set(phrases.flatMap((phrase) => termsOfText(phrase, languages).flatMap(formsOf)));
  const inWords = new Set(termsOfText(clauses?.words.join(' ') ?? '', languages).flatMap(formsOf));
  const words = all
    .map((term) => ({ forms: formsOf(term), times: term.times }))
    .filter(({ forms }) => forms.some((form) => !inPhrases.has(form) || inWords.has(form)));
  const ofPhrases = phrases.map((phrase) => termsOfText(phrase, languages));
  const weights = await weightsOf(snapshot, [...words, ...ofPhrases.flat()], signal);
  let place = words.length;
  return {
    terms: words.map(({ forms }, word) => ({ forms, weight: weights[word] as number })),
    phrases: ofPhrases.map((terms, phrase) => {
      const own = weights.slice(place, place + terms.length);
      place += terms.length;
      return { text: phrases[phrase] as string, weight: own.reduce((sum, weight) => sum + weight, 0) };
    }),
  };
}

/** The upper bound of the scores of a query of one term is its weight. */
async function weightsOf(
  snapshot: ReadSnapshot,
  terms: readonly QueryTerm[],
  signal: AbortSignal | undefined,
): Promise<number[]> {
  if (terms.length === 0) return [];
  const queries = terms.map((term) => ({ terms: [term] }));
  const ranked = await snapshot.rank({ queries, k: 1, depth: 1, signal });
  return ranked.map(({ maxTextScore }) => maxTextScore);
}

/** The forms of a term that texts show: exact forms are those of stems. */
function formsOf({ forms, alternatives = [] }: QueryTerm): string[] {
  return [...forms, ...alternatives].filter((form) => !isExactForm(form));
}

function hasNoOrder(phrase: string, languages: readonly string[]): boolean {
  return languages.every((language) => new Phrase(phrase, language).hasNoOrder);
}
