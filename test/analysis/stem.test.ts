import { describe, expect, it } from 'vitest';
import { stemOf } from '../../src/analysis/stem.js';

describe('stemOf', () => {
  it('stems words of plain letters, also those that it remembers', () => {
    for (const word of ['running', 'foxes', 'running']) expect(stemOf(word)).toBe(word === 'foxes' ? 'fox' : 'run');
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
