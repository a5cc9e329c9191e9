import { Phrase } from '../../analysis/query/phrase.js';
import type { QueryClauses } from '../../analysis/query/query-syntax.js';
import type { DocumentSet, ReadSnapshot } from '../../backend/read-snapshot.js';
import { SemanticIndexError } from '../../errors.js';
import { prefixOf } from './query-prefixes.js';

/** Terms that an excluded prefix may stand for. */
const maxExcludedTerms = 65_536;

/** Documents that may be found, as far as terms show: of the order of words, their texts decide. */
export interface PhraseFilter {
  readonly documents: DocumentSet;
  /** Phrases that a text must have, and phrases that it must not have, each in one of the languages of the index. */
  readonly required: readonly (readonly Phrase[])[];
  readonly unwanted: readonly (readonly Phrase[])[];
}

/** Whether a query says which documents may be found. */
export function isFiltered({ phrases, excluded }: QueryClauses): boolean {
  const { words, phrases: excludedPhrases, prefixes } = excluded;
  return phrases.length + words.length + excludedPhrases.length + prefixes.length > 0;
}

/**
 * The documents of a snapshot that have all terms of the phrases of a query, and none of its excluded words and prefixes.
 *
 * @throws INVALID_ARGUMENT when an excluded prefix stands for too many terms.
 */
export async function filterByClauses(
  snapshot: ReadSnapshot,
  { phrases, excluded }: QueryClauses,
  signal: AbortSignal | undefined,
): Promise<PhraseFilter> {
  const { languages } = snapshot;
  const required = phrasesOf(phrases, languages);
  const unwanted = phrasesOf([...excluded.words, ...excluded.phrases], languages);
  const filter = {
    required: [...new Set(required.flatMap(([only, ...others]) => (others.length === 0 ? (only?.terms ?? []) : [])))],
    excluded: [
      ...unwanted.flatMap((phrase) => phrase.filter(isTerm).flatMap(({ terms }) => terms)),
      ...(await excludedTerms(snapshot, excluded.prefixes, signal)),
    ],
  };
  let documents = await snapshot.withTerms(filter, signal);
  for (const phrase of required) {
    if (phrase.length === 1) continue;
    // Without those that have it in none of the languages.
    let others = documents;
    for (const { terms } of phrase) others = others.without((await withAll(terms, others)).keys());
    documents = documents.without(others.keys());
  }
  for (const phrase of unwanted.flat()) {
    // Several terms in any order, such as emoji.
    if (isTerm(phrase) || !phrase.hasNoOrder) continue;
    documents = documents.without((await withAll(phrase.terms, documents)).keys());
  }
  return {
    documents,
    required: required.filter((phrase) => phrase.some(({ hasNoOrder }) => !hasNoOrder)),
    unwanted: unwanted
      .map((phrase) => phrase.filter(({ hasNoOrder }) => !hasNoOrder))
      .filter(({ length }) => length > 0),
  };

  function withAll(terms: readonly string[], among: DocumentSet): Promise<DocumentSet> {
    return snapshot.withTerms({ required: terms, excluded: [] }, signal, among);
  }
}

function isTerm({ hasNoOrder, terms }: Phrase): boolean {
  return hasNoOrder && terms.length === 1;
}

/** Phrases with terms, in each language: others, such as `...`, are in every text. */
function phrasesOf(texts: readonly string[], languages: readonly string[]): Phrase[][] {
  return texts
    .map((text) => languages.map((language) => new Phrase(text, language)).filter(({ terms }) => terms.length > 0))
    .filter(({ length }) => length > 0);
}

async function excludedTerms(
  snapshot: ReadSnapshot,
  prefixes: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const terms = prefixes.map(prefixOf).filter((prefix) => prefix !== undefined);
  if (terms.length === 0) return [];
  const lists = await snapshot.lookUpTerms({ terms, limit: maxExcludedTerms, signal });
  return lists.flatMap(({ terms, isCut }, place) => {
    if (isCut) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `search: the excluded prefix ${JSON.stringify(prefixes[place])} stands for more than ${maxExcludedTerms} terms`,
        { hint: 'Exclude a longer prefix.' },
      );
    }
    return terms.map(({ term }) => term);
  });
}
