import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PieceTable } from '../../../src/analysis/piece-table.js';
import { bundledProvider, modelFolderOf } from '../../../src/embed/bundled/bundled-provider.js';
import { PieceEmbedder } from '../../../src/embed/bundled/piece-embedder.js';
import { readStaticModelConfig, StaticModel } from '../../../src/embed/bundled/static-model.js';
import { randomText } from '../../analysis/random-text.js';

const folder = modelFolderOf(bundledProvider()) as string;
const model = await StaticModel.load(folder, readStaticModelConfig(folder));
const table = new PieceTable();
const embedder = new PieceEmbedder(model, table);
const embed = (text: string) => embedder.embed(text, table.scan(text));

describe('PieceEmbedder', () => {
  it('embeds as the model does, to the bit', () => {
    const words = fc.array(fc.constantFrom('pear', 'Pear,', '(quince)', 'GitHub', "don't", '1.5', 'ΟΔΟΣ', 'xqzv'), {
      maxLength: 150,
    });
    const text = fc.oneof(
      randomText,
      fc.tuple(words, fc.constantFrom(' ', '\n', '  ')).map(([list, space]) => list.join(space)),
      fc.tuple(words, randomText, words).map(([before, one, after]) => [...before, one, ...after].join(' ')),
    );
    fc.assert(
      fc.property(text, (one) => {
        expect(embed(one)).toEqual(model.embed(one));
      }),
      { numRuns: 1000 },
    );
  });

  it('embeds texts of more than one step, and of long pieces', () => {
    const sentence = 'The wind shook the pear trees in the orchard behind the house. ';
    for (const text of [sentence.repeat(11), sentence.repeat(200), 'pear'.repeat(5000), `${'x'.repeat(70)} pear`]) {
      expect(embed(text)).toEqual(model.embed(text));
    }
  });

  it('embeds the same after more pieces than the table holds', () => {
    const text = 'Pears ripen off the tree, quinces do not.';
    const before = embed(text);
    const generation = table.generation;
    for (let n = 0; table.generation === generation; n += 50) {
      embed(Array.from({ length: 50 }, (_, at) => `w${n + at}`).join(' '));
    }
    expect(embed(text)).toEqual(before);
  });
});
