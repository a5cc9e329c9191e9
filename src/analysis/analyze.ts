import { stemOf } from './stem.js';
import { queryTermsOf, termsOf } from './terms.js';

/** The stems of a document. */
export interface AnalyzedDocument {
  /** Occurrences of all stems: the document length of BM25. */
  readonly length: number;
  /** How often each stem occurs, in the order of their first occurrences. */
  readonly terms: ReadonlyMap<string, number>;
}

/** The stems of a query, each once, in the order of their first occurrences. */
export interface AnalyzedQuery {
  readonly terms: readonly string[];
  /** How often each stem counts: its occurrences, and more for names (see `queryTermsOf`). */
  readonly weights: readonly number[];
}

/** Most stems of a query; those that follow are ignored. */
const maxQueryTerms = 256;
/** Only so much of a query is analyzed: a query that is a whole book costs no more than a page. */
const maxQueryLength = 16_384;

/** Analyzes a document: the stems of `termsOf`, counted. `TermPacker` does the same for many documents, faster. */
export function analyzeDocument(text: string): AnalyzedDocument {
  const terms = termsOf(text).map(stemOf);
  return { length: terms.length, terms: counted(terms) };
}

/** Analyzes a query: the stems of `queryTermsOf`, counted. At most 256 stems of the first 16,384 characters. */
export function analyzeQuery(text: string): AnalyzedQuery {
  const all = [...counted(queryTermsOf(beginning(text)).map(stemOf))].slice(0, maxQueryTerms);
  return { terms: all.map(([term]) => term), weights: all.map(([, count]) => count) };
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
