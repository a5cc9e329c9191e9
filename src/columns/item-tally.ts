import type { Bitset } from '../vectors/bitset.js';
import type { ColumnBuckets } from './facet-buckets.js';
import { type FieldColumn, itemsPerLook } from './field-column.js';

/** More buckets are not bits of a mask. */
const maxMaskedBuckets = 12;

/** Counts items of a column by bucket, one run after the other. */
export interface ItemTally {
  /** Items that are counted at once, between two looks at the clock; a multiple of 32. */
  readonly itemsPerLook: number;
  /** Items without a value. */
  readonly missing: number;
  /** Counts the items from `first` to before `last`, and returns how many these are. */
  addAll(first: number, last: number): number;
  /** The same for the items of a set; `first` is a multiple of 32. */
  addSome(first: number, last: number, allowed: Bitset): number;
  /** The items that were counted, by bucket. */
  counts(): Uint32Array;
}

/** Finds the fastest way to count the items of a column. */
export function tallyOf(column: FieldColumn, found: ColumnBuckets): ItemTally {
  const { cellOfValues, cellOfItems } = found;
  if (cellOfItems !== undefined) return new ItemCellsTally(cellOfItems, found.cells);
  if (column.single !== undefined) return new SingleTally(column.single, column.values.length, found);
  if (cellOfValues === undefined) return new ValuesTally(column);
  return found.buckets.size <= maxMaskedBuckets
    ? new MaskTally(column, cellOfValues, found)
    : new CellsTally(column, cellOfValues, found);
}

/** Counts how often each place occurs among those of the items. About a nanosecond for each item. */
abstract class PlacesTally implements ItemTally {
  readonly itemsPerLook = 4 * itemsPerLook;
  readonly #places: Int32Array;
  readonly #offset: number;
  /** Items by their place + the offset; those without a value are at 0. */
  protected readonly ofPlaces: Uint32Array;

  constructor(places: Int32Array, offset: number, size: number) {
    this.#places = places;
    this.#offset = offset;
    this.ofPlaces = new Uint32Array(size);
  }

  get missing(): number {
    return this.ofPlaces[0] as number;
  }

  abstract counts(): Uint32Array;

  addAll(first: number, last: number): number {
    const [places, ofPlaces, offset] = [this.#places, this.ofPlaces, this.#offset];
    for (let item = first; item < last; item++) {
      const place = (places[item] as number) + offset;
      ofPlaces[place] = (ofPlaces[place] as number) + 1;
    }
    return last - first;
  }

  addSome(first: number, last: number, allowed: Bitset): number {
    const [places, ofPlaces, offset] = [this.#places, this.ofPlaces, this.#offset];
    let documents = 0;
    for (let begin = first; begin < last; begin += 32) {
      for (let word = wordOf(allowed, begin, last); word !== 0; word &= word - 1) {
        const place = (places[begin + lowestBit(word)] as number) + offset;
        ofPlaces[place] = (ofPlaces[place] as number) + 1;
        documents++;
      }
    }
    return documents;
  }
}

/** Items whose cells are known. */
class ItemCellsTally extends PlacesTally {
  constructor(cellOfItems: Int32Array, cells: number) {
    super(cellOfItems, 0, cells + 2);
  }

  counts(): Uint32Array {
    return this.ofPlaces.subarray(2);
  }
}

/** Items that have one value each at most. */
class SingleTally extends PlacesTally {
  readonly #found: ColumnBuckets;

  constructor(single: Int32Array, values: number, found: ColumnBuckets) {
    super(single, 1, values + 1);
    this.#found = found;
  }

  counts(): Uint32Array {
    const { buckets, cellOfValues, cells, bucketsOfCells } = this.#found;
    const ofValues = this.ofPlaces.subarray(1);
    if (cellOfValues === undefined) return ofValues;
    const ofCells = new Uint32Array(cells);
    for (let value = 0; value < cellOfValues.length; value++) {
      const cell = cellOfValues[value] as number;
      if (cell >= 0) ofCells[cell] = (ofCells[cell] as number) + (ofValues[value] as number);
    }
    if (bucketsOfCells === undefined) return ofCells;
    const counts = new Uint32Array(buckets.size);
    for (let cell = 0; cell < cells; cell++) {
      for (const bucket of bucketsOf(cell, bucketsOfCells)) {
        counts[bucket] = (counts[bucket] as number) + (ofCells[cell] as number);
      }
    }
    return counts;
  }
}

/** Items that have several values. */
abstract class ListTally implements ItemTally {
  readonly itemsPerLook = itemsPerLook;
  missing = 0;
  protected readonly ends: Uint32Array;
  protected readonly numbers: Uint32Array;

  constructor({ ends, numbers }: FieldColumn) {
    this.ends = ends;
    this.numbers = numbers;
  }

  /** Counts an item that has the values at the places from `begin` to before `end`. */
  protected abstract add(item: number, begin: number, end: number): void;

  abstract counts(): Uint32Array;

  addAll(first: number, last: number): number {
    const { ends } = this;
    let [begin, missing] = [this.#beginOf(first), 0];
    for (let item = first; item < last; item++) {
      const end = ends[item] as number;
      if (begin === end) missing++;
      else this.add(item, begin, end);
      begin = end;
    }
    this.missing += missing;
    return last - first;
  }

  addSome(first: number, last: number, allowed: Bitset): number {
    let [documents, missing] = [0, 0];
    for (let run = first; run < last; run += 32) {
      for (let word = wordOf(allowed, run, last); word !== 0; word &= word - 1) {
        const item = run + lowestBit(word);
        const [begin, end] = [this.#beginOf(item), this.ends[item] as number];
        if (begin === end) missing++;
        else this.add(item, begin, end);
        documents++;
      }
    }
    this.missing += missing;
    return documents;
  }

  #beginOf(item: number): number {
    return item === 0 ? 0 : (this.ends[item - 1] as number);
  }
}

/** Counts items once for each of their values, which are different. */
class ValuesTally extends ListTally {
  readonly #counts: Uint32Array;

  constructor(column: FieldColumn) {
    super(column);
    this.#counts = new Uint32Array(column.values.length);
  }

  protected add(_item: number, begin: number, end: number): void {
    const { numbers } = this;
    const counts = this.#counts;
    for (let place = begin; place < end; place++) {
      const number = numbers[place] as number;
      counts[number] = (counts[number] as number) + 1;
    }
  }

  counts(): Uint32Array {
    return this.#counts;
  }
}

/** Counts items by the set of buckets that their values are in. */
class MaskTally extends ListTally {
  readonly #buckets: number;
  /** For each value its buckets, as bits. */
  readonly #masks: Uint16Array;
  readonly #ofMasks: Uint32Array;

  constructor(column: FieldColumn, cellOfValues: Int32Array, { buckets, bucketsOfCells }: ColumnBuckets) {
    super(column);
    this.#buckets = buckets.size;
    this.#ofMasks = new Uint32Array(1 << buckets.size);
    this.#masks = Uint16Array.from(cellOfValues, (cell) => {
      if (cell < 0) return 0;
      if (bucketsOfCells === undefined) return 1 << cell;
      return bucketsOf(cell, bucketsOfCells).reduce((mask, bucket) => mask | (1 << bucket), 0);
    });
  }

  protected add(_item: number, begin: number, end: number): void {
    const { numbers } = this;
    const [masks, ofMasks] = [this.#masks, this.#ofMasks];
    let mask = 0;
    for (let place = begin; place < end; place++) mask |= masks[numbers[place] as number] as number;
    ofMasks[mask] = (ofMasks[mask] as number) + 1;
  }

  counts(): Uint32Array {
    const counts = new Uint32Array(this.#buckets);
    for (const [mask, items] of this.#ofMasks.entries()) {
      for (let bucket = 0; bucket < counts.length; bucket++) {
        counts[bucket] = (counts[bucket] as number) + ((mask >>> bucket) & 1) * items;
      }
    }
    return counts;
  }
}

/** Counts items once for each bucket that one of their values is in. */
class CellsTally extends ListTally {
  readonly #cellOfValues: Int32Array;
  readonly #bucketsOfCells: ColumnBuckets['bucketsOfCells'];
  readonly #counts: Uint32Array;
  /** For each bucket the item that was counted last. */
  readonly #lastItem: Int32Array;

  constructor(column: FieldColumn, cellOfValues: Int32Array, { buckets, bucketsOfCells }: ColumnBuckets) {
    super(column);
    this.#cellOfValues = cellOfValues;
    this.#bucketsOfCells = bucketsOfCells;
    this.#counts = new Uint32Array(buckets.size);
    this.#lastItem = new Int32Array(buckets.size).fill(-1);
  }

  protected add(item: number, begin: number, end: number): void {
    const bucketsOfCells = this.#bucketsOfCells;
    for (let place = begin; place < end; place++) {
      const cell = this.#cellOfValues[this.numbers[place] as number] as number;
      if (cell < 0) continue;
      if (bucketsOfCells === undefined) {
        this.#addTo(cell, item);
        continue;
      }
      const { starts, buckets } = bucketsOfCells;
      const last = starts[cell + 1] as number;
      for (let at = starts[cell] as number; at < last; at++) this.#addTo(buckets[at] as number, item);
    }
  }

  #addTo(bucket: number, item: number): void {
    if (this.#lastItem[bucket] === item) return;
    this.#lastItem[bucket] = item;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
  }

  counts(): Uint32Array {
    return this.#counts;
  }
}

function bucketsOf(cell: number, { starts, buckets }: NonNullable<ColumnBuckets['bucketsOfCells']>): Uint32Array {
  return buckets.subarray(starts[cell], starts[cell + 1]);
}

/** The 32 bits of a set from item `begin` on, without those of `last` and behind. */
function wordOf(allowed: Bitset, begin: number, last: number): number {
  const word = allowed[begin >>> 5] ?? 0;
  return last - begin < 32 ? word & ((1 << (last - begin)) - 1) : word;
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
