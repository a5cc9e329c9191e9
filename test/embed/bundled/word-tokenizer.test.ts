import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WordTokenizer } from '../../../src/embed/bundled/word-tokenizer.js';
import { SemanticIndexError } from '../../../src/errors.js';
import { tinyTokenizer } from './tiny-static-model.js';

const bundled = JSON.parse(
  readFileSync(new URL('../../../models/semantic-index-en/tokenizer.json', import.meta.url), 'utf8'),
);
const tiny = tinyTokenizer([
  'the',
  'cat',
  'ca',
  '##t',
  '##s',
  'a',
  'b',
  'ς',
  'σ',
  'α',
  'ας',
  'ασ',
  '##σ',
  '今',
  "'",
  '-',
  '2',
  'ss',
  'fi',
]);

/** Texts with difficult input: scripts, combining marks, cases, unusual spaces, surrogates, long runs. */
const pieces = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'the',
      'Cats',
      'JavaScript',
      'getUserName',
      'HTTPServer2',
      "don't",
      '3.14',
      'snake_case_name',
    ),
  },
  fc.constantFrom(
    ' ',
    '\t',
    '\n',
    '\u00a0',
    '\u3000',
    '\u2028',
    '\ufeff',
    '\u000b',
    '\u0085',
    '\u200b',
    '\u200d',
    '\u00ad',
    '\u0000',
  ),
  fc.constantFrom(
    'é',
    'e\u0301',
    '\u0301',
    'ﬁ',
    'Å',
    'ß',
    'İ',
    'ı',
    'Ω',
    'ΑΣ',
    "ΑΣ'Α",
    'ΟΔΥΣΣΕΥΣ.',
    'Ϲ',
    '𝚺',
    '𝛢𝚺',
    '²',
    'Ⅷ',
    '½',
    '㎏',
  ),
  fc.constantFrom(
    '今天天气很好',
    '東京タワー',
    'カ\u3099',
    '한국어',
    '한',
    'สวัสดีครับ',
    'हिन्दी',
    'مرحبا',
    'שלום',
    'Привет',
    'Ёлка',
    '，',
    '。',
    '「',
  ),
  fc.constantFrom(
    '🎉',
    '👨‍👩‍👧',
    '\ud800',
    '\udc00',
    '😀\ud83d',
    '—',
    '…',
    "'",
    '’',
    '`',
    '^',
    '·',
    ':',
    '.',
    '=\u0338',
    '-\u0301',
    '¨',
    '´',
  ),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({ unit: 'binary-ascii', maxLength: 12 }),
);
const texts = fc.array(pieces, { maxLength: 24 }).map((parts) => parts.join(''));

describe('WordTokenizer', () => {
  it.each([
    ['the bundled tokenizer', bundled],
    ['a tiny one', tiny],
  ])('gives what the library gives: %s', (_, file) => {
    const tokenizer = new WordTokenizer(JSON.stringify(file));
    const library = new Tokenizer(file, {});
    expect(tokenizer.fast).toBe(true);
    const equal = (text: string): void => {
      expect(tokenizer.encode(text)).toEqual(library.encode(text, { add_special_tokens: false }).ids);
    };
    equal('');
    equal('x'.repeat(500));
    equal(`${'word '.repeat(1000)}${'今天'.repeat(1000)}`);
    fc.assert(fc.property(texts, equal), { numRuns: 4000 });
  });

  it('matches the library for every single character, alone and between letters', () => {
    const tokenizer = new WordTokenizer(JSON.stringify(bundled));
    const library = new Tokenizer(bundled, {});
    for (let code = 0; code < 0x3200; code++) {
      const character = String.fromCharCode(code);
      for (const text of [character, `ab${character}Cd ${character}`]) {
        const expected = library.encode(text, { add_special_tokens: false }).ids;
        if (tokenizer.encode(text).join() !== expected.join()) {
          expect.fail(`U+${code.toString(16)} in ${JSON.stringify(text)}`);
        }
      }
    }
  });

  it('does not depend on earlier texts, even when the word cache overflows', () => {
    const tokenizer = new WordTokenizer(JSON.stringify(bundled));
    const before = tokenizer.encode('unbelievably 日本 café');
    for (let word = 0; word < 150_000; word++) tokenizer.encode(`w${word.toString(36)}`);
    expect(tokenizer.encode('unbelievably 日本 café')).toEqual(before);
  });

  it('tokenizes a long text in steps', () => {
    const tokenizer = new WordTokenizer(JSON.stringify(bundled));
    const text = 'one two three '.repeat(2000);
    const ids: number[] = [];
    let steps = 0;
    for (let position = 0; position < text.length; steps++) position = tokenizer.step(text, position, ids);
    expect(steps).toBeGreaterThan(20);
    expect(ids).toEqual(tokenizer.encode(text));
  });

  it.each([
    ['a normalizer that composes', { normalizer: { type: 'NFC' } }],
    ['a replacement that sees spaces', { normalizer: { type: 'Replace', pattern: { Regex: 'a\\sb' }, content: 'ab' } }],
    ['a replacement of anything but', { normalizer: { type: 'Replace', pattern: { Regex: '[^a-z]' }, content: '' } }],
    ['a replacement of nothing', { normalizer: { type: 'Replace', pattern: { Regex: '(?:ab|)' }, content: 'a' } }],
    ['a replacement at the end', { normalizer: { type: 'Replace', pattern: { Regex: 's$' }, content: '' } }],
    ['a literal replacement', { normalizer: { type: 'Replace', pattern: { String: 'a b' }, content: 'cat' } }],
    ['another pre-tokenizer', { pre_tokenizer: { type: 'Whitespace' } }],
    ['no pre-tokenizer', { pre_tokenizer: null }],
    ['added tokens', { added_tokens: [{ id: 1, content: '[UNK]', special: true, normalized: false }] }],
  ])('leaves whole texts to the library where words depend on their neighbours: %s', (_, change) => {
    const file = tinyTokenizer(['the', 'cat', 'a', 'b', 'ab', 's'], change);
    const tokenizer = new WordTokenizer(JSON.stringify(file));
    const library = new Tokenizer(file, {});
    expect(tokenizer.fast).toBe(false);
    for (const text of ['the cat', 'a b', 'as s', '[UNK]a', 'ab a\u0301']) {
      expect(tokenizer.encode(text)).toEqual(library.encode(text, { add_special_tokens: false }).ids);
    }
  });

  it('refuses a file that is not a tokenizer', () => {
    for (const file of [{}, { model: {} }, tinyTokenizer([], { model: { type: 'Magic' } })]) {
      expect(() => new WordTokenizer(JSON.stringify(file))).toThrow(SemanticIndexError);
    }
  });

  it.each(['x', 'aB', '1', 'é', '語', '😀', '-', ' '])('tokenizes megabytes of "%s" in short steps', (unit) => {
    const tokenizer = new WordTokenizer(JSON.stringify(bundled));
    const text = unit.repeat(1_000_000 / unit.length);
    const ids: number[] = [];
    let [steps, longest] = [0, 0];
    for (let position = 0; position < text.length; steps++) {
      const next = tokenizer.step(text, position, ids);
      expect(next).toBeGreaterThan(position);
      // A run is cut behind 16,384 characters, not within a pair.
      longest = Math.max(longest, next - position);
      expect(text.slice(position, next).isWellFormed()).toBe(true);
      position = next;
    }
    expect(longest).toBeLessThanOrEqual(4096 + 16_384 + 1);
    expect(steps).toBeGreaterThanOrEqual(1_000_000 / (4096 + 16_384 + 1));
    // Each piece of a run is tokenized as the library does it.
    const piece = unit.repeat(16_384 / unit.length);
    const wanted = new Tokenizer(bundled, {}).encode(piece, { add_special_tokens: false }).ids;
    expect(ids.slice(0, wanted.length)).toEqual(wanted);
  });
});
