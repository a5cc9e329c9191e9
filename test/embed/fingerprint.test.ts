import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeDifferences, fingerprintDifferences, fingerprintOf } from '../../src/embed/fingerprint.js';

const facts = fc.dictionary(
  fc.string({ unit: 'binary' }),
  fc.oneof(fc.string({ minLength: 1 }), fc.integer(), fc.boolean()),
);

describe('fingerprints', () => {
  it('are equal if and only if the facts are, and list differences', () => {
    fc.assert(
      fc.property(facts, facts, (a, b) => {
        const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
          (name) =>
            String(Object.hasOwn(a, name) ? a[name] : undefined) !==
            String(Object.hasOwn(b, name) ? b[name] : undefined),
        );
        const [first, second] = [fingerprintOf('kind', a), fingerprintOf('kind', b)];
        const wellFormed = (name: string): boolean => name.isWellFormed() && name !== 'provider';
        fc.pre([...Object.keys(a), ...Object.keys(b)].every(wellFormed));
        expect(first === second).toBe(names.length === 0);
        expect(
          fingerprintDifferences(first, second)
            .map(({ fact }) => fact)
            .sort(),
        ).toEqual(names.sort());
      }),
    );
    expect(fingerprintOf('kind', { b: 1, a: 2, c: undefined })).toBe(fingerprintOf('kind', { a: 2, b: 1 }));
  });

  it('are described as text', () => {
    const expected = fingerprintOf('transformers', { model: 'm', pooling: 'mean', dtype: 'q8' });
    const actual = fingerprintOf('transformers', { model: 'm', pooling: 'cls', query: 'query: ' });
    expect(describeDifferences(fingerprintDifferences(expected, actual))).toBe(
      'dtype is not set, was "q8"; pooling is "cls", was "mean"; query is "query: ", was not set',
    );
    expect(fingerprintDifferences('my own', expected)).toEqual([{ fact: 'id', expected: 'my own', actual: expected }]);
    expect(fingerprintDifferences(fingerprintOf('a', {}), fingerprintOf('b', {}))).toEqual([
      { fact: 'provider', expected: 'a', actual: 'b' },
    ]);
  });
});
