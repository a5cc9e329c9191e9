/** A 32-bit hash of a string (FNV-1a over UTF-16 units, then a final mix), the same on every machine. */
export function hashText(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mix(hash);
}

/** Adds a vector of pseudo-random numbers in -1..1, a pure function of `seed`, to `sums`. */
export function addRandomVector(sums: Float64Array, seed: number): void {
  let state = seed >>> 0;
  for (let column = 0; column < sums.length; column++) {
    state = (state + 0x9e3779b9) >>> 0;
    sums[column] = (sums[column] as number) + mix(state) / 0x80000000 - 1;
  }
}

/** Spreads every bit of the input over all bits of the result (the finalizer of MurmurHash3). */
function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
