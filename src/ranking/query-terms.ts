import { analyzeQuery } from '../analysis/analyze.js';
import type { QueryTerm } from '../backend/read-snapshot.js';

/** The terms of a text in the languages of an index. */
export function termsOfText(text: string, languages: readonly string[]): QueryTerm[] {
  const { terms, weights } = analyzeQuery(text, languages);
  const words: { forms: string[]; times: number; alternatives?: string[] }[] = [];
  for (const [place, term] of terms.entries()) {
    const times = weights[place] as number;
    const last = words.at(-1);
    if (times > 0 || last === undefined) words.push({ forms: [term], times });
    else last.alternatives = [...(last.alternatives ?? []), term];
  }
  return words;
}
