import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packQueryTerms } from '../../src/terms/packed-query.js';

function unpack(bytes: Uint8Array): [string, number][] {
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  const terms: [string, number][] = [];
  while (at < bytes.length) {
    const size = number();
    const term = Buffer.from(bytes.subarray(at, at + size)).toString();
    at += size;
    terms.push([term, number()]);
  }
  return terms;
}

describe('packQueryTerms', () => {
  it('keeps terms and times', () => {
    const term = fc.string({ unit: 'grapheme', maxLength: 300 });
    fc.assert(
      fc.property(fc.array(fc.tuple(term, fc.integer({ min: 1, max: 2 ** 24 }))), (terms) => {
        expect(unpack(packQueryTerms(terms))).toEqual(terms);
      }),
    );
  });

  it('packs no terms into no bytes', () => {
    expect(packQueryTerms([])).toHaveLength(0);
  });

  it('bounds the times that a term counts', () => {
    expect(unpack(packQueryTerms([['a', 1e9]]))).toEqual([['a', 2 ** 24]]);
  });

  it('packs many long terms', () => {
    const terms = Array.from({ length: 500 }, (_, i): [string, number] => ['ß'.repeat(i), i + 1]);
    expect(unpack(packQueryTerms(terms))).toEqual(terms);
  });
});
