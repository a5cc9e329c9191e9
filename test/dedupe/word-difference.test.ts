import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wordDifference } from '../../src/dedupe/word-difference.js';

const text = fc
  .array(fc.constantFrom('a', 'b', 'c', 'word', '日', '本', '.', 'é', "don't"), { maxLength: 30 })
  .map((words) => words.join(' '));
const bare = (parts: readonly string[]): string => parts.join('').replace(/\s+/g, '');

describe('wordDifference', () => {
  it('leads from the first text to the second', () => {
    fc.assert(
      fc.property(text, text, (first, second) => {
        const parts = wordDifference(first, second);
        const without = (kind: string): string =>
          bare(parts.filter((part) => part.kind !== kind).map(({ text }) => text));
        expect(without('removed')).toBe(second.replace(/\s+/g, ''));
        expect(without('added')).toBe(first.replace(/\s+/g, ''));
        for (const [position, part] of parts.entries()) expect(part.kind).not.toBe(parts[position + 1]?.kind);
      }),
    );
  });

  it('names few words', () => {
    expect(wordDifference('The cat sat on a mat.', 'The black cat sat on the mat.')).toEqual([
      { kind: 'same', text: 'The ' },
      { kind: 'added', text: 'black ' },
      { kind: 'same', text: 'cat sat on ' },
      { kind: 'removed', text: 'a ' },
      { kind: 'added', text: 'the ' },
      { kind: 'same', text: 'mat.' },
    ]);
    expect(wordDifference('same  words', 'same words')).toEqual([{ kind: 'same', text: 'same words' }]);
    expect(wordDifference('', '')).toEqual([]);
  });

  it('limits the details of very different texts', () => {
    const [first, second] = ['x', 'y'].map((name) => Array.from({ length: 2000 }, (_, n) => `${name}${n}`).join(' '));
    const parts = wordDifference(`begin ${first} end`, `begin ${second} end`);
    expect(parts.map(({ kind }) => kind)).toEqual(['same', 'removed', 'added', 'same']);
  });
});
