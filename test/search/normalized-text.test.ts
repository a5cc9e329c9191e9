import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizedText } from '../../src/search/normalized-text.js';

describe('normalizedText', () => {
  it('does not see case, white space, punctuation and encoding', () => {
    const word = fc.stringMatching(/^[a-zäöüéñßа-я]{1,8}$/);
    const between = fc.constantFrom(' ', '  ', '\n\t', ', ', ' — ', '; “', '…', '\u00a0');
    fc.assert(
      fc.property(fc.array(fc.tuple(word, between), { minLength: 1, maxLength: 12 }), fc.boolean(), (list, upper) => {
        const plain = list.map(([each]) => each).join(' ');
        const dressed = list
          .map(([each, mark]) => (upper ? each.toUpperCase() : each).normalize('NFD') + mark)
          .join('');
        expect(normalizedText(dressed)).toBe(normalizedText(plain));
      }),
    );
  });

  it('changes nothing more when it is done again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        expect(normalizedText(normalizedText(text))).toBe(normalizedText(text));
      }),
    );
  });

  it.each([
    ['C#', 'C'],
    ['C++', 'C'],
    ['1.5', '15'],
    ['1.5', '1 5'],
    ['-5 degrees', '5 degrees'],
    ['5 %', '5'],
    ['$5', '5'],
    ['!!!', '???'],
    ['a and b', 'a b'],
    ['naïve', 'naive'],
  ])('tells %s from %s', (a, b) => {
    expect(normalizedText(a)).not.toBe(normalizedText(b));
  });

  it.each([
    ['Straße', 'STRASSE'],
    ['ﬁne', 'fine'],
    ['co\u00adoperate', 'cooperate'],
    ['don’t', "don't"],
    ['well-known', 'well known'],
    ['ΟΔΟΣ', 'οδος'],
    ['Ｈｅｌｌｏ', 'hello'],
  ])('takes %s and %s for the same', (a, b) => {
    expect(normalizedText(a)).toBe(normalizedText(b));
  });
});
