import { expect, test } from 'vitest';
import { loadWordKnowledge } from '../../../src/embed/bundled/bundled-provider.js';
import { readStaticModelConfig, StaticModel } from '../../../src/embed/bundled/static-model.js';
import { TableKnowledge } from '../../../src/embed/bundled/word-knowledge.js';
import { tinyStaticModel } from './tiny-static-model.js';

const vocabulary = ['7', 'the', 'of', 'and', 'cat', 'ing'];
const unknown = 1.1;

async function knowledgeOf(wordRows?: number): Promise<TableKnowledge> {
  const { folder } = tinyStaticModel(vocabulary, wordRows === undefined ? {} : { wordRows });
  return new TableKnowledge(await StaticModel.load(folder, readStaticModelConfig(folder)));
}

test('treats pieces of words, whose rows follow those of whole words, as unknown words', async () => {
  const knowledge = await knowledgeOf(2 + vocabulary.indexOf('ing'));
  expect(knowledge.rarity('ing')).toBe(unknown);
  expect(knowledge.rarity('cat')).toBeLessThan(unknown);
  expect(knowledge.rarity('dog')).toBe(unknown);
});

test('treats every row as a word if the config has no word_rows', async () => {
  expect((await knowledgeOf()).rarity('ing')).toBeLessThan(unknown);
});

test('knows the rarest words of the bundled model, but not its pieces', async () => {
  const knowledge = await loadWordKnowledge();
  expect(knowledge.rarity('reimbursement')).toBeLessThan(unknown);
  expect(knowledge.rarity('ation')).toBe(unknown);
});
