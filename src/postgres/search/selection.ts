import type { DocumentSet } from '../../backend/read-snapshot.js';
import type { Condition } from '../tables/document-reads.js';
import type { Parameters } from '../tables/parameters.js';

/** A set of documents as a list of keys. */
export class KeySet implements DocumentSet {
  /** Ascending. */
  readonly list: readonly number[];

  constructor(list: readonly number[]) {
    this.list = list;
  }

  get size(): number {
    return this.list.length;
  }

  keys(): Iterable<number> {
    return this.list;
  }

  without(keys: Iterable<number>): KeySet {
    const gone = new Set(keys);
    return new KeySet(this.list.filter((key) => !gone.has(key)));
  }

  only(keys: Iterable<number>): KeySet {
    const kept = new Set(keys);
    return new KeySet(this.list.filter((key) => kept.has(key)));
  }
}

/** The documents that a search may find: all, those with some keys, or those that match a condition; and never some others. */
export class Selection {
  readonly keys: readonly number[] | undefined;
  readonly #condition: Condition | undefined;
  readonly #without: readonly number[];

  private constructor(
    keys: readonly number[] | undefined,
    condition: Condition | undefined,
    without: readonly number[] = [],
  ) {
    this.keys = keys;
    this.#condition = condition;
    this.#without = without;
  }

  static readonly all = new Selection(undefined, undefined);

  static of(keys: readonly number[]): Selection {
    return new Selection(keys, undefined);
  }

  static where(condition: Condition): Selection {
    return new Selection(undefined, condition);
  }

  without(keys: readonly number[]): Selection {
    if (keys.length === 0) return this;
    const gone = new Set(keys);
    if (this.keys !== undefined) return Selection.of(this.keys.filter((key) => !gone.has(key)));
    return new Selection(undefined, this.#condition, [...this.#without, ...keys]);
  }

  /** Those that are in the list as well. */
  within(keys: readonly number[]): Selection {
    const own = this.keys === undefined ? undefined : new Set(this.keys);
    const gone = new Set(this.#without);
    const both = keys.filter((key) => own?.has(key) !== false && !gone.has(key));
    return new Selection(both, this.#condition);
  }

  /** Whether the condition reads columns of documents other than the key. */
  get needsDocuments(): boolean {
    return this.#condition !== undefined;
  }

  /** Keys that are left out, where there is no list of keys. */
  get excluded(): readonly number[] {
    return this.#without;
  }

  get isAll(): boolean {
    return this.keys === undefined && this.#condition === undefined && this.#without.length === 0;
  }

  /** The condition as SQL. @param key column of the key. `d` must be the row of documents if `needsDocuments`. */
  sql(parameters: Parameters, key: string): string {
    const parts: string[] = [];
    if (this.keys !== undefined) parts.push(`${key} = ANY(${parameters.numbers(this.keys)})`);
    if (this.#condition !== undefined) parts.push(this.#condition(parameters));
    if (this.#without.length > 0) parts.push(`${key} <> ALL(${parameters.numbers(this.#without)})`);
    return parts.length === 0 ? 'true' : parts.join(' AND ');
  }
}
