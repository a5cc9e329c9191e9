import { isExactForm } from '../../analysis/exact-forms.js';
import { TimeSlice } from '../../time-slice.js';
import type { Statements } from '../connection/database.js';
import type { SchemaNames } from '../connection/schema.js';

/** What similar terms have to be like. */
export interface SimilarNames {
  /** The characters of a term. */
  readonly characters: readonly string[];
  readonly maxDistance: number;
  /** Whether they begin with the same character. */
  readonly sameFirst: boolean;
}

/** A term with how many documents have it. */
export interface CountedTerm {
  readonly term: string;
  readonly documents: number;
}

/** Terms, with their characters as sets of 32 bits, which are compared first. */
interface NameList {
  readonly terms: CountedTerm[];
  readonly characters: number[];
}

/** The terms of a version of an index by their kind and number of characters. */
interface NameLists {
  readonly version: number;
  readonly stems: ReadonlyMap<number, NameList>;
  readonly exactForms: ReadonlyMap<number, NameList>;
}

/**
 * The terms of an open index, among which those similar to another one are. Asked for the second time without a write in between, they are
 * read as a whole, and kept until the next one.
 */
export class TermNames {
  readonly #table: string;
  #kept: NameLists | undefined;
  #lastVersion: number | undefined;

  constructor(names: SchemaNames) {
    this.#table = names.table('term_lists');
  }

  /** Terms that may be within some edits of another one, and others. */
  async like(
    wanted: SimilarNames,
    statements: Statements,
    version: number,
    signal: AbortSignal | undefined,
  ): Promise<CountedTerm[]> {
    if (this.#kept?.version !== version) {
      const isFirst = this.#lastVersion !== version;
      this.#lastVersion = version;
      if (isFirst) return this.#select(await this.#ofLength(wanted, statements, version, signal), wanted, signal);
      this.#kept = await this.#list(statements, 'true', [], version, signal);
    }
    return this.#select(this.#kept, wanted, signal);
  }

  #ofLength(
    { characters, maxDistance, sameFirst }: SimilarNames,
    statements: Statements,
    version: number,
    signal: AbortSignal | undefined,
  ): Promise<NameLists> {
    const { length } = characters;
    const begins = sameFirst ? 'AND term >= $3 AND term < $3 || chr(1114111) AND starts_with(term, $3)' : '';
    const values = [length - maxDistance, length + maxDistance, ...(sameFirst ? [characters[0] ?? ''] : [])];
    return this.#list(statements, `length(term) BETWEEN $1 AND $2 ${begins}`, values, version, signal);
  }

  async #list(
    statements: Statements,
    condition: string,
    values: readonly unknown[],
    version: number,
    signal: AbortSignal | undefined,
  ): Promise<NameLists> {
    const [row] = await statements.query(
      `SELECT string_agg(term, E'\\n') AS terms, string_agg(documents::text, ' ') AS counts
       FROM (SELECT term, sum(documents) AS documents FROM ${this.#table} WHERE ${condition} GROUP BY term) AS counted
       WHERE documents > 0`,
      values,
    );
    const counts = ((row?.counts as string | null) ?? '').split(' ');
    const [stems, exactForms] = [new Map<number, NameList>(), new Map<number, NameList>()];
    const slice = new TimeSlice();
    for (const [place, term] of ((row?.terms as string | null) ?? '').split('\n').entries()) {
      if (slice.due()) await slice.yieldIfDue(signal);
      const own = [...term];
      const lists = isExactForm(term) ? exactForms : stems;
      const list = lists.get(own.length) ?? { terms: [], characters: [] };
      lists.set(own.length, list);
      list.terms.push({ term, documents: Number(counts[place]) });
      list.characters.push(characterSet(own));
    }
    return { version, stems, exactForms };
  }

  async #select(
    { stems, exactForms }: NameLists,
    wanted: SimilarNames,
    signal: AbortSignal | undefined,
  ): Promise<CountedTerm[]> {
    const { characters, maxDistance, sameFirst } = wanted;
    const [length, first, own] = [characters.length, characters[0] ?? '', characterSet(characters)];
    const lists = isExactForm(characters.join('')) ? exactForms : stems;
    const slice = new TimeSlice();
    const found: CountedTerm[] = [];
    for (let size = Math.max(1, length - maxDistance); size <= length + maxDistance; size++) {
      const { terms, characters: sets } = lists.get(size) ?? { terms: [], characters: [] };
      // An edit changes the set of characters by one that goes and one that comes; one that changes the length by one of these.
      const maxBits = 2 * maxDistance - Math.abs(size - length);
      for (let place = 0; place < sets.length; place++) {
        if (place % 1_024 === 0 && slice.due()) await slice.yieldIfDue(signal);
        if (bitsOf(own ^ (sets[place] as number)) > maxBits) continue;
        const counted = terms[place] as CountedTerm;
        if (!sameFirst || counted.term.startsWith(first)) found.push(counted);
      }
    }
    return found;
  }
}

/** Characters as a set of 32 bits. */
function characterSet(characters: readonly string[]): number {
  let bits = 0;
  for (const character of characters) bits |= 1 << ((character.codePointAt(0) as number) & 31);
  return bits;
}

function bitsOf(word: number): number {
  let rest = word - ((word >>> 1) & 0x55555555);
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
