import { unitVector } from './check-vectors.js';
import { addRandomVector, hashText } from './pseudo-random.js';

/**
 * A vector of length 1 for a text in which a model knows nothing: the sum of pseudo-random vectors of its characters
 * and neighbouring pairs, so that texts sharing them are similar. The same on every machine.
 */
export function fallbackVector(text: string, dimensions: number): Float32Array {
  const sums = new Float64Array(dimensions);
  // A fixed start keeps texts of white space, and sums that cancel out, away from zero.
  addRandomVector(sums, hashText(''));
  const characters = [...text.slice(0, longestText).normalize('NFKC').toLowerCase()].filter((character) =>
    /\S/.test(character),
  );
  characters.forEach((character, index) => {
    addRandomVector(sums, hashText(character));
    addRandomVector(sums, hashText(character + (characters[index + 1] ?? ''), 1));
  });
  const unit = unitVector(sums);
  return typeof unit === 'string' ? fallbackVector('?', dimensions) : unit;
}

/** Of a longer text only the beginning counts, to bound the time that it takes. */
const longestText = 256;
