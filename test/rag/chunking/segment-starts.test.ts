import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import '../../property-seed.js';
import { dictionaryWordStarts, segmentStarts } from '../../../src/rag/chunking/segment-starts.js';

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
const words = new Intl.Segmenter('en', { granularity: 'word' });
const dense = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

const sentence = fc.oneof(
  fc.stringMatching(/^[A-Z][a-z]{1,8}( [a-z]{1,8}){0,6}[.!?]["')]? $/),
  fc.constantFrom(
    'e.g. this, Mr. X. ',
    '3.14 and 2.7.1 ',
    'he said “No.” Then… ',
    '日本語の文章です。',
    '猫は。',
    'ok?!\n',
    '. . . ',
  ),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
);
const prose = fc.array(sentence, { minLength: 5, maxLength: 120 }).map((pieces) => pieces.join(''));
const dictionaryRun = fc.oneof(
  fc.constantFrom('東京都に行きます', '昨日は雨だった', '他养了一只猫', 'カタカナ', 'ภาษาไทยง่าย', 'abc', '42'),
  fc.constantFrom('。', '、', ' ', '\n', '！'),
);
const dictionaryText = fc.array(dictionaryRun, { maxLength: 60 }).map((pieces) => pieces.join(''));

describe('segmentStarts', () => {
  it('finds the sentences of the whole text, window by window', () => {
    fc.assert(
      fc.property(prose, (text) => {
        const whole = [...sentences.segment(text)].map(({ index }) => index);
        expect(segmentStarts(sentences, text, 256)).toEqual(whole);
      }),
      { numRuns: 150 },
    );
  });

  it('enlarges the window for a sentence that does not fit, and returns to the small one', () => {
    const text = `${'word '.repeat(2000)}ends. Short one. Another. ${'more '.repeat(3000)}end.`;
    const whole = [...sentences.segment(text)].map(({ index }) => index);
    expect(segmentStarts(sentences, text, 64)).toEqual(whole);
    expect(segmentStarts(sentences, '', 64)).toEqual([]);
  });
});

describe('dictionaryWordStarts', () => {
  it('finds the words of the whole text if windows can end between words', () => {
    fc.assert(
      fc.property(dictionaryText, (text) => {
        // Runs of letters longer than half a window may be cut within a word.
        fc.pre(!/[^\s、。！]{32}/.test(text));
        const whole = [...words.segment(text)].flatMap(({ index, segment }) => (dense.test(segment) ? [index] : []));
        expect(dictionaryWordStarts(words, text, 64)).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });

  it('never splits a letter from its combining marks, nor a surrogate pair', () => {
    const text = '𠮷野家'.repeat(100) + 'กำ้'.repeat(100);
    for (const start of dictionaryWordStarts(words, text, 16)) {
      expect(/^[\p{M}\uDC00-\uDFFF]/u.test(text.slice(start))).toBe(false);
    }
  });
});
