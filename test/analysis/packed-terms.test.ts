import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packTerms, selectPackedTerms, type TermRows, unpackTerms } from '../../src/analysis/packed-terms.js';
import { SemanticIndexError } from '../../src/errors.js';
import { compareCodePoints } from './compare-code-points.js';

interface Row {
  readonly gap: number;
  readonly length: number;
  readonly terms: ReadonlyMap<string, number>;
}

const term = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
const frequency = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 ** 24 }));
const row: fc.Arbitrary<Row> = fc.record({
  gap: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 2 ** 40 })),
  length: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  terms: fc.array(fc.tuple(term, frequency), { maxLength: 12 }).map((entries) => new Map(entries)),
});

function rowsOf(rows: readonly Row[], firstKey: number): TermRows {
  const dictionary = [...new Set(rows.flatMap(({ terms }) => [...terms.keys()]))].sort(compareCodePoints);
  const [terms, frequencies, starts]: [number[], number[], number[]] = [[], [], [0]];
  for (const { terms: own } of rows) {
    const sorted = [...own].map(([term, count]) => [dictionary.indexOf(term), count] as const);
    for (const [place, count] of sorted.sort((a, b) => a[0] - b[0])) {
      terms.push(place);
      frequencies.push(count);
    }
    starts.push(terms.length);
  }
  let key = firstKey;
  const keys = rows.map(({ gap }, place) => {
    key += place === 0 ? 0 : gap;
    return key;
  });
  return { dictionary, keys, lengths: rows.map(({ length }) => length), starts, terms, frequencies };
}

describe('packed terms', () => {
  it('have the agreed bytes', () => {
    const packed = packTerms({
      dictionary: ['a', 'é'],
      keys: [7, 9],
      lengths: [300, 1],
      starts: [0, 2, 3],
      terms: [0, 1, 1],
      frequencies: [200, 100, 1],
    });
    const header = [1, 2, 2];
    const dictionary = [1, 0x61, 2, 0xc3, 0xa9];
    const first = [0, 0xac, 0x02, 2, 0, 0xc8, 0x01, 1, 100];
    const second = [2, 1, 1, 1, 1];
    expect([...packed]).toEqual([...header, ...dictionary, ...first, ...second]);
  });

  it('return what was packed', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), fc.integer({ min: 0, max: 2 ** 52 }), (rows, firstKey) => {
        const written = rowsOf(rows, firstKey);
        expect(unpackTerms(packTerms(written), firstKey)).toEqual(written);
      }),
      { numRuns: 500 },
    );
  });

  it('own their memory, so that they can be handed to another thread', () => {
    const packed = packTerms(rowsOf([{ gap: 1, length: 1, terms: new Map([['a', 1]]) }], 1));
    expect(packed.byteLength).toBe(packed.buffer.byteLength);
  });

  it('are refused when cut, continued or changed so that they contradict themselves', () => {
    const rows: Row[] = [
      {
        gap: 1,
        length: 3,
        terms: new Map([
          ['a', 1],
          ['b', 2],
        ]),
      },
      { gap: 5, length: 1, terms: new Map([['b', 1]]) },
    ];
    const packed = packTerms(rowsOf(rows, 0));
    for (let end = 0; end < packed.length; end++) {
      expect(() => unpackTerms(packed.subarray(0, end))).toThrow(SemanticIndexError);
    }
    expect(() => unpackTerms(Uint8Array.of(...packed, 0))).toThrow('more bytes');
    expect(() => unpackTerms(packed.with(0, 2))).toThrow('version');
    expect(() => unpackTerms(packed.with(-2, 2))).toThrow('dictionary');
    expect(() => unpackTerms(Uint8Array.of(1, ...Array(9).fill(0xff)))).toThrow('too large');
  });

  it('never take more than their size to decode, whatever they hold', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          unpackTerms(Uint8Array.of(1, ...bytes));
        } catch (error) {
          expect(SemanticIndexError.is(error, 'CORRUPT')).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('selectPackedTerms', () => {
  it('packs the selected documents as if there were no others', () => {
    const selected = fc.array(fc.tuple(row, fc.boolean()), { maxLength: 10 });
    fc.assert(
      fc.property(selected, (rows) => {
        const packed = packTerms(
          rowsOf(
            rows.map(([row]) => row),
            0,
          ),
        );
        const rest = rows.flatMap(([row, isSelected]) => (isSelected ? [{ ...row, gap: 1 }] : []));
        const expected = packTerms(rowsOf(rest, 0));
        expect(selectPackedTerms(packed, (place) => (rows[place] as [Row, boolean])[1])).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});
