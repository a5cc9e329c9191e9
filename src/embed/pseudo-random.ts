import { mixBits, Random } from '../random.js';

/** A 32-bit hash of a string (FNV-1a over UTF-16 code units, then a final mix), identical on every machine. */
export function hashText(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mixBits(hash);
}

/** Adds a vector of pseudo-random numbers in -1..1, a pure function of `seed`, to `sums`. */
export function addRandomVector(sums: Float64Array, seed: number): void {
  const random = new Random(seed);
  for (let column = 0; column < sums.length; column++) {
    sums[column] = (sums[column] as number) + random.number() * 2 - 1;
  }
}
