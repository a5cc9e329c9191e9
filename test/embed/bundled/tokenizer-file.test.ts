import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTokenizerFile } from '../../../src/embed/bundled/tokenizer-file.js';
import { tinyTokenizer } from './tiny-static-model.js';

type File = { model: { vocab: object } };

describe('parseTokenizerFile', () => {
  // Compared with what was written: JSON.parse of Node 24.21 reads a key that is one escaped character as a backslash.
  it('parses any vocabulary that JSON.stringify writes', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string({ unit: 'binary' }),
            fc.constantFrom('"', '\\', '\\"', '{', '}', '\n', 'vocab', '__proto__'),
          ),
          { minLength: 1 },
        ),
        fc.constantFrom(undefined, 1, '\t'),
        (tokens, indent) => {
          const original = tinyTokenizer(tokens) as File;
          const text = JSON.stringify(original, null, indent);
          const { file, vocabulary } = parseTokenizerFile(text);
          expect(vocabulary).toEqual(new Map(Object.entries(original.model.vocab)));
          expect({ ...file, model: { ...(file as unknown as File).model, vocab: original.model.vocab } }).toEqual(
            original,
          );
        },
      ),
    );
  });

  it.each([
    ['a list', { model: { type: 'Unigram', vocab: [['a', 0]] } }],
    ['names that are not numbered', { model: { type: 'WordPiece', vocab: { a: 'b' } } }],
    ['fractions', { model: { type: 'WordPiece', vocab: { a: 1.5 } } }],
    ['nothing', { model: { type: 'WordPiece', vocab: {} } }],
    ['another kind of model', { model: { type: 'BPE', vocab: { a: 1 } } }],
    ['added tokens', { added_tokens: [{ id: 0, content: 'x' }], model: { type: 'WordPiece', vocab: { a: 1 } } }],
    ['another vocabulary first', { vocab: { b: 2 }, added_tokens: [], model: { type: 'WordPiece', vocab: { a: 1 } } }],
    ['none', { model: {} }],
  ])('leaves the vocabulary in the file when it is %s', (_, file) => {
    expect(parseTokenizerFile(JSON.stringify(file))).toEqual({ file, vocabulary: undefined });
  });

  it.each(['', '{', '{"model":{"vocab":{"a":1', '{"model":{"vocab":{"a":1}', '{"model":{"vocab":{"a\\'])(
    'refuses %s',
    (text) => {
      expect(() => parseTokenizerFile(text)).toThrow(SyntaxError);
    },
  );
});
