import { unitVector } from './check-vectors.js';
import { addRandomVector, hashText } from './pseudo-random.js';

/**
 * A vector of length 1 for a text without any known token: the sum of pseudo-random vectors of its characters and
 * character pairs, so texts that share them are similar. Identical on every machine.
 */
export function fallbackVector(text: string, dimensions: number): Float32Array {
  const sums = new Float64Array(dimensions);
  // A fixed initial value keeps blank texts, and sums that cancel out, away from zero.
  addRandomVector(sums, hashText(''));
  const characters = [...text.slice(0, maxCharacters).normalize('NFKC').toLowerCase()].filter((character) =>
    /\S/.test(character),
  );
  characters.forEach((character, index) => {
    addRandomVector(sums, hashText(character));
    addRandomVector(sums, hashText(character + (characters[index + 1] ?? ''), 1));
  });
  const unit = unitVector(sums);
  return typeof unit === 'string' ? fallbackVector('?', dimensions) : unit;
}

/** Only the first characters of a longer text are used, to bound the time. */
const maxCharacters = 256;
