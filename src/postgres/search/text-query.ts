import { analyzeQuery } from '../../analysis/analyze.js';
import { exactFormWeight, isExactForm } from '../../analysis/exact-forms.js';
import { type QueryTerm, type RankQuery, type TermStatistics, termName } from '../../backend/read-snapshot.js';
import type { TermPostings } from '../tables/postings-cache.js';

/** Terms that count as one: a document has them as often as all of them together. */
export interface WeightedTerm {
  readonly members: readonly string[];
  readonly weight: number;
  /** Documents that have it. */
  readonly documents: number;
}

/** The sizes that scores depend on. */
export interface CollectionSizes {
  readonly documents: number;
  /** Sum of the lengths of all documents. */
  readonly length: number;
}

/** A term of a query as it is weighed: `times` 0 is another form of the last one that counts. */
interface PackedTerm {
  readonly term: string;
  readonly times: number;
  /** One with the term before it. */
  readonly joins: boolean;
}

/** The terms of a query in the form of native/kernel/terms/query/terms_query.cpp, which this mirrors. */
export class TextQuery {
  /** Distinct terms in the order of the query. */
  readonly terms: readonly string[];
  /** Terms that are several as one, behind the others. */
  readonly unions: readonly (readonly string[])[];
  readonly #times: readonly number[];
  /** Other forms of terms that count: numbers of both. */
  readonly #forms: ReadonlyMap<number, ReadonlySet<number>>;

  constructor(packed: readonly PackedTerm[]) {
    const numbers = new Map<string, number>();
    const times: number[] = [];
    const forms = new Map<number, Set<number>>();
    let counted = 0;
    const alone = packed.filter(({ joins }, place) => !joins && packed[place + 1]?.joins !== true);
    for (const [place, { term, times: own }] of alone.entries()) {
      let number = numbers.get(term);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(term, number);
        times.push(0);
      }
      times[number] = (times[number] as number) + own;
      if (own > 0) counted = number;
      else if (place > 0 && number !== counted) forms.set(counted, (forms.get(counted) ?? new Set()).add(number));
    }
    const unions: string[][] = [];
    for (const [place, { term, times: own, joins }] of packed.entries()) {
      if (joins) {
        if (place > 0) unions.at(-1)?.push(term);
      } else if (packed[place + 1]?.joins === true) {
        unions.push([term]);
        times.push(own);
      }
    }
    this.terms = [...numbers.keys()];
    this.unions = unions;
    this.#times = times;
    this.#forms = forms;
  }

  /** The terms of a query; undefined for one by vector alone. */
  static of({ text, terms }: RankQuery, languages: readonly string[]): TextQuery | undefined {
    if (terms !== undefined) return TextQuery.ofTerms(terms);
    if (text === undefined) return undefined;
    const analyzed = analyzeQuery(text, languages);
    return TextQuery.ofWeights(analyzed.terms.map((term, place) => [term, analyzed.weights[place] as number]));
  }

  static ofTerms(terms: readonly QueryTerm[]): TextQuery {
    return new TextQuery(packedTerms(terms));
  }

  static ofWeights(terms: readonly (readonly [term: string, times: number])[]): TextQuery {
    return new TextQuery(terms.map(([term, times]) => ({ term, times, joins: false })));
  }

  /** Weighs the terms by how rare they are. */
  weigh({ documents, counts }: TermStatistics): WeightedTerms {
    const all = [...this.terms.map((term) => [term]), ...this.unions];
    const living = all.map((members) => counts.get(termName(members)) ?? 0);
    const weights = all.map(() => 0);
    let [maxScore, squaredWeight, missingTerms] = [0, 0, 0];
    for (const number of all.keys()) {
      const times = this.#times[number] as number;
      if (times === 0) continue;
      const forms = [...(this.#forms.get(number) ?? [])].sort((a, b) => a - b);
      const found = forms.reduce((sum, form) => sum + (living[form] as number), living[number] as number);
      const isExact = isExactForm((all[number] as readonly string[])[0] as string);
      const rarity = inverseDocumentFrequency(documents, Math.min(documents, found));
      const weight = times * rarity * (isExact ? exactFormWeight : 1);
      if (!isExact || found > 0) maxScore += weight;
      if (found > 0) squaredWeight += weight * weight;
      if (!isExact && found === 0) missingTerms++;
      for (const one of [number, ...forms]) {
        if ((living[one] as number) > 0) weights[one] = (weights[one] as number) + weight;
      }
    }
    const weighted: WeightedTerm[] = [];
    let total = 0;
    for (const [number, members] of all.entries()) {
      const weight = weights[number] as number;
      total += weight;
      if (weight > 0) weighted.push({ members, weight, documents: living[number] as number });
    }
    return { terms: weighted, maxScore, squaredWeight, missingTerms, total };
  }
}

/** The weights of a query's terms in a snapshot. */
export interface WeightedTerms {
  /** Those that a document has. */
  readonly terms: readonly WeightedTerm[];
  /** What a document with all terms would approach. */
  readonly maxScore: number;
  /** Sum of the squared weights of the terms of the query that some document has. */
  readonly squaredWeight: number;
  readonly missingTerms: number;
  /** Sum of the weights: no score is above it. */
  readonly total: number;
}

function packedTerms(terms: readonly QueryTerm[]): PackedTerm[] {
  return terms.flatMap(({ forms, times, alternatives = [] }) => [
    ...forms.map((term, place) => ({ term, times: place === 0 ? times : 0, joins: place > 0 })),
    ...alternatives.map((term) => ({ term, times: 0, joins: false })),
  ]);
}

/** ln(1 + (N - df + 0.5) / (df + 0.5)), as Lucene has it. */
function inverseDocumentFrequency(documents: number, frequency: number): number {
  return Math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5));
}

/** Reads how many documents have the terms of some queries. */
export async function readStatistics(
  postings: TermPostings,
  { documents, length }: CollectionSizes,
  queries: readonly TextQuery[],
): Promise<TermStatistics> {
  const all = queries.flatMap((query) => [...query.terms.map((term) => [term]), ...query.unions]);
  const lists = await postings.united(all);
  const counts = new Map(all.map((members, place) => [termName(members), lists[place]?.keys.length ?? 0]));
  return { documents, length, counts };
}
