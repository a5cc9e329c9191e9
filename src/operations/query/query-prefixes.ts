import { indexedTermsOf } from '../../analysis/analyze.js';
import { termsOf } from '../../analysis/terms.js';
import type { FoundTerm, ReadSnapshot } from '../../backend/read-snapshot.js';
import { formsIn } from './forms-in-documents.js';

/** The terms that a prefix of a query stands for. */
export interface ExpandedPrefix {
  readonly prefix: string;
  /** The most frequent ones. */
  readonly terms: readonly FoundTerm[];
  /** Whether there are more. */
  readonly isCut: boolean;
}

/** Letters that a shorter stem must have. */
const minStem = 3;
/** Documents in which the forms of a shorter stem are looked up. */
const formSample = 32;

/** The beginning of terms that a prefix stands for: its last word, as words are indexed; undefined if it has none. */
export function prefixOf(prefix: string): string | undefined {
  const terms = termsOf(prefix);
  return terms.length === 1 ? terms[0] : termsOf(/[\p{L}\p{N}\p{M}_]+$/u.exec(prefix)?.[0] ?? '')[0];
}

/**
 * Expands prefixes over the terms of all documents that pass the filter: terms that begin with it, and stems that are shorter than it or
 * differ at its end, of which a document has a form that begins with it (`connecti*` finds `connect`, which is the stem of
 * `connection`). Of these forms, the first 32 documents with the stem decide.
 */
export async function expandPrefixes(
  snapshot: ReadSnapshot,
  prefixes: readonly string[],
  { limit, sample = 0, signal }: { limit: number; sample?: number; signal: AbortSignal | undefined },
): Promise<ExpandedPrefix[]> {
  const begins = prefixes.map((prefix) => prefixOf(prefix) ?? '');
  const longer = await snapshot.lookUpTerms({ terms: begins.filter((begin) => begin !== ''), limit, sample, signal });
  const expanded: ExpandedPrefix[] = [];
  let place = 0;
  for (const begin of begins) {
    const prefix = prefixes[expanded.length] as string;
    if (begin === '') {
      expanded.push({ prefix, terms: [], isCut: false });
      continue;
    }
    const list = longer[place++];
    const shorter = await shorterStems(snapshot, begin, signal);
    const terms = [...(list?.terms ?? []), ...shorter].sort(byFrequency);
    expanded.push({ prefix, terms: terms.slice(0, limit), isCut: (list?.isCut ?? false) || terms.length > limit });
  }
  return expanded;
}

/** Stems that do not begin with `begin`, though a word with the stem does. */
async function shorterStems(
  snapshot: ReadSnapshot,
  begin: string,
  signal: AbortSignal | undefined,
): Promise<FoundTerm[]> {
  if (!/^[\p{L}\p{M}]+$/u.test(begin)) return [];
  const possible = new Set(snapshot.languages.flatMap((language) => indexedTermsOf(begin, language)));
  for (let length = minStem; length < begin.length; length++) {
    possible.add(begin.slice(0, length));
    // Stemmers exchange a last y for an i.
    possible.add(`${begin.slice(0, length)}i`);
  }
  const terms = [...possible].filter((term) => !term.startsWith(begin));
  if (terms.length === 0) return [];
  const distances = terms.map(() => 0);
  const lists = await snapshot.lookUpTerms({ terms, distances, limit: 1, sample: formSample, signal });
  const found = lists.flatMap(({ terms }) => terms);
  if (found.length === 0) return [];
  const forms = await formsIn(snapshot, found, signal);
  return found.filter(({ term }) => forms.best(term, begin) !== undefined);
}

function byFrequency(a: FoundTerm, b: FoundTerm): number {
  return b.documents - a.documents || (a.term < b.term ? -1 : 1);
}
