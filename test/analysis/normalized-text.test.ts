import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizedText } from '../../src/analysis/normalized-text.js';

describe('normalizedText', () => {
  it('ignores case, white space, punctuation and encoding', () => {
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

  it('is idempotent', () => {
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
    ['.5 mg', '5 mg'],
    ['the .NET client', 'the NET client'],
    ['10² m', '102 m'],
    ['1½', '11/2'],
    ['–5 points', '5 points'],
    ['y = -x', 'y = x'],
    ['if (!ready) go', 'if (ready) go'],
    ['!(a)', '(a)'],
    ['2*3', '2 3'],
    ['5‰', '5'],
    ['5′', '5″'],
    ['3:30', '330'],
    ['✅', '❌'],
    [
      '🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}',
      '🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}',
    ],
  ])('distinguishes %s from %s', (a, b) => {
    expect(normalizedText(a)).not.toBe(normalizedText(b));
  });

  it.each([
    ['Straße', 'STRASSE'],
    ['STRAẞE', 'strasse'],
    ['−5', '-5'],
    ['½', '1/2'],
    ['❤\uFE0F', '❤'],
    ['data\u200Bbase', 'database'],
    ['Is it? Yes!', 'is it yes'],
    ['Well... then', 'well then'],
    ['**bold** text', 'bold text'],
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
