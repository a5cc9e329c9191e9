import { describe, expect, it } from 'vitest';
import { EditDistance } from '../../src/postgres/search/edit-distance.js';
import { Random } from '../../src/random.js';

/** The distance by the whole table. */
function distanceOf(left: readonly string[], right: readonly string[]): number {
  const table = Array.from({ length: left.length + 1 }, (_, row) =>
    Array.from({ length: right.length + 1 }, (_, column) => (row === 0 ? column : column === 0 ? row : 0)),
  );
  const at = (row: number, column: number): number => (table[row] as number[])[column] as number;
  for (let row = 1; row <= left.length; row++) {
    for (let column = 1; column <= right.length; column++) {
      const substituted = at(row - 1, column - 1) + (left[row - 1] === right[column - 1] ? 0 : 1);
      const ways = [at(row - 1, column) + 1, at(row, column - 1) + 1, substituted];
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        ways.push(at(row - 2, column - 2) + 1);
      }
      (table[row] as number[])[column] = Math.min(...ways);
    }
  }
  return at(left.length, right.length);
}

describe('edit distances', () => {
  it('are those of the whole table, up to the maximum', () => {
    const random = new Random(3);
    const letters = ['a', 'b', 'c', 'é', '\u{1f600}', '\u{1f601}'];
    const word = (): string[] => Array.from({ length: random.integer(9) }, () => random.pick(letters));
    const counts = [0, 0, 0, 0];
    for (let round = 0; round < 300; round++) {
      const [own, max] = [word(), random.integer(3)];
      const distances = new EditDistance(own.join(''), max);
      for (let other = 0; other < 100; other++) {
        const characters = word();
        const expected = Math.min(max + 1, distanceOf(own, characters));
        expect(Math.min(max + 1, distances.to(characters.join('')))).toBe(expected);
        counts[expected] = (counts[expected] as number) + 1;
      }
    }
    for (const count of counts) expect(count).toBeGreaterThan(50);
  });

  it('count a transposition as one edit, and characters outside of the BMP as one', () => {
    expect(new EditDistance('harbuor', 2).to('harbour')).toBe(1);
    expect(new EditDistance('ca', 3).to('abc')).toBe(3);
    expect(new EditDistance('\u{1f600}', 2).to('')).toBe(1);
    expect(new EditDistance('', 2).to('abc')).toBe(3);
  });
});
