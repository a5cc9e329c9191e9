import type { Random } from '../../random.js';
import { TimeSlice } from '../../time-slice.js';
import type { MeanEstimate } from '../../types.js';

/** How often something is resampled, and how sure the result is to be. */
export interface Resampling {
  readonly resamples: number;
  readonly confidence: number;
  readonly signal: AbortSignal | undefined;
}

/** The mean of values; 0 of none. */
export function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let place = 0; place < values.length; place++) sum += values[place] as number;
  return values.length === 0 ? 0 : sum / values.length;
}

/** The mean with the percentile interval of the bootstrap (Efron 1979): the values are drawn again, with replacement. */
export async function bootstrap(
  values: ArrayLike<number>,
  random: Random,
  { resamples, confidence, signal }: Resampling,
): Promise<MeanEstimate> {
  const mean = meanOf(values);
  const size = values.length;
  const means = new Float64Array(resamples);
  const slice = new TimeSlice();
  for (let resample = 0; resample < resamples; resample++) {
    let sum = 0;
    for (let draw = 0; draw < size; draw++) sum += values[random.integer(size)] as number;
    means[resample] = sum / size;
    if (slice.due()) await slice.yieldIfDue(signal);
  }
  means.sort();
  const tail = (1 - confidence) / 2;
  const at = (share: number): number => means[Math.min(resamples - 1, Math.floor(share * resamples))] as number;
  return { mean, low: at(tail), high: at(1 - tail) };
}

/**
 * The probability of a mean difference at least as large, if the sign of each difference were chance: the paired randomization test
 * (Fisher 1935; for retrieval Smucker, Allan, Carterette 2007), two-sided. At least 1 / (resamples + 1).
 */
export async function randomizationTest(
  differences: ArrayLike<number>,
  random: Random,
  { resamples, signal }: Resampling,
): Promise<number> {
  const nonzero = Float64Array.from(differences).filter((difference) => difference !== 0);
  const observed = Math.abs(nonzero.reduce((sum, difference) => sum + difference, 0));
  // Sums of the same numbers in another order differ in their last bits.
  const threshold = observed - 1e-12 * nonzero.length;
  const slice = new TimeSlice();
  let atLeast = 0;
  for (let permutation = 0; permutation < resamples; permutation++) {
    let sum = 0;
    for (const difference of nonzero) sum += random.chance(0.5) ? difference : -difference;
    if (Math.abs(sum) >= threshold) atLeast++;
    if (slice.due()) await slice.yieldIfDue(signal);
  }
  return (atLeast + 1) / (resamples + 1);
}

/** Probabilities corrected for their number (Holm 1979), in the same order. */
export function holm(probabilities: readonly number[]): number[] {
  const order = [...probabilities.keys()].sort((a, b) => (probabilities[a] as number) - (probabilities[b] as number));
  const corrected = new Array<number>(probabilities.length);
  let largest = 0;
  for (const [place, index] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (probabilities[index] as number) * (order.length - place)));
    corrected[index] = largest;
  }
  return corrected;
}
