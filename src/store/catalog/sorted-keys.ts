import { addItem, type Bitset, createBitset } from '../../vectors/bitset.js';

/** Ascending keys, either as they are or as 32-bit offsets from a first one. */
export interface SortedKeys {
  readonly first: number;
  readonly offsets: Uint32Array | Float64Array;
}

export function keyAt(keys: SortedKeys, item: number): number {
  return keys.first + (keys.offsets[item] as number);
}

/** The item with this key, or -1. */
export function itemOf(keys: SortedKeys, key: number): number {
  const { offsets } = keys;
  const wanted = key - keys.first;
  let low = 0;
  let high = offsets.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = offsets[middle] as number;
    if (found === wanted) return middle;
    if (found < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** The items whose keys are among `wanted` (ascending). Takes milliseconds for millions of either. */
export function itemsOf({ first, offsets }: SortedKeys, wanted: Float64Array): Bitset {
  const bits = createBitset(offsets.length, false);
  let position = countBelow(wanted, first);
  let item = 0;
  while (item < offsets.length && position < wanted.length) {
    const difference = first + (offsets[item] as number) - (wanted[position] as number);
    if (difference === 0) {
      addItem(bits, item);
      position++;
      item++;
    } else if (difference < 0) {
      item++;
    } else {
      position++;
    }
  }
  return bits;
}

/** How many of the ascending keys are below a bound. */
export function countBelow(sorted: Float64Array, bound: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
