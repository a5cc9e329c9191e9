/**
 * Sets of items in the layout of the native search: item i is in the set when `bits[i >>> 5] & (1 << (i & 31))`.
 */
export type Bitset = Uint32Array;

/** Creates a set for a number of items, all in it or none. Bits past the end are zero. */
export function createBitset(items: number, filled: boolean): Bitset {
  const bits = new Uint32Array((items + 31) >>> 5);
  if (filled) {
    bits.fill(0xffffffff);
    if ((items & 31) !== 0) bits[bits.length - 1] = 2 ** (items & 31) - 1;
  }
  return bits;
}

export function addItem(bits: Bitset, item: number): void {
  const word = item >>> 5;
  bits[word] = (bits[word] ?? 0) | (1 << (item & 31));
}

export function removeItem(bits: Bitset, item: number): void {
  const word = item >>> 5;
  bits[word] = (bits[word] ?? 0) & ~(1 << (item & 31));
}

export function hasItem(bits: Bitset, item: number): boolean {
  return ((bits[item >>> 5] ?? 0) & (1 << (item & 31))) !== 0;
}

/** Number of items in a set (the population count of Hacker's Delight, 5-2). */
export function countItems(bits: Bitset): number {
  let count = 0;
  for (let word of bits) {
    word -= (word >>> 1) & 0x55555555;
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
    count += (((word + (word >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
  }
  return count;
}
