import type { GroupKey } from '../backend/field-reading.js';
import type { Scalar } from '../backend/filter-tree.js';
import { TimeSlice } from '../time-slice.js';
import { type Bitset, createBitset } from '../vectors/bitset.js';
import { instantOf } from './instant.js';
import { type ValueLevels, valueLevels } from './value-levels.js';

/** Items between two looks at the clock. */
export const itemsPerLook = 4096;

/** The greatest number of each item of a part, NaN for none; the greatest of all, and whether some have none. */
export interface ItemInstants {
  readonly ofItems: Float64Array;
  readonly greatest: number;
  readonly lacksSome: boolean;
}

/** The same, divided into levels. */
export interface LeveledInstants extends ItemInstants {
  readonly levels: ValueLevels;
}

/** What every document of a part has in one field: scalars, each once. Immutable. */
export class FieldColumn {
  /** Distinct values; the number of a value is its place here. */
  readonly values: readonly Scalar[];
  /** For each item the end of its numbers in `numbers`; they begin where those of the item before end. */
  readonly ends: Uint32Array;
  readonly numbers: Uint32Array;
  /** For each item the number of its only value, -1 for none; undefined if an item has several. */
  readonly single: Int32Array | undefined;
  /** Whether every item has a value. */
  readonly isFull: boolean;
  readonly #numberOf: ReadonlyMap<Scalar, number>;
  #instants: ItemInstants | undefined;
  #leveled: LeveledInstants | undefined;
  #ofValues: Float64Array | undefined;
  readonly #groups: GroupKey[] = [];

  constructor(
    values: readonly Scalar[],
    numberOf: ReadonlyMap<Scalar, number>,
    ends: Uint32Array,
    numbers: Uint32Array,
    single: Int32Array | undefined,
    isFull: boolean,
  ) {
    this.values = values;
    this.#numberOf = numberOf;
    this.ends = ends;
    this.numbers = numbers;
    this.single = single;
    this.isFull = isFull;
  }

  get items(): number {
    return this.ends.length;
  }

  /** The number of a value; undefined when no item has it. */
  numberOf(value: Scalar): number | undefined {
    return this.#numberOf.get(value);
  }

  /** The place of the first number of an item in `numbers`. */
  beginOf(item: number): number {
    return item === 0 ? 0 : (this.ends[item - 1] as number);
  }

  valuesOf(item: number): Scalar[] {
    return Array.from(
      this.numbers.subarray(this.beginOf(item), this.ends[item]),
      (number) => this.values[number] as Scalar,
    );
  }

  /** The group of an item; undefined when it has no value. */
  groupOf(item: number): GroupKey | undefined {
    const only = this.single?.[item];
    if (only !== undefined) return only < 0 ? undefined : this.groupOfValue(only);
    const values = this.valuesOf(item);
    return values.length === 0 ? undefined : groupKeyOf(values);
  }

  /** The group of items that have this value alone. */
  groupOfValue(number: number): GroupKey {
    this.#groups[number] ??= groupKeyOf([this.values[number] as Scalar]);
    return this.#groups[number] as GroupKey;
  }

  /** The items that are in one of the groups. Takes about a nanosecond for each item. */
  itemsOfGroups(groups: Iterable<GroupKey>): Bitset {
    const bits = createBitset(this.items, false);
    const single = new Uint8Array(this.values.length);
    const several = new Set<GroupKey>();
    for (const group of groups) {
      const values = JSON.parse(group) as Scalar[];
      const [number] = values.length === 1 ? [this.numberOf(values[0] as Scalar)] : [];
      if (number !== undefined) single[number] = 1;
      else if (values.length > 1) several.add(group);
    }
    const { ends, numbers } = this;
    const only = this.single;
    if (only !== undefined) {
      const isIn = new Uint8Array(single.length + 1);
      isIn.set(single, 1);
      for (let item = 0; item < only.length; item++) {
        bits[item >>> 5] = (bits[item >>> 5] as number) | ((isIn[(only[item] as number) + 1] as number) << (item & 31));
      }
      return bits;
    }
    let begin = 0;
    for (let item = 0; item < ends.length; item++) {
      const end = ends[item] as number;
      const isIn =
        end - begin === 1
          ? single[numbers[begin] as number] === 1
          : end > begin && several.size > 0 && several.has(this.groupOf(item) as GroupKey);
      if (isIn) bits[item >>> 5] = (bits[item >>> 5] as number) | (1 << (item & 31));
      begin = end;
    }
    return bits;
  }

  /** The result of `leveledInstants`, if it was called before. */
  get knownLeveledInstants(): LeveledInstants | undefined {
    return this.#leveled;
  }

  /** The number of each value, NaN for what is none. Kept. */
  async instantsOfValues(slice: TimeSlice, signal?: AbortSignal): Promise<Float64Array> {
    if (this.#ofValues !== undefined) return this.#ofValues;
    const ofValues = new Float64Array(this.values.length);
    for (let number = 0; number < ofValues.length; number++) {
      if (number % 256 === 0 && slice.due()) await slice.yieldIfDue(signal);
      ofValues[number] = instantOf(this.values[number] as Scalar);
    }
    this.#ofValues = ofValues;
    return ofValues;
  }

  /**
   * The greatest number of each item. A string counts as a number where it is a date in ISO 8601: milliseconds since 1970. Kept, as
   * searches read it again and again.
   */
  async instants(signal?: AbortSignal): Promise<ItemInstants> {
    if (this.#instants !== undefined) return this.#instants;
    const slice = new TimeSlice();
    const { ends, numbers } = this;
    const ofValues = await this.instantsOfValues(slice, signal);
    const ofItems = new Float64Array(this.items);
    let [begin, greatest, lacksSome] = [0, Number.NEGATIVE_INFINITY, false];
    for (let item = 0; item < ends.length; item++) {
      if (item % itemsPerLook === 0 && slice.due()) await slice.yieldIfDue(signal);
      const end = ends[item] as number;
      let own = Number.NaN;
      for (let place = begin; place < end; place++) {
        const value = ofValues[numbers[place] as number] as number;
        if (value > own || Number.isNaN(own)) own = Number.isNaN(value) ? own : value;
      }
      ofItems[item] = own;
      if (Number.isNaN(own)) lacksSome = true;
      else if (own > greatest) greatest = own;
      begin = end;
    }
    this.#instants = { ofItems, greatest, lacksSome };
    return this.#instants;
  }

  /** The same, and the level of each item. Kept. */
  async leveledInstants(signal?: AbortSignal): Promise<LeveledInstants> {
    const instants = await this.instants(signal);
    this.#leveled ??= { ...instants, levels: await valueLevels(instants.ofItems, new TimeSlice(), signal) };
    return this.#leveled;
  }
}

/** The key of the group of a document with these values. */
export function groupKeyOf(values: readonly Scalar[]): GroupKey {
  return JSON.stringify(values.length === 1 ? values : [...values].sort(compareScalars));
}

/** Orders booleans before numbers before strings; strings by code points. */
export function compareScalars(left: Scalar, right: Scalar): number {
  if (typeof left !== typeof right) return rankOf(left) - rankOf(right);
  if (typeof left === 'string') return compareCodePoints(left, right as string);
  return Number(left) - Number(right);
}

const rankOf = (value: Scalar): number => (typeof value === 'boolean' ? 0 : typeof value === 'number' ? 1 : 2);

function compareCodePoints(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const [a, b] = [left.charCodeAt(at), right.charCodeAt(at)];
    if (a === b) continue;
    // Surrogates stand for code points beyond all other units.
    const [isHighA, isHighB] = [isSurrogate(a), isSurrogate(b)];
    return isHighA === isHighB ? a - b : isHighA ? 1 : -1;
  }
  return left.length - right.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** Collects the values of the items of a part, one item after the other. */
export class FieldColumnBuilder {
  readonly #values: Scalar[] = [];
  readonly #numberOf = new Map<Scalar, number>();
  readonly #ends: Uint32Array;
  readonly #single: Int32Array;
  #hasSeveral = false;
  #isFull = true;
  #numbers: Uint32Array;
  #count = 0;
  #item = 0;
  #begin = 0;

  constructor(items: number) {
    this.#ends = new Uint32Array(items);
    this.#single = new Int32Array(items);
    this.#numbers = new Uint32Array(items);
  }

  /** The number of a value; numbers of equal values are equal. */
  numberOf(value: Scalar): number {
    const known = this.#numberOf.get(value);
    if (known !== undefined) return known;
    this.#numberOf.set(value, this.#values.length);
    // A map has one key for both zeros.
    this.#values.push(value === 0 ? 0 : value);
    return this.#values.length - 1;
  }

  /** Gives the current item a value, unless it has it already. */
  add(number: number): void {
    for (let place = this.#begin; place < this.#count; place++) if (this.#numbers[place] === number) return;
    if (this.#count === this.#numbers.length) {
      const larger = new Uint32Array(2 * this.#count + 16);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.#count++] = number;
  }

  /** Ends the current item. */
  next(): void {
    const values = this.#count - this.#begin;
    this.#single[this.#item] = values === 0 ? -1 : (this.#numbers[this.#begin] as number);
    this.#hasSeveral ||= values > 1;
    this.#isFull &&= values > 0;
    this.#ends[this.#item++] = this.#count;
    this.#begin = this.#count;
  }

  column(): FieldColumn {
    return new FieldColumn(
      this.#values,
      this.#numberOf,
      this.#ends,
      this.#numbers.slice(0, this.#count),
      this.#hasSeveral ? undefined : this.#single,
      this.#isFull,
    );
  }
}
