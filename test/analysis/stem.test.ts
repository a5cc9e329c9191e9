import { describe, expect, it } from 'vitest';
import { stemOf } from '../../src/analysis/stem.js';

describe('stemOf', () => {
  // Examples of Porter 1980.
  it.each([
    ['caresses', 'caress'],
    ['ponies', 'poni'],
    ['cats', 'cat'],
    ['agreed', 'agre'],
    ['plastered', 'plaster'],
    ['motoring', 'motor'],
    ['sing', 'sing'],
    ['hopping', 'hop'],
    ['filing', 'file'],
    ['happy', 'happi'],
    ['relational', 'relat'],
    ['vietnamization', 'vietnam'],
    ['electrical', 'electr'],
    ['adjustment', 'adjust'],
    ['controlling', 'control'],
    ['rate', 'rate'],
    ['cease', 'ceas'],
  ])('stems %s to %s', (word, stem) => {
    expect(stemOf(word)).toBe(stem);
    expect(stemOf(word)).toBe(stem);
  });

  it('leaves names, numbers and words of other scripts as they are', () => {
    for (const term of [
      'c++',
      'node.js',
      '10.0.0.1',
      'v8s',
      'as',
      'a',
      'кошки',
      '猫',
      '🍐',
      '\uE0000123456789abcdef',
    ]) {
      expect(stemOf(term)).toBe(term);
    }
  });

  it('replaces a lone surrogate, which UTF-8 does not have', () => {
    expect(stemOf('a\ud800')).toBe('a\ufffd');
  });
});
