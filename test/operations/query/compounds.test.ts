import { describe, expect, it } from 'vitest';
import { SemanticIndex } from '../../../src/index.js';

const texts = [
  'Die Tür des Hauses ist rot.',
  'Ein Haus mit einer grünen Tür.',
  'Die Belegung des Speichers steht in einer Tabelle.',
  'Der Speicher ist voll, seine Belegung steigt.',
  'Ein Weg am Fluss entlang.',
  'Einmalig war nur ein Flussweg.',
];

async function found(query: string, options: { language?: string; typos?: boolean; from?: readonly string[] } = {}) {
  const { language = 'de', typos = true, from = texts } = options;
  await using index = await SemanticIndex.open(':memory:', { language });
  await index.addDocuments(from.map((text, place) => ({ id: place, text })));
  const { hits, explanation } = await index.search(query, { mode: 'text', typos, explain: true });
  return { ids: hits.map(({ id }) => id).sort(), corrected: explanation?.corrected };
}

describe('a compound that no document has', () => {
  it.each([
    ['Haustür', [0, 1]],
    ['Haustüren', [0, 1]],
    ['Speicherbelegung', [2, 3]],
    ['Speicherbelegungen', [2, 3]],
  ])('finds its parts: %s', async (query, ids) => {
    expect((await found(query)).ids).toEqual(ids);
  });

  it('is reported with its parts', async () => {
    const { corrected } = await found('Wo ist die Haustür?');
    expect(corrected).toEqual([{ from: 'Haustür', to: expect.stringMatching(/^haus tür$/i) }]);
  });

  it('is found as it is where a document has it', async () => {
    expect(await found('Flussweg')).toEqual({ ids: [5], corrected: undefined });
  });

  it('is not split into parts of which one is in one document only', async () => {
    expect((await found('Tabellenhaus')).ids).toEqual([]);
  });

  it.each([{ typos: false }, { language: 'fr' }, { language: 'en' }])('is left as it is with %o', async (options) => {
    expect((await found('Haustür', options)).ids).toEqual([]);
  });

  it('is split in an index with several languages', async () => {
    const english = ['The house of a friend stood near the river.', 'A door in the house was open.'];
    expect((await found('Haustür', { language: 'auto', from: [...texts, ...english] })).ids).toEqual([0, 1]);
  });

  it('is split in the way whose parts are in the most documents', async () => {
    // Staub-ecken and Stau-becken.
    const from = [
      'Ein Becken voll Wasser.',
      'Becken und Stau',
      'Der Stau',
      'Im Becken',
      'Staub in Ecken',
      'Staub, Ecken',
    ];
    expect((await found('Staubecken', { from })).ids).toEqual([0, 1, 2, 3]);
  });
});

it('splits Dutch and Swedish compounds', async () => {
  const dutch = ['Het station van de stad', 'Een stad met een station'];
  expect((await found('stadsstation', { language: 'nl', from: dutch })).ids).toEqual([0, 1]);
  const swedish = ['En station i staden', 'Stadens station är stor'];
  expect((await found('stadsstation', { language: 'sv', from: swedish })).ids).toEqual([0, 1]);
});
