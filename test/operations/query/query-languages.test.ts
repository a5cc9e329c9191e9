import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SemanticIndex } from '../../../src/index.js';

const texts = {
  de: [
    'Die Häuser der Stadt wurden im Krieg zerstört.',
    'Ein Haus am See mit einem großen Garten.',
    'Katzen jagen Mäuse in den Gärten.',
    'Der Krieg zerstörte auch die Stadt am See.',
  ],
  fr: [
    "L'hôpital soigne les malades de la ville.",
    'Les chevaux mangent dans la grande prairie.',
    'Un cheval malade fut soigné hier.',
    'La ville a construit de grands hôpitaux.',
  ],
  ru: [
    'Кошки ловят мышей в саду.',
    'Большой дом стоит у озера.',
    'В городе построили новые дома.',
    'Озёра и сады украшают город.',
  ],
} as const;
type Code = keyof typeof texts;
const codes = Object.keys(texts) as Code[];

const single = {} as Record<Code, SemanticIndex>;
let mixed: SemanticIndex;

beforeAll(async () => {
  for (const code of codes) {
    single[code] = await SemanticIndex.open(':memory:', { language: code });
    await single[code].addDocuments(texts[code].map((text, place) => ({ id: `${code}${place}`, text })));
  }
  mixed = await SemanticIndex.open(':memory:', { languageField: 'lang' });
  for (const code of codes) {
    await mixed.addDocuments(
      texts[code].map((text, place) => ({ id: `${code}${place}`, text, metadata: { lang: code } })),
    );
  }
});

afterAll(async () => {
  for (const index of [...Object.values(single), mixed]) await index?.close();
});

async function found(index: SemanticIndex, query: string): Promise<unknown[]> {
  const { hits } = await index.search(query, { mode: 'text', syntax: 'operators' });
  return hits.map(({ id }) => id).sort();
}

describe('words in the language of the index', () => {
  it.each(codes)('%s: correcting spelling changes no query whose words occur', async (code) => {
    const words = new Set(texts[code].flatMap((text) => text.match(/[\p{L}]{3,}/gu) ?? []));
    for (const word of words) {
      for (const index of [single[code], mixed]) {
        const [on, off] = await Promise.all(
          [true, false].map((typos) => index.search(word, { mode: 'text', typos, explain: true })),
        );
        expect(on?.hits, word).toEqual(off?.hits);
        expect(on?.explanation?.corrected ?? [], word).toEqual([]);
      }
    }
  });

  it.each([
    ['de', 'Haus', ['de0', 'de1']],
    ['de', 'Garten', ['de1', 'de2']],
    ['de', 'Maus', ['de2']],
    ['de', '"zerstörten Stadt"', []],
    ['de', '"Stadt wurde"', ['de0']],
    ['de', 'Garten -Mäuse', ['de1']],
    ['de', 'Stadt -"im Krieg"', ['de3']],
    ['de', 'Gart*', ['de1', 'de2']],
    ['fr', 'malade', ['fr0', 'fr2']],
    ['fr', '"grande prairies"', ['fr1']],
    ['fr', 'malades -cheval', ['fr0']],
    ['ru', 'кошка', ['ru0']],
    ['ru', '"новый дом"', ['ru2']],
    ['ru', 'дом -озеро', ['ru2']],
  ] as const)('%s: %s', async (code, query, ids) => {
    expect(await found(single[code], query)).toEqual(ids);
    const own = (await found(mixed, query)).filter((id) => String(id).startsWith(code));
    expect(own).toEqual(ids);
  });

  it('corrects by the words of the language, and names the written form', async () => {
    for (const index of [single.de, mixed]) {
      const { hits, explanation } = await index.search('Haaus', { mode: 'text', explain: true });
      expect(hits.map(({ id }) => id).sort()).toEqual(['de0', 'de1']);
      expect(explanation?.corrected).toEqual([{ from: 'Haaus', to: 'haus' }]);
    }
  });

  it('corrects typos in endings, which hide the stem', async () => {
    for (const index of [single.de, mixed]) {
      const { hits, explanation } = await index.search('Gartenn', { mode: 'text', explain: true });
      expect(hits.map(({ id }) => id).sort()).toEqual(['de1', 'de2']);
      expect(explanation?.corrected).toEqual([{ from: 'Gartenn', to: 'garten' }]);
    }
    const { hits } = await single.fr.search('prairrie', { mode: 'text' });
    expect(hits.map(({ id }) => id)).toEqual(['fr1']);
  });

  it('ranks documents with the word as it is written above those with other forms', async () => {
    for (const [index, stem] of [
      [single.de, 'haus'],
      // Its first language is English.
      [mixed, 'hauser'],
    ] as const) {
      const { hits } = await index.search('Häuser', { mode: 'text', explain: true });
      expect(hits.map(({ id }) => id)).toEqual(['de0', 'de1']);
      const words = hits.map(({ explanation }) => explanation?.words?.map(({ word }) => word));
      expect(words).toEqual([[stem, 'hauser'], [stem]]);
      for (const { score, explanation } of hits) {
        expect(explanation?.words?.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(score, 6);
      }
    }
  });

  it('suggests words as they are written', async () => {
    for (const index of [single.ru, mixed]) {
      expect((await index.suggest('кош')).map(({ word }) => word)).toEqual(['кошки']);
    }
  });
});
