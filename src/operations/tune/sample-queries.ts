import type { Random } from '../../random.js';
import type { Metric } from '../../types.js';

/** Documents in a mixture. Mixtures of three find more than strangers do, up to 0.02; those of six up to 0.01. */
const mixed = 6;

/**
 * Queries in the middle of six documents each: what is asked is seldom as near to a document as another document is, and
 * searches find least where no item lies. Among few of them a graph would still find its way by one of these. Undefined for
 * metrics of which a mean says nothing.
 */
export function mixtures(vectors: Float32Array, dimensions: number, metric: Metric): Float32Array | undefined {
  if (metric === 'hamming') return undefined;
  const count = vectors.length / dimensions;
  const means = new Float32Array(vectors.length);
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < dimensions; column++) {
      let sum = 0;
      for (let member = row; member < row + mixed; member++) {
        sum += vectors[(member % count) * dimensions + column] as number;
      }
      means[row * dimensions + column] = sum / mixed;
    }
  }
  return means;
}

const words = /[\p{L}\p{N}][\p{L}\p{N}\p{M}_'’-]*/gu;

/**
 * A few words of a text as they follow each other: about what a question has in common with its answer. Undefined for a text
 * without words.
 */
export function fragmentOf(text: string, random: Random): string | undefined {
  const found = text.slice(0, 20_000).match(words);
  if (found === null) return undefined;
  const size = 3 + random.integer(6);
  const first = random.integer(Math.max(1, found.length - size));
  return found.slice(first, first + size).join(' ');
}
