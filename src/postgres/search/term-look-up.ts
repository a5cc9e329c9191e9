import { isExactForm } from '../../analysis/exact-forms.js';
import type { FoundTerm, TermList, TermLookUp } from '../../backend/read-snapshot.js';
import { TimeSlice } from '../../time-slice.js';
import type { Statements } from '../connection/database.js';
import type { SchemaNames } from '../connection/schema.js';
import { Parameters } from '../tables/parameters.js';
import { placeOfKey } from '../tables/postings.js';
import type { TermPostings } from '../tables/postings-cache.js';
import type { Selection } from './selection.js';

/** Bounds of a term that is looked up, those of native/kernel/terms/query/term_look_up.cpp. */
const [maxTermBytes, maxCharacters] = [32_768, 64];

/** A term that may be found, with the documents that have it, whatever the filter is. */
interface Candidate {
  readonly term: string;
  readonly distance: number;
  readonly documents: number;
}

/** Looks terms up in the counts of terms; see `ReadSnapshot.lookUpTerms`. */
export class TermDictionary {
  readonly #statements: Statements;
  readonly #names: SchemaNames;
  readonly #postings: TermPostings;
  /** Keys of a selection that is a condition, once they are read. */
  readonly #passing = new WeakMap<Selection, Promise<Float64Array>>();

  constructor(statements: Statements, names: SchemaNames, postings: TermPostings) {
    this.#statements = statements;
    this.#names = names;
    this.#postings = postings;
  }

  async lookUp(lookUp: TermLookUp, selection: Selection): Promise<TermList[]> {
    const { terms, distances, limit, sample = 0, signal } = lookUp;
    const lists: TermList[] = [];
    for (const [place, term] of terms.entries()) {
      signal?.throwIfAborted();
      const isTooLong = Buffer.byteLength(term) > maxTermBytes || term.includes('\0');
      const candidates = isTooLong
        ? []
        : distances === undefined
          ? await this.#withPrefix(term)
          : await this.#similar(term, distances[place] as number, lookUp.sameFirst === true, signal);
      lists.push(await this.#choose(candidates, selection, limit, sample));
    }
    return lists;
  }

  async #withPrefix(prefix: string): Promise<Candidate[]> {
    const rows = await this.#statements.query(
      `SELECT term, sum(documents)::float8 AS documents FROM ${this.#names.table('term_lists')}
       WHERE term >= $1 AND starts_with(term, $1) GROUP BY term HAVING sum(documents) > 0`,
      [prefix],
    );
    return rows.map(({ term, documents }) => ({ term, documents, distance: 0 }));
  }

  /** Terms within some edits; the term alone where a document has it. */
  async #similar(
    term: string,
    maxDistance: number,
    sameFirst: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Candidate[]> {
    const characters = [...term];
    if (characters.length > maxCharacters) return [];
    const table = this.#names.table('term_lists');
    const [same] = await this.#statements.query(
      `SELECT sum(documents)::float8 AS documents FROM ${table} WHERE term = $1 HAVING sum(documents) > 0`,
      [term],
    );
    if (same !== undefined) return [{ term, documents: same.documents, distance: 0 }];
    if (maxDistance === 0) return [];
    const [first = ''] = characters;
    const [row] = await this.#statements.query(
      `SELECT string_agg(term, E'\\n') AS terms FROM (SELECT DISTINCT term FROM ${table}
       WHERE length(term) BETWEEN $1 AND $2 ${sameFirst ? 'AND term >= $3 AND term < $3 || chr(1114111) AND starts_with(term, $3)' : ''}) AS found`,
      [characters.length - maxDistance, characters.length + maxDistance, ...(sameFirst ? [first] : [])],
    );
    const slice = new TimeSlice();
    const own = characterSet(term);
    const near = new Map<string, number>();
    for (const other of ((row?.terms as string | null) ?? '').split('\n')) {
      if (isExactForm(other) !== isExactForm(term)) continue;
      // An edit changes the set of characters by one that goes and one that comes.
      if (bitsOf(own ^ characterSet(other)) > 2 * maxDistance) continue;
      const distance = editDistance(characters, [...other], maxDistance);
      if (distance <= maxDistance) near.set(other, distance);
      if (slice.due()) await slice.yieldIfDue(signal);
    }
    if (near.size === 0) return [];
    const rows = await this.#statements.query(
      `SELECT term, sum(documents)::float8 AS documents FROM ${table} WHERE term = ANY($1::text[]) GROUP BY term HAVING sum(documents) > 0`,
      [[...near.keys()]],
    );
    return rows.map((found) => ({
      term: found.term,
      documents: found.documents,
      distance: near.get(found.term as string) as number,
    }));
  }

  /** The best terms: by edits, then by number of documents of the selection, most first, then by bytes. */
  async #choose(candidates: Candidate[], selection: Selection, limit: number, sample: number): Promise<TermList> {
    const counted = selection.isAll ? candidates : await this.#counted(candidates, selection);
    counted.sort((a, b) => a.distance - b.distance || b.documents - a.documents || compareBytes(a.term, b.term));
    const terms: FoundTerm[] = [];
    for (const { term, distance, documents } of counted.slice(0, limit)) {
      const keys = sample === 0 ? [] : await this.#firstKeys(term, selection, sample);
      terms.push({ term, distance, documents, keys });
    }
    return { terms, isCut: counted.length > limit };
  }

  async #counted(candidates: readonly Candidate[], selection: Selection): Promise<Candidate[]> {
    await this.#postings.load(candidates.map(({ term }) => term));
    const counted: Candidate[] = [];
    for (const candidate of candidates) {
      const documents = (await this.#keys(candidate.term, selection)).length;
      if (documents > 0) counted.push({ ...candidate, documents });
    }
    return counted;
  }

  async #firstKeys(term: string, selection: Selection, count: number): Promise<ArrayLike<number> & Iterable<number>> {
    return (await this.#keys(term, selection)).slice(0, count);
  }

  /** Keys of the documents of a selection that have a term, ascending. */
  async #keys(term: string, selection: Selection): Promise<Float64Array> {
    const { keys } = await this.#postings.of(term);
    if (selection.isAll) return keys;
    const passing = await this.#keysOf(selection);
    return passing.length < keys.length
      ? passing.filter((key) => placeOfKey(keys, key) >= 0)
      : keys.filter((key) => placeOfKey(passing, key) >= 0);
  }

  #keysOf(selection: Selection): Promise<Float64Array> {
    let passing = this.#passing.get(selection);
    if (passing === undefined) {
      passing = this.#readKeys(selection);
      this.#passing.set(selection, passing);
    }
    return passing;
  }

  async #readKeys(selection: Selection): Promise<Float64Array> {
    if (selection.keys !== undefined) return Float64Array.from(selection.keys).sort();
    const parameters = new Parameters();
    const rows = await this.#statements.query(
      `SELECT d.key::float8 FROM ${this.#names.table('documents')} d WHERE ${selection.sql(parameters, 'd.key')} ORDER BY d.key`,
      parameters.values,
    );
    return Float64Array.from(rows, ({ key }) => key as number);
  }
}

/** The characters of a term as a set of 32 bits. */
function characterSet(term: string): number {
  let bits = 0;
  for (const character of term) bits |= 1 << ((character.codePointAt(0) as number) & 31);
  return bits;
}

function bitsOf(word: number): number {
  let rest = word - ((word >>> 1) & 0x55555555);
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/**
 * Distance by optimal string alignment (Damerau 1964, Boytsov 2011): insertions, deletions, substitutions and transpositions of adjacent
 * characters, none of them edited twice. More than `max` where it is more.
 */
function editDistance(left: readonly string[], right: readonly string[], max: number): number {
  if (Math.abs(left.length - right.length) > max) return max + 1;
  let before: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    let least = row;
    for (let column = 1; column <= right.length; column++) {
      const isSame = left[row - 1] === right[column - 1];
      let edits = Math.min(
        (previous[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (previous[column - 1] as number) + (isSame ? 0 : 1),
      );
      const isSwapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (isSwapped) edits = Math.min(edits, (before[column - 2] as number) + 1);
      current.push(edits);
      least = Math.min(least, edits);
    }
    if (least > max) return max + 1;
    before = previous;
    previous = current;
  }
  return previous[right.length] as number;
}
