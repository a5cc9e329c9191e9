import type { TimeSlice } from '../time-slice.js';

/** Numbers of items, divided into levels: the greater the numbers, the fewer items a level has. */
export interface ValueLevels {
  /** The level of each item; 0 for one without a number. */
  readonly ofItems: Uint8Array;
  /** For each level its least number and its greatest one. */
  readonly limits: Float64Array;
}

const [maxLevels, itemsPerLevel, maxSample, itemsPerLook] = [127, 64, 4096, 4096];

/**
 * Divides numbers, of which some may be NaN, into levels: one for 64 items, and 127 at most. Equal numbers are in one level. The
 * greatest numbers mostly decide, as the factor of a short half-life differs most among them: their levels are the smallest.
 */
export async function valueLevels(
  numbers: Float64Array,
  slice: TimeSlice,
  signal: AbortSignal | undefined,
): Promise<ValueLevels> {
  const ends = levelEnds(numbers);
  const ofItems = new Uint8Array(numbers.length);
  const limits = new Float64Array(2 * (ends.length + 2)).fill(Number.NaN);
  for (let item = 0; item < numbers.length; item++) {
    if (item % itemsPerLook === 0 && slice.due()) await slice.yieldIfDue(signal);
    const number = numbers[item] as number;
    if (Number.isNaN(number)) continue;
    const level = 1 + endsBelow(ends, number);
    ofItems[item] = level;
    const [least, greatest] = [2 * level, 2 * level + 1];
    if (!(number >= (limits[least] as number))) limits[least] = number;
    if (!(number <= (limits[greatest] as number))) limits[greatest] = number;
  }
  return { ofItems, limits };
}

/** The greatest number of each level but the last, by a sample. */
function levelEnds(numbers: Float64Array): Float64Array {
  const step = Math.max(1, Math.ceil(numbers.length / maxSample));
  const sample = Float64Array.from(
    { length: Math.floor(numbers.length / step) },
    (_, place) => numbers[place * step] as number,
  )
    .filter((number) => !Number.isNaN(number))
    .sort();
  const levels = Math.min(maxLevels, Math.ceil(numbers.length / itemsPerLevel));
  const ends = new Set<number>();
  for (let level = 1; level < levels; level++) {
    // The share of the numbers above a level falls with its square.
    const above = (1 - level / levels) ** 2;
    const place = Math.floor((1 - above) * sample.length) - 1;
    if (place >= 0) ends.add(sample[place] as number);
  }
  return Float64Array.from(ends);
}

/** How many of some ascending numbers are less than another one. */
function endsBelow(ends: Float64Array, number: number): number {
  let [first, rest] = [0, ends.length];
  while (rest > 0) {
    const half = rest >>> 1;
    if ((ends[first + half] as number) < number) {
      first += half + 1;
      rest -= half + 1;
    } else {
      rest = half;
    }
  }
  return first;
}
