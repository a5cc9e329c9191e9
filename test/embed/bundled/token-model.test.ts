import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeTexts, TextPreparer } from '../../../src/analysis/text-preparer.js';
import { bundledProvider, modelFolderOf } from '../../../src/embed/bundled/bundled-provider.js';
import { readStaticModelConfig, StaticModel } from '../../../src/embed/bundled/static-model.js';
import { randomText } from '../../analysis/random-text.js';
import { withSaturation } from './saturated-model.js';

const packaged = modelFolderOf(bundledProvider()) as string;

describe.each([
  ['that adds every token', undefined],
  ['in which repeated tokens saturate', { k1: 2, b: 0.75, average_tokens: 100 }],
  ['in which they count once, and long texts are not told apart', { k1: 0, b: 1, average_tokens: 1.5 }],
])('TextPreparer with a model %s', async (_, saturation) => {
  const folder = withSaturation(packaged, saturation);
  const model = await StaticModel.load(folder, readStaticModelConfig(folder));
  const tokens = model.tokenModel();
  const preparer = new TextPreparer(tokens);
  const embedAll = (texts: readonly string[]) => preparer.prepare(encodeTexts(texts), { analyze: undefined }, () => {});
  const embed = (text: string) => embedAll([text]);

  it('embeds as the model does, to the bit', () => {
    const words = fc.array(fc.constantFrom('pear', 'Pear,', '(quince)', 'GitHub', "don't", '1.5', 'ΟΔΟΣ', 'xqzv'), {
      maxLength: 400,
    });
    const text = fc.oneof(
      randomText,
      fc.tuple(words, fc.constantFrom(' ', '\n', '  ')).map(([list, space]) => list.join(space)),
      fc.tuple(words, randomText, words).map(([before, one, after]) => [...before, one, ...after].join(' ')),
    );
    fc.assert(
      fc.property(text, (one) => {
        const wellFormed = one.toWellFormed();
        const { vector, tokens: count } = tokens.embed(wellFormed);
        expect(embed(wellFormed)).toMatchObject({ vectors: vector, tokens: count, terms: undefined });
      }),
      { numRuns: 750 },
    );
  });

  it('embeds texts of more than one step, of long pieces, and texts that are cut off', () => {
    const sentence = 'The wind shook the pear trees in the orchard behind the house. ';
    const texts = [
      ...[1, 9, 10, 11, 21, 22, 200, 400].map((times) => sentence.repeat(times)),
      `${'pear-tree/'.repeat(70)} and ${'a-b '.repeat(130)}`,
      ...[4090, 4095, 4096, 4100].map((spaces) => `pear${' '.repeat(spaces)}quince, plum`),
      ...[100, 127, 128, 129].map((count) => `${'pear '.repeat(count)}${' '.repeat(4000)}quince`),
      'pear'.repeat(5000),
      `${'x'.repeat(70)} pear`,
      `${sentence.repeat(500)} ΟΔΟΣ`,
      `${'é'.repeat(60)} `.repeat(100),
    ];
    for (const text of texts) {
      const { vector, tokens: count } = tokens.embed(text);
      expect(embed(text)).toMatchObject({ vectors: vector, tokens: count, terms: undefined });
    }
    const all = embedAll(texts);
    expect(all.vectors).toEqual(Float32Array.from(texts.flatMap((text) => [...tokens.embed(text).vector])));
  });

  it('embeds the same after more pieces than it remembers', () => {
    const text = 'Pears ripen off the tree, quinces do not.';
    const before = embed(text);
    for (let n = 0; n < 250_000; n += 2_500) embed(Array.from({ length: 2_500 }, (_, at) => `w${n + at}`).join(' '));
    expect(embed(text)).toEqual(before);
    expect(before.vectors).toEqual(tokens.embed(text).vector);
  });

  it('keeps nothing of a batch that is not wanted any more', () => {
    const texts = encodeTexts(Array.from({ length: 20 }, (_, n) => `pear ${n} `.repeat(2_000)));
    let calls = 0;
    const cancelling = (): void => {
      if (++calls === 3) throw new Error('enough');
    };
    expect(() => preparer.prepare(texts, { analyze: { language: 'en' } }, cancelling)).toThrow('enough');
    const fresh = new TextPreparer(tokens);
    const prepare = (one: TextPreparer) =>
      one.prepare(encodeTexts(['quince']), { analyze: { language: 'en' } }, () => {});
    expect(prepare(preparer)).toEqual(prepare(fresh));
  });
});
