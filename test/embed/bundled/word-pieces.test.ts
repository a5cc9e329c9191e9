import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WordPieces } from '../../../src/embed/bundled/word-pieces.js';

const unknown = 0;

/** The definition, one place after the other. */
function expected(vocabulary: ReadonlyMap<string, number>, prefix: string, word: string): number[] {
  const ids: number[] = [];
  for (let start = 0; start < word.length; ) {
    const ends = Array.from({ length: word.length - start }, (_, shorter) => word.length - shorter);
    const piece = (end: number): string => (start === 0 ? '' : prefix) + word.slice(start, end);
    const end = ends.find((one) => vocabulary.has(piece(one)));
    if (end === undefined) return [unknown];
    ids.push(vocabulary.get(piece(end)) as number);
    start = end;
  }
  return ids;
}

const piece = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', 'é'), minLength: 1, maxLength: 5 });
const words = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1'), minLength: 1, maxLength: 9 }), {
  minLength: 1,
  maxLength: 20,
});

describe('the pieces of words', () => {
  it.each(['##', ''])('are the longest tokens, before and after the tries are built: prefix %j', (prefix) => {
    const split = fc.property(
      fc.array(piece, { maxLength: 30 }),
      fc.array(piece, { maxLength: 30 }),
      words,
      (...of) => {
        const [first, others, asked] = of;
        const tokens = new Set([...first, ...others.map((token) => prefix + token)]);
        const vocabulary = new Map([...tokens].map((token, place) => [token, place + 1]));
        const pieces = new WordPieces(vocabulary, prefix, unknown);
        const right = asked.map((word) => expected(vocabulary, prefix, word));
        expect(asked.map((word) => pieces.idsOf(word))).toEqual(right);
        // A word without tokens is looked up as often as it has letters.
        for (let times = 0; times < 400; times++) pieces.idsOf('x'.repeat(100));
        expect(asked.map((word) => pieces.idsOf(word))).toEqual(right);
      },
    );
    fc.assert(split, { numRuns: 200 });
  });
});
