import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenOptions, SearchOptions } from '../../src/options.js';
import { Random } from '../../src/random.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import type { DocumentInput, TextFields } from '../../src/types.js';
import { type OpenedIndex, searchProvider } from './searches.js';

const options = {
  textFields: { title: 4, body: 1, note: 0 },
  textTemplate: '{title}: {body}',
} satisfies OpenOptions;
const words = 'river stone garden winter harbour copper lantern orchard C++ max_size café 東京'.split(' ');

/** Documents with all, some and none of the fields. */
function documents(): DocumentInput[] {
  const random = new Random(3);
  const some = (most: number): string =>
    Array.from({ length: 1 + random.integer(most) }, () => words[Math.floor(random.number() ** 2 * words.length)]).join(
      ' ',
    );
  return Array.from({ length: 60 }, (_, id): DocumentInput => {
    if (id % 6 === 0) return { id, text: some(9) };
    const text: Record<string, string> = { body: `${some(12)}\n${some(3)}` };
    if (id % 4 !== 0) text.title = some(3);
    if (id % 5 === 0) text.note = 'secret winter';
    return { id, text, metadata: { group: id % 3 } };
  });
}

const searches: [name: string, query: string, options: SearchOptions][] = [
  ['words', 'garden copper', { mode: 'text', k: 60 }],
  ['names', 'C++ max_size café', { mode: 'text', k: 60 }],
  ['meaning', 'stone harbour', { mode: 'vector', exact: true, k: 20 }],
  ['both', 'orchard winter', { exact: true, k: 20 }],
  ['a filter', 'river lantern', { where: { group: 1 }, k: 20 }],
  ['a phrase inside one field', '"river stone"', { mode: 'text', syntax: 'operators', k: 60 }],
  ['an excluded phrase', 'river -"river river"', { mode: 'text', syntax: 'operators', k: 60 }],
  ['a prefix', 'har* cop*', { mode: 'text', syntax: 'operators', k: 60 }],
  ['a corrected word', 'harbuor', { mode: 'text', k: 60 }],
  ['snippets', 'garden "river stone"', { syntax: 'operators', snippet: { maxTokens: 12 }, k: 20 }],
  ['a word of a field without weight', 'secret', { mode: 'text', typos: false }],
];

/**
 * Texts with fields have the answers of an index in memory, whatever stores them.
 *
 * @param isSpread whether equal documents come in another order: that of their shards.
 */
export function testTextFields(
  name: string,
  open: (options: OpenOptions) => Promise<OpenedIndex>,
  isSpread = false,
): void {
  describe(`${name}: fields of texts`, () => {
    let subject: OpenedIndex;
    let reference: SemanticIndex;
    let both: readonly [SemanticIndex, SemanticIndex];

    beforeAll(async () => {
      subject = await open(options);
      reference = await SemanticIndex.open(':memory:', { provider: searchProvider, ...options });
      both = [reference, subject.index];
      for (const index of both) {
        await index.addDocuments([
          { id: 1, text: { title: 'replaced', body: 'before' } },
          { id: 'gone', text: { body: 'river' } },
        ]);
        expect(await index.addDocuments(documents())).toMatchObject({ added: 59, updated: 1 });
        expect(await index.deleteDocuments(['gone'])).toBe(1);
      }
    });
    afterAll(async () => {
      await reference.close();
      await subject.index.close();
      await subject.remove();
    });

    it.each(searches)('finds %s', async (_, query, options) => {
      const [expected, found] = await Promise.all(both.map((index) => index.search(query, options)));
      const [given, hits] = [expected, found].map((result) => {
        const list = result?.hits ?? [];
        return isSpread ? list.toSorted((a, b) => b.score - a.score || Number(a.id) - Number(b.id)) : list;
      });
      const shown = (list = given) =>
        list?.map(({ id, text, textFields, snippet }) => ({ id, text, textFields, snippet }));
      expect(shown(hits)).toEqual(shown(given));
      if (query !== 'secret') expect(given?.length).toBeGreaterThan(0);
      for (const [place, { score }] of (given ?? []).entries()) {
        expect(hits?.[place]?.score).toBeCloseTo(score, 6);
      }
    });

    it('returns fields as they were added, and embeds them once', async () => {
      for (const { id, text } of documents()) {
        const found = await subject.index.getDocument(id as number);
        expect(found?.textFields).toEqual(typeof text === 'string' ? undefined : text);
      }
      const { textFields, textTemplate } = await subject.index.stats();
      expect({ textFields, textTemplate }).toEqual(options);
      expect(await subject.index.addDocuments(documents())).toMatchObject({ unchanged: 60, embedded: 0 });
      const [given, listed] = await Promise.all(
        both.map(async (index) => {
          const { documents } = await index.listDocuments({ limit: isSpread ? 100 : 10 });
          const texts = documents.map(({ text }) => text);
          return isSpread ? texts.sort() : texts;
        }),
      );
      expect(listed).toEqual(given);
    });

    it('replaces fields, and finds what replaced them', async () => {
      const text: TextFields = { title: 'walrus', body: 'sings at night' };
      for (const index of both) expect(await index.addDocuments([{ id: 5, text }])).toMatchObject({ updated: 1 });
      const { hits } = await subject.index.search('walrus', { mode: 'text', k: 5 });
      expect(hits.map(({ id, textFields }) => ({ id, textFields }))).toEqual([{ id: 5, textFields: text }]);
      expect(await subject.index.validate()).toMatchObject({ valid: true });
    });
  });
}
