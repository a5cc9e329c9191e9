import fc from 'fast-check';

const awkward = fc.constantFrom(
  ...['C++', '.NET', '1.2.3', '-5', '$1', 'a/b', 'fooBar', 'x_y', 'É', 'é', 'ё', 'й', 'ß', 'İ', 'ς', 'ΟΔΟΣ', 'کتاب'],
  ...[
    'شَ',
    'हिन्दी',
    'กำ้',
    '猫',
    '東京',
    'カ\u3099',
    '한국',
    '\u1112\u1161',
    '🍐',
    '👩🏽‍💻',
    '🇩🇪',
    '€',
    '½',
    '²',
    'ﬁ',
    'Ⅳ',
    '１',
  ],
  ...[
    '\u00AD',
    '\u200B',
    '\u200D',
    '\uFEFF',
    '\uFE0F',
    '\u0301',
    '\ud800',
    '\0',
    '\uE000',
    '"',
    "'",
    '*',
    ' ',
    '\n',
    '\u3000',
  ],
);
/** Texts of signs, scripts and encodings that are easily taken apart wrongly. */
export const randomText = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: awkward },
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.string({ maxLength: 6 }),
    ),
    {
      maxLength: 12,
    },
  )
  .map((pieces) => pieces.join(''));
