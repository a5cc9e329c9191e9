import { analyzeQuery } from '../analysis/analyze.js';
import { type QueryTerm, type RankQuery, type TermStatistics, termName } from '../backend/read-snapshot.js';
import { joined, packWeightedTerms } from '../terms/packed-query.js';

/** The terms of a query as the kernel takes them. */
export interface PackedTerms {
  readonly packed: Uint8Array;
  /** The name of each in `TermStatistics`; undefined for one that joins the one before. */
  readonly names: readonly (string | undefined)[];
}

/** The terms of a query; undefined for one by vector alone. */
export function packedTermsOf({ text, terms }: RankQuery, languages: readonly string[]): PackedTerms | undefined {
  if (terms !== undefined) return packedQueryTerms(terms);
  if (text === undefined) return undefined;
  const analyzed = analyzeQuery(text, languages);
  return { packed: packWeightedTerms(analyzed.terms, analyzed.weights), names: analyzed.terms };
}

export function packedQueryTerms(terms: readonly QueryTerm[]): PackedTerms {
  const [all, times, names]: [string[], number[], (string | undefined)[]] = [[], [], []];
  for (const { forms, times: own, alternatives = [] } of terms) {
    for (const [place, form] of forms.entries()) {
      all.push(form);
      times.push(place === 0 ? own : joined);
      names.push(place === 0 ? termName(forms) : undefined);
    }
    for (const form of alternatives) {
      all.push(form);
      times.push(0);
      names.push(form);
    }
  }
  return { packed: packWeightedTerms(all, times), names };
}

/** Statistics as the kernel takes them: documents, length, and the number of documents of each term. */
export function packedStatistics({ names }: PackedTerms, { documents, length, counts }: TermStatistics): Float64Array {
  const numbers = new Float64Array(2 + names.length);
  numbers.set([documents, length]);
  for (const [place, name] of names.entries()) if (name !== undefined) numbers[2 + place] = counts.get(name) ?? 0;
  return numbers;
}

/** The statistics of a snapshot for the terms of some queries, as `count` returns them for all of these together. */
export async function readStatistics(
  queries: readonly PackedTerms[],
  count: (terms: Uint8Array) => Promise<Float64Array>,
): Promise<TermStatistics> {
  const numbers = await count(Buffer.concat(queries.map(({ packed }) => packed)));
  const counts = new Map<string, number>();
  for (const [place, name] of queries.flatMap(({ names }) => names).entries()) {
    if (name !== undefined) counts.set(name, numbers[2 + place] as number);
  }
  return { documents: numbers[0] as number, length: numbers[1] as number, counts };
}
