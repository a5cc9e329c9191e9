import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PieceTable } from '../../src/analysis/piece-table.js';
import { randomText } from './random-text.js';

function piecesOf(table: PieceTable, text: string): string[] {
  const count = table.scan(text);
  return Array.from(table.found.subarray(0, count), (number) => table.pieceOf(number));
}

/** How many pieces of a text are remembered. */
function remembered(table: PieceTable, text: string): number {
  const count = table.scan(text);
  return table.found.subarray(0, count).filter((number) => table.isRemembered(number)).length;
}

describe('PieceTable', () => {
  it.each<[string, string[]]>([
    ['\tThe pear,\r\nthe  pear', ['The', 'pear', ',', 'the', 'pear']],
    [`("Pears", don't)`, ['(', '"', 'Pears', '"', ',', 'don', "'", 't', ')']],
    ['C++ .NET 10.0.0.1:80. $100,', ['C++', '.NET', '10.0.0.1:80', '.', '$100', ',']],
    ['... -- a_b/c', ['.', '.', '.', '--', 'a_b/c']],
    ['(a.b.)', ['(', 'a.b', '.', ')']],
    ['(café), x\u00A0y \u0001a', ['(café),', 'x\u00A0y', '\u0001a']],
    ['', []],
    [' \n', []],
  ])('cuts %j into %j', (text, pieces) => {
    expect(piecesOf(new PieceTable(), text)).toEqual(pieces);
  });

  it('loses nothing but white space, and finds equal pieces again', () => {
    const table = new PieceTable();
    const texts = fc.array(fc.tuple(randomText, fc.constantFrom(' ', '\n')), { maxLength: 5 });
    fc.assert(
      fc.property(texts, (parts) => {
        const text = parts.flat().join('');
        const pieces = piecesOf(table, text);
        expect(pieces.join('')).toBe(text.replace(/[\t-\r ]/g, ''));
        const numbers = Array.from(table.found.subarray(0, pieces.length));
        expect(piecesOf(table, text)).toEqual(pieces);
        expect(Array.from(table.found.subarray(0, pieces.length))).toEqual(numbers);
      }),
      { numRuns: 1000 },
    );
  });

  it('remembers pieces of at most 64 characters', () => {
    const table = new PieceTable();
    const long = 'x'.repeat(65);
    expect(remembered(table, `a ${'x'.repeat(64)}`)).toBe(2);
    expect(piecesOf(table, `a ${long} b ${long}y`)).toEqual(['a', long, 'b', `${long}y`]);
    expect(remembered(table, `a ${long} b ${long}y`)).toBe(2);
  });

  it('starts again when it is full, with another generation', () => {
    const table = new PieceTable();
    const first = table.generation;
    const words = (from: number, count: number): string[] => Array.from({ length: count }, (_, n) => `word${from + n}`);
    let from = 0;
    for (; table.generation === first && from < 300_000; from += 1000) {
      expect(piecesOf(table, words(from, 1000).join(' '))).toEqual(words(from, 1000));
    }
    expect(table.generation).not.toBe(first);
    expect(from).toBeGreaterThan(190_000);
    expect(piecesOf(table, 'word1 word0 word1')).toEqual(['word1', 'word0', 'word1']);
    const many = words(0, 270_000);
    expect(remembered(table, many.join(' '))).toBeGreaterThan(260_000);
    expect(piecesOf(table, many.join(' '))).toEqual(many);
  });

  it('distinguishes pieces with the same hash', () => {
    const hashOf = (text: string): number =>
      [...text].reduce((hash, character) => Math.imul(hash ^ character.charCodeAt(0), 0x01000193), 0);
    const byHash = new Map<number, string>();
    let pieces: string[] = [];
    for (let n = 1; pieces.length === 0; n++) {
      const text = `w${(n * 2_654_435_761).toString(36)}`;
      const other = byHash.get(hashOf(text));
      if (other !== undefined) pieces = [other, text, other];
      byHash.set(hashOf(text), text);
    }
    expect(piecesOf(new PieceTable(), pieces.join(' '))).toEqual(pieces);
  });
});
