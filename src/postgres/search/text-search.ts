import type { Statements } from '../connection/database.js';
import type { SchemaNames } from '../connection/schema.js';
import { Parameters } from '../tables/parameters.js';
import type { Selection } from './selection.js';
import type { Bm25, WeightedTerm, WeightedTerms } from './text-query.js';

/** A document with its BM25. */
export interface TextHit {
  readonly key: number;
  readonly score: number;
}

/** Documents that the first look at an index of terms should find, at least, and for each one that is wanted. */
const [minCandidates, candidatesPerHit] = [1_000, 8];
/** More than what a sum loses by rounding. */
const margin = 1 + 1e-9;

/**
 * Finds the documents with the highest BM25: the same as from scoring every document, and the same bits as the embedded store.
 */
export class TextSearch {
  readonly #statements: Statements;
  readonly #names: SchemaNames;

  constructor(statements: Statements, names: SchemaNames) {
    this.#statements = statements;
    this.#names = names;
  }

  /** The `limit` best documents, ties by key. */
  async best(weighted: WeightedTerms, bm25: Bm25, selection: Selection, limit: number): Promise<TextHit[]> {
    const { terms } = weighted;
    if (terms.length === 0) return [];
    if (selection.keys !== undefined) return this.#scored(terms, bm25, undefined, selection, limit);
    // Documents are looked up by the rarest terms alone. What has none of these scores less than the sum of the other weights (as a
    // term adds less than its weight), so it is not among the hits once the last of them has more (MaxScore: Turtle and Flood 1995).
    const rarestFirst = [...terms].sort((left, right) => left.documents - right.documents);
    const enough = Math.max(minCandidates, candidatesPerHit * limit);
    let gate = 0;
    for (let found = 0; gate < rarestFirst.length && found < enough; gate++) found += rarestFirst[gate]?.documents ?? 0;
    for (;;) {
      const hits = await this.#scored(terms, bm25, membersOf(rarestFirst.slice(0, gate)), selection, limit);
      if (gate === rarestFirst.length) return hits;
      const least = hits.length < limit ? 0 : (hits.at(-1)?.score ?? 0);
      if (weightOf(rarestFirst.slice(gate)) * margin < least) return hits;
      // With these scores known, the next look is the last one.
      do gate++;
      while (gate < rarestFirst.length && weightOf(rarestFirst.slice(gate)) * margin >= least);
    }
  }

  /** All documents that have a term, with their scores. */
  all(weighted: WeightedTerms, bm25: Bm25, selection: Selection): Promise<TextHit[]> {
    return this.#scored(weighted.terms, bm25, membersOf(weighted.terms), selection, undefined);
  }

  /** The scores of documents, by key; those without a term are missing. */
  async scores(
    weighted: WeightedTerms,
    bm25: Bm25,
    keys: readonly number[],
    selection: Selection,
  ): Promise<Map<number, number>> {
    const found = await this.#scored(weighted.terms, bm25, undefined, selection.within(keys), undefined);
    return new Map(found.map(({ key, score }) => [key, score]));
  }

  async #scored(
    terms: readonly WeightedTerm[],
    bm25: Bm25,
    gate: readonly string[] | undefined,
    selection: Selection,
    limit: number | undefined,
  ): Promise<TextHit[]> {
    if (terms.length === 0 || selection.keys?.length === 0) return [];
    const parameters = new Parameters();
    const frequencies = terms.map(({ members }, place) => `${frequencySql(members, parameters)} AS f${place}`);
    const rounder = parameters.float(bm25.rounder);
    const quantum = parameters.float(bm25.quantum);
    const scores = terms.map(({ weight }, place) => {
      const score = `${parameters.float(weight)} * (f${place} / (f${place} + norm))`;
      return `CASE WHEN f${place} > 0 THEN greatest((${score} + ${rounder}) - ${rounder}, ${quantum}) ELSE 0 END`;
    });
    const norm = `${parameters.float(bm25.base)} + ${parameters.float(bm25.perLength)} * p.length`;
    const join = selection.needsDocuments ? `JOIN ${this.#names.table('documents')} d ON d.key = p.key` : '';
    const has = gate === undefined ? 'true' : `p.terms && ${parameters.texts(gate)}`;
    const rows = await this.#statements.query(
      `SELECT key::float8, score FROM (
         SELECT key, ${scores.join(' + ')} AS score FROM (
           SELECT p.key, ${norm} AS norm, ${frequencies.join(', ')}
           FROM ${this.#names.table('postings')} p ${join} WHERE ${has} AND ${selection.sql(parameters, 'p.key')} OFFSET 0
         ) AS found OFFSET 0
       ) AS scored WHERE score > 0 ${limit === undefined ? '' : `ORDER BY score DESC, key LIMIT ${limit}`}`,
      parameters.values,
    );
    return rows as unknown as TextHit[];
  }
}

function frequencySql(members: readonly string[], parameters: Parameters): string {
  const one = (member: string): string =>
    `coalesce(p.frequencies[array_position(p.terms, ${parameters.bind(member)}::text COLLATE "C")], 0)`;
  return `(${members.map(one).join(' + ')})::float8`;
}

function membersOf(terms: readonly WeightedTerm[]): string[] {
  return terms.flatMap(({ members }) => members);
}

function weightOf(terms: readonly WeightedTerm[]): number {
  return terms.reduce((sum, { weight }) => sum + weight, 0);
}
