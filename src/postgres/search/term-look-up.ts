import type { FoundTerm, TermList, TermLookUp } from '../../backend/read-snapshot.js';
import { TimeSlice } from '../../time-slice.js';
import type { Statements } from '../connection/database.js';
import type { SchemaNames } from '../connection/schema.js';
import { Parameters } from '../tables/parameters.js';
import { type Postings, placeOfKey } from '../tables/postings.js';
import type { TermPostings } from '../tables/postings-cache.js';
import type { TermNames } from '../tables/term-names.js';
import { EditDistance } from './edit-distance.js';
import type { Selection } from './selection.js';

/** Bounds of a term that is looked up, those of native/kernel/terms/query/term_look_up.cpp. */
const [maxTermBytes, maxCharacters] = [32_768, 64];

/** Most documents that are tested against a condition one by one; for more, all keys that match are read. */
const maxTested = 10_000;
/** Documents of a term that are tested until one passes: at first, then times as many. */
const [testedFirst, testedMore] = [16, 8];

/** A term that may be found, with the documents that have it, whatever the filter is; or with those that pass it, and their keys, ascending. */
interface Candidate {
  readonly term: string;
  readonly distance: number;
  readonly documents: number;
  readonly keys?: Float64Array;
}

/** Looks terms up in the counts of terms; see `ReadSnapshot.lookUpTerms`. */
export class TermDictionary {
  readonly #statements: Statements;
  readonly #names: SchemaNames;
  readonly #postings: TermPostings;
  readonly #termNames: TermNames;
  readonly #version: number;
  /** Keys of a selection that is a condition, once they are read. */
  readonly #passing = new WeakMap<Selection, Promise<Float64Array>>();

  constructor(
    statements: Statements,
    names: SchemaNames,
    postings: TermPostings,
    termNames: TermNames,
    version: number,
  ) {
    this.#statements = statements;
    this.#names = names;
    this.#postings = postings;
    this.#termNames = termNames;
    this.#version = version;
  }

  async lookUp(lookUp: TermLookUp, selection: Selection): Promise<TermList[]> {
    const { terms, distances, limit, sample = 0, skipsCounts = false, signal } = lookUp;
    const isPossible = terms.map((term) => Buffer.byteLength(term) <= maxTermBytes && !term.includes('\0'));
    const possible = terms.filter((_, place) => isPossible[place]);
    const candidates =
      distances === undefined
        ? await this.#withPrefixes(possible, signal)
        : await this.#similar(possible, { ...lookUp, distances: distances.filter((_, place) => isPossible[place]) });
    const counted = selection.isAll ? candidates : await this.#counted(candidates, selection, skipsCounts);
    const lists: TermList[] = [];
    let at = 0;
    for (const is of isPossible)
      lists.push(await this.#choose(is ? (counted[at++] as Candidate[]) : [], limit, sample));
    return lists;
  }

  async #withPrefixes(prefixes: readonly string[], signal: AbortSignal | undefined): Promise<Candidate[][]> {
    const lists: Candidate[][] = [];
    for (const prefix of prefixes) {
      signal?.throwIfAborted();
      lists.push(await this.#withPrefix(prefix));
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

  /** For each term those within some edits; the term alone where a document has it. */
  async #similar(terms: readonly string[], { distances = [], sameFirst, signal }: TermLookUp): Promise<Candidate[][]> {
    const own = await this.#postings.united(terms.map((term) => [term]));
    const lists: Candidate[][] = [];
    for (const [place, term] of terms.entries()) {
      const count = own[place]?.keys.length ?? 0;
      const found: Candidate[] = count > 0 ? [{ term, documents: count, distance: 0 }] : [];
      lists.push(found);
      const [characters, maxDistance] = [[...term], distances[place] as number];
      if (count > 0 || maxDistance === 0 || characters.length > maxCharacters) continue;
      const slice = new TimeSlice();
      const wanted = { characters, maxDistance, sameFirst: sameFirst === true };
      const edits = new EditDistance(term, maxDistance);
      for (const other of await this.#termNames.like(wanted, this.#statements, this.#version, signal)) {
        const distance = edits.to(other.term);
        if (distance <= maxDistance) found.push({ ...other, distance });
        if (slice.due()) await slice.yieldIfDue(signal);
      }
    }
    return lists;
  }

  /** The best terms: by edits, then by number of documents of the selection, most first, then by bytes. */
  async #choose(candidates: Candidate[], limit: number, sample: number): Promise<TermList> {
    candidates.sort((a, b) => a.distance - b.distance || b.documents - a.documents || compareBytes(a.term, b.term));
    const terms: FoundTerm[] = [];
    for (const { term, distance, documents, keys } of candidates.slice(0, limit)) {
      const all = sample === 0 ? [] : (keys ?? (await this.#postings.of(term)).keys);
      terms.push({ term, distance, documents, keys: all.slice(0, sample) });
    }
    return { terms, isCut: candidates.length > limit };
  }

  /** For each list the candidates that documents of a selection have; the documents of all lists are tested at once. */
  async #counted(lists: readonly Candidate[][], selection: Selection, skipsCounts: boolean): Promise<Candidate[][]> {
    const all = lists.flat();
    const postings = await this.#postings.united(all.map(({ term }) => [term]));
    const keysOf = new Map(all.map(({ term }, place) => [term, (postings[place] as Postings).keys]));
    const [own, others] = [new Map<string, Float64Array>(), new Map<string, Float64Array>()];
    for (const { term, distance } of all) {
      (skipsCounts && distance === 0 ? own : others).set(term, keysOf.get(term) as Float64Array);
    }
    const passing = new Map(await this.#firstPassing(own, selection));
    const among = await this.#passingAmong([...others.values()], selection);
    for (const [term, keys] of others) passing.set(term, common(keys, among));
    return lists.map((candidates) =>
      candidates.flatMap((candidate) => {
        const keys = passing.get(candidate.term);
        return keys === undefined || keys.length === 0 ? [] : [{ ...candidate, documents: keys.length, keys }];
      }),
    );
  }

  /** For each list of keys one or more of a selection, ascending, if there are any: few keys are tested where many pass. */
  async #firstPassing(
    lists: ReadonlyMap<string, Float64Array>,
    selection: Selection,
  ): Promise<ReadonlyMap<string, Float64Array>> {
    const found = new Map<string, Float64Array>();
    let [start, end] = [0, testedFirst];
    for (let open = [...lists]; open.length > 0; [start, end] = [end, end * testedMore]) {
      const parts = open.map(([term, keys]) => [term, keys.subarray(start, end)] as const);
      const passing = await this.#passingAmong(
        parts.map(([, keys]) => keys),
        selection,
      );
      for (const [term, keys] of parts) {
        const own = common(keys, passing);
        if (own.length > 0) found.set(term, own);
      }
      open = open.filter(([term, keys]) => !found.has(term) && keys.length > end);
    }
    return found;
  }

  /** Keys of a selection, ascending: all of them, or those that are in one of the lists. */
  #passingAmong(lists: readonly Float64Array[], selection: Selection): Promise<Float64Array> {
    const listed = lists.reduce((sum, { length }) => sum + length, 0);
    if (listed === 0) return Promise.resolve(new Float64Array(0));
    if (selection.needsDocuments && listed <= maxTested) {
      return this.#readKeys(selection.within([...new Set(lists.flatMap((keys) => [...keys]))]));
    }
    let passing = this.#passing.get(selection);
    if (passing === undefined) {
      passing =
        selection.keys === undefined || selection.needsDocuments
          ? this.#readKeys(selection)
          : Promise.resolve(Float64Array.from(selection.keys).sort());
      this.#passing.set(selection, passing);
    }
    return passing;
  }

  async #readKeys(selection: Selection): Promise<Float64Array> {
    const parameters = new Parameters();
    const rows = await this.#statements.query(
      `SELECT d.key::float8 FROM ${this.#names.table('documents')} d WHERE ${selection.sql(parameters, 'd.key')} ORDER BY d.key`,
      parameters.values,
    );
    return Float64Array.from(rows, ({ key }) => key as number);
  }
}

/** Keys that are in both of two ascending lists. */
function common(left: Float64Array, right: Float64Array): Float64Array {
  return left.length < right.length
    ? left.filter((key) => placeOfKey(right, key) >= 0)
    : right.filter((key) => placeOfKey(left, key) >= 0);
}

function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
