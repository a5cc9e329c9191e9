import { Phrase } from '../../analysis/phrase.js';
import type { QueryClauses } from '../../analysis/query-syntax.js';
import { termRunsOf } from '../../analysis/term-sequence.js';
import type { DocumentSet, ReadSnapshot } from '../../backend/read-snapshot.js';
import { SemanticIndexError } from '../../errors.js';
import { TimeSlice } from '../../time-slice.js';
import { prefixOf } from './query-prefixes.js';

/** Documents whose texts are read at once, and runs of a text between two looks at the clock. */
const [documentsAtOnce, runsPerLook] = [128, 64];
/** Terms that an excluded prefix may stand for. */
const maxExcludedTerms = 65_536;

/** Documents that may be found, as far as terms show: of the order of words, their texts decide. */
export interface PhraseFilter {
  readonly documents: DocumentSet;
  /** Phrases that a text must have, and phrases that it must not have. */
  readonly required: readonly Phrase[];
  readonly unwanted: readonly Phrase[];
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
  const required = phrasesOf(phrases);
  const unwanted = phrasesOf([...excluded.words, ...excluded.phrases]);
  const filter = {
    required: [...new Set(required.flatMap(({ terms }) => terms))],
    excluded: [
      ...unwanted.filter(isTerm).flatMap(({ terms }) => terms),
      ...(await excludedTerms(snapshot, excluded.prefixes, signal)),
    ],
  };
  let documents = await snapshot.withTerms(filter, signal);
  for (const phrase of unwanted) {
    // Several terms in any order, such as emoji.
    if (isTerm(phrase) || !phrase.hasNoOrder) continue;
    documents = documents.without(
      (await snapshot.withTerms({ required: phrase.terms, excluded: [] }, signal, documents)).keys(),
    );
  }
  return {
    documents,
    required: required.filter(({ hasNoOrder }) => !hasNoOrder),
    unwanted: unwanted.filter(({ hasNoOrder }) => !hasNoOrder),
  };
}

/** Those of some documents whose texts the phrases of a filter exclude. Texts are read and analyzed in slices. */
export async function excludedByText(
  snapshot: ReadSnapshot,
  { required, unwanted }: PhraseFilter,
  keys: readonly number[],
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const slice = new TimeSlice();
  const excluded: number[] = [];
  for (let first = 0; first < keys.length; first += documentsAtOnce) {
    for (const document of await snapshot.byKeys(keys.slice(first, first + documentsAtOnce), signal)) {
      if (slice.due()) await slice.yieldIfDue(signal);
      if (document === undefined) continue;
      const wanted = required.map((phrase) => phrase.search());
      const forbidden = unwanted.map((phrase) => phrase.search());
      let runs = 0;
      for (const run of termRunsOf(document.text)) {
        if (++runs % runsPerLook === 0 && slice.due()) await slice.yieldIfDue(signal);
        let isDone = forbidden.length === 0;
        for (const search of wanted) if (!search.add(run)) isDone = false;
        for (const search of forbidden) if (search.add(run)) isDone = true;
        if (isDone) break;
      }
      if (forbidden.some(({ found }) => found) || wanted.some(({ found }) => !found)) excluded.push(document.key);
    }
  }
  return excluded;
}

function isTerm({ hasNoOrder, terms }: Phrase): boolean {
  return hasNoOrder && terms.length === 1;
}

/** Phrases with terms: others, such as `...`, are in every text. */
function phrasesOf(texts: readonly string[]): Phrase[] {
  return texts.map((text) => new Phrase(text)).filter(({ terms }) => terms.length > 0);
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
