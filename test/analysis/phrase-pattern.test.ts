import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Phrase } from '../../src/analysis/query/phrase.js';
import { beginOfWords } from '../../src/analysis/query/phrase-pattern.js';
import { stemOf } from '../../src/analysis/stem.js';
import { Random } from '../../src/random.js';

const pieces = [
  ...[
    'of',
    'Of',
    'THE',
    'the',
    'then',
    'they',
    'united',
    'Unit',
    'UNITS',
    'unité',
    'u\u0301nited',
    'uni\u00ADted',
    'ﬁne',
    'fines',
  ],
  ...[
    'ofThe',
    'of_the',
    'theUnited',
    'utf8',
    '8',
    '８',
    'of8the',
    'C++',
    '東',
    'of東the',
    'flies',
    'fly',
    'ability',
    'able',
    'I',
    'İ',
    'ｏf',
    'o\u0301f',
    't\u0301he',
    'Œuvre',
    '②',
  ],
];
const separators = [
  ' ',
  ' ',
  ' ',
  ' ',
  '\n',
  ', ',
  '-',
  '. ',
  '/',
  '"',
  ' — ',
  ' ___ ',
  '',
  '😀',
  ' ℹ ',
  '\u200D',
  ' \u0301 ',
  '½ ',
  '’ ',
  ' “',
  '…',
  '\u00A0',
  '·',
  ' ⁓ ',
];
const wanted = [
  ...[
    'of the united',
    'the the',
    'of the',
    'unit of',
    'fine the',
    'fly of the',
    'able unit',
    'utf 8',
    'the 8',
    'of the the of',
  ],
  ...['I the', 'ability of', 'of I', 'fines then'],
];

describe('the fast check of a phrase', () => {
  it('passes every text with the phrase, and few others', () => {
    const random = new Random(7);
    let [having, passing, all] = [0, 0, 0];
    for (const words of wanted) {
      const phrase = new Phrase(words, 'en');
      for (let round = 0; round < 1500; round++) {
        let text = '';
        for (let count = random.integer(14); count >= 0; count--) {
          const own = words.split(' ');
          text += random.integer(3) > 0 ? own[random.integer(own.length)] : pieces[random.integer(pieces.length)];
          text += separators[random.integer(separators.length)];
        }
        const isIn = phrase.isIn(text);
        const mayBeIn = phrase.mayBeIn(text);
        if (isIn && !mayBeIn) expect.fail(`${JSON.stringify(text)} has ${words}`);
        [having, passing, all] = [having + Number(isIn), passing + Number(mayBeIn), all + 1];
      }
    }
    expect(having).toBeGreaterThan(1000);
    expect(passing).toBeLessThan(all * 0.9);
    const phrase = new Phrase('of the the', 'en');
    expect(phrase.mayBeIn('One of the theories of then the others.')).toBe(false);
    expect(phrase.mayBeIn('One of the, the others.')).toBe(true);
  });

  it('takes time in proportion to the text, whatever it is', () => {
    const phrase = new Phrase('of the of the of x', 'en');
    const began = performance.now();
    for (const part of ['of', 'ofthe', 'of the ', '_', 'of___', '\u0301', 'of\u0301'])
      phrase.mayBeIn(part.repeat(100_000 / part.length));
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('knows what the words of a stem begin with', () => {
    const text = readFileSync(new URL('../../node_modules/typescript/README.md', import.meta.url), 'utf8');
    const words = [
      'aying',
      'ays',
      'flies',
      'flying',
      'possibility',
      'hoping',
      'relational',
      'sensibly',
      'dies',
      'being',
      'ties',
    ];
    for (const word of [...words, ...(text.toLowerCase().match(/[a-z]+/g) ?? [])]) {
      expect(word.startsWith(beginOfWords(stemOf(word))), word).toBe(true);
    }
  });
});
