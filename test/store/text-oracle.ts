import { expect } from 'vitest';
import { searchFault } from '../../src/crash-test/exact-search.js';
import { scoreTexts } from '../../src/crash-test/exact-texts.js';
import type { DocumentId, SearchOptions, SemanticIndex } from '../../src/index.js';

/** Words whose stems differ in frequency: the first ones are common, the last ones rare. */
export const words = `anchor basket candle driver engine forest garden harbor island jacket kettle ladder running runs
  organization organized connection connected zipper yellow`.split(/\s+/);

/** A text of words that follow a power law, made of numbers from 0 to 1. */
export function textOf(numbers: readonly number[]): string {
  return numbers.map((number) => words[Math.floor(number ** 2 * words.length)]).join(' ');
}

export const queries = [
  'anchor',
  'zipper yellow',
  'running engine',
  'organize connections',
  'anchor basket candle',
  'nowhere',
];

/** Compares searches by text with BM25 of every document; `texts` are all documents in the order of their keys. */
export async function expectExhaustive(
  index: SemanticIndex,
  texts: ReadonlyMap<DocumentId, string>,
  options: Pick<SearchOptions, 'where'> & { readonly mayBeFound?: (id: DocumentId) => boolean } = {},
): Promise<void> {
  const { where, mayBeFound } = options;
  const documents = Array.from(texts, ([id, text]) => ({ id, text }));
  for (const k of [3, 1_000]) {
    const lists = await index.searchMany(queries, {
      k,
      mode: 'text',
      typos: false,
      ...(where === undefined ? {} : { where }),
    });
    for (const [position, { hits }] of lists.entries()) {
      const query = queries[position] as string;
      const expected = scoreTexts(documents, query, mayBeFound);
      expect({ query, k, fault: searchFault(hits, expected, k, true) }).toEqual({ query, k, fault: undefined });
      for (const { id, text } of hits) expect(text).toBe(texts.get(id));
    }
  }
}
