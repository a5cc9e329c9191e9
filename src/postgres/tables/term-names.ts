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

/** The terms of a version of an index, with what is compared first. */
interface NameList {
  readonly version: number;
  readonly names: readonly string[];
  /** Numbers of characters, at most 255. */
  readonly lengths: Uint8Array;
  readonly characters: Uint32Array;
}

/**
 * The terms of an open index, among which those similar to another one are. Asked for the second time without a write in between, they are
 * read as a whole, and kept until the next one.
 */
export class TermNames {
  readonly #table: string;
  #kept: NameList | undefined;
  #lastVersion: number | undefined;

  constructor(names: SchemaNames) {
    this.#table = names.table('term_lists');
  }

  /** Terms that may be within some edits of another one, and others; also some that no document has any more. */
  async like(
    wanted: SimilarNames,
    statements: Statements,
    version: number,
    signal: AbortSignal | undefined,
  ): Promise<string[]> {
    if (this.#kept?.version !== version) {
      const isFirst = this.#lastVersion !== version;
      this.#lastVersion = version;
      if (isFirst) return this.#select(await this.#ofLength(wanted, statements, version, signal), wanted, signal);
      const text = `SELECT string_agg(term, E'\\n') AS terms FROM (SELECT DISTINCT term FROM ${this.#table}) AS found`;
      this.#kept = await this.#list(statements, text, [], version, signal);
    }
    return this.#select(this.#kept, wanted, signal);
  }

  #ofLength(
    { characters, maxDistance, sameFirst }: SimilarNames,
    statements: Statements,
    version: number,
    signal: AbortSignal | undefined,
  ): Promise<NameList> {
    const { length } = characters;
    const begins = sameFirst ? 'AND term >= $3 AND term < $3 || chr(1114111) AND starts_with(term, $3)' : '';
    const text = `SELECT string_agg(term, E'\\n') AS terms FROM (SELECT DISTINCT term FROM ${this.#table}
       WHERE length(term) BETWEEN $1 AND $2 ${begins}) AS found`;
    const values = [length - maxDistance, length + maxDistance, ...(sameFirst ? [characters[0] ?? ''] : [])];
    return this.#list(statements, text, values, version, signal);
  }

  async #list(
    statements: Statements,
    text: string,
    values: readonly unknown[],
    version: number,
    signal: AbortSignal | undefined,
  ): Promise<NameList> {
    const [row] = await statements.query(text, values);
    const names = ((row?.terms as string | null) ?? '').split('\n').filter((name) => name !== '');
    const [lengths, characters] = [new Uint8Array(names.length), new Uint32Array(names.length)];
    const slice = new TimeSlice();
    for (const [place, name] of names.entries()) {
      const own = [...name];
      lengths[place] = Math.min(255, own.length);
      characters[place] = characterSet(own);
      if (slice.due()) await slice.yieldIfDue(signal);
    }
    return { version, names, lengths, characters };
  }

  async #select(
    { names, lengths, characters }: NameList,
    wanted: SimilarNames,
    signal: AbortSignal | undefined,
  ): Promise<string[]> {
    const { length } = wanted.characters;
    const first = wanted.characters[0] ?? '';
    const isExact = isExactForm(wanted.characters.join(''));
    const own = characterSet(wanted.characters);
    const slice = new TimeSlice();
    const found: string[] = [];
    for (let place = 0; place < names.length; place++) {
      if (place % 1_024 === 0 && slice.due()) await slice.yieldIfDue(signal);
      if (Math.abs((lengths[place] as number) - length) > wanted.maxDistance) continue;
      // An edit changes the set of characters by one that goes and one that comes.
      if (bitsOf(own ^ (characters[place] as number)) > 2 * wanted.maxDistance) continue;
      const name = names[place] as string;
      if (wanted.sameFirst && !name.startsWith(first)) continue;
      if (isExactForm(name) === isExact) found.push(name);
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
