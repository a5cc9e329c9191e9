import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findDuplicates } from '../../src/dedupe/find-duplicates.js';
import type { SearchOptions, SuggestOptions } from '../../src/options.js';
import { Random } from '../../src/random.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { deterministicProvider } from '../../src/testing.js';
import type { DocumentInput, Metadata, SearchResult, Where } from '../../src/types.js';

/** Opens a new, empty index that is removed by `remove` once it is closed. */
export interface OpenedIndex {
  readonly index: SemanticIndex;
  readonly remove: () => void | Promise<void>;
}

const dimensions = 24;
export const searchProvider = deterministicProvider({ dimensions });
const words =
  `river stone garden winter harbour copper lantern orchard thunder velvet meadow anchor marble willow ember falcon
  glacier hollow ivory jungle kettle ladder mirror needle orange pepper quartz ribbon saddle timber`.split(/\s+/);

/** Documents with metadata of every kind, and texts with repeated, rare and composed words. */
function documents(): DocumentInput<Metadata>[] {
  const random = new Random(7);
  return Array.from({ length: 80 }, (_, place): DocumentInput<Metadata> => {
    const text = Array.from(
      { length: 4 + random.integer(14) },
      () => words[Math.floor(random.number() ** 2 * words.length)],
    );
    if (place % 9 === 0) text.push('C++20', 'v1.2.3');
    const metadata: Record<string, Metadata[string]> = { year: 1990 + (place % 30), place };
    if (place % 4 !== 0) metadata.lang = ['en', 'de', 'fr'][place % 3] as string;
    if (place % 5 === 0) metadata.tags = [`t${place % 3}`, `u${place % 7}`];
    if (place % 6 === 0) metadata.author = { name: `a${place % 4}`, age: place % 12 === 0 ? null : place };
    if (place % 8 === 0) metadata.parts = [{ n: place % 3, tag: 'x' }, { n: 5 }, 'loose'];
    if (place % 10 === 0) metadata.date = new Date(Date.UTC(2020 + (place % 4), place % 12, 5)).toISOString();
    if (place === 33) metadata.odd = '\'; DROP TABLE documents; -- \u0000 " \\ é 漢';
    return { id: place % 2 === 0 ? place : `d${place}`, text: text.join(' '), metadata: metadata as Metadata };
  });
}

const filters: Where[] = [
  { year: { $gte: 2000, $lt: 2010 } },
  { lang: null },
  { lang: { $in: ['de', 'fr', null] } },
  { lang: { $gt: 'de' } },
  { tags: 't1' },
  { tags: { $all: ['t0', 'u5'] } },
  { tags: { $size: 2 } },
  { tags: ['t0', 'u0'] },
  { 'author.name': { $ne: 'a2' } },
  { 'author.age': null },
  { 'author.age': { $exists: true } },
  { 'parts.n': { $gte: 5 } },
  { parts: { $elemMatch: { n: { $lt: 2 }, tag: 'x' } } },
  { 'parts.0.n': 2 },
  { parts: { $contains: 'loose' } },
  { date: { $contains: '2021' } },
  { $not: { $or: [{ year: 1999 }, { place: { $gt: 60 } }] } },
  { year: '1999' },
  { odd: '\'; DROP TABLE documents; -- \u0000 " \\ é 漢' },
  { "x' OR 1=1 --": 1 },
  { 'no such': { $exists: false }, place: { $nin: [1, 2, 3] } },
];

const searches: [name: string, query: string, options: SearchOptions][] = [
  ...(['vector', 'text', 'hybrid'] as const).map((mode): [string, string, SearchOptions] => [
    mode,
    'stone garden by the river',
    { mode, exact: true, k: 15 },
  ]),
  ['repeated and unknown words', 'winter winter nowhere harbour', { mode: 'text' }],
  ['names with signs', 'C++20 and v1.2.3', { mode: 'hybrid' }],
  ['no words', '!!!', { mode: 'hybrid' }],
  ['quotes and NUL', `'; DROP SCHEMA public; -- \u0000 "\\`, { mode: 'hybrid' }],
  ['a weight of the vector', 'copper lantern', { vectorWeight: 0.8 }],
  ['a minimum of the score', 'copper lantern', { minScore: 0.3 }],
  ['diversity', 'orchard thunder', { diversity: 0.4, k: 8 }],
  ['operators', 'river "stone garden" -winter', { syntax: 'operators' }],
  ['a prefix', 'har* cop*', { syntax: 'operators', mode: 'text' }],
  ['corrected words', 'garden harbuor cooper', { mode: 'text' }],
  ['a boost by age', 'meadow', { boost: [{ field: 'date', halfLife: '365d' }] }],
  ['a boost by a number', 'meadow anchor', { mode: 'text', boost: [{ field: 'year', scale: 2000, factor: 3 }] }],
  ['a boost by a filter', 'meadow anchor', { boost: [{ where: { lang: 'de' }, factor: 2 }], mode: 'vector' }],
  ['groups', 'stone', { groupBy: 'lang', groupSize: 2, k: 4 }],
  ['facets', 'stone', { mode: 'text', facets: ['lang', 'tags', 'year'] }],
  ['snippets', 'stone garden', { snippet: true }],
  ...filters.map((where): [string, string, SearchOptions] => [
    `where ${JSON.stringify(where)}`,
    'stone meadow',
    { where, exact: true, k: 30 },
  ]),
];

/** What an answer says, without what differs by the way in which it was found; scores are compared apart. */
function answer({ hits, facets, groups, next }: SearchResult): { ids: unknown[]; rest: unknown; scores: number[] } {
  return {
    ids: hits.map(({ id }) => id),
    scores: hits.map(({ score }) => score),
    rest: {
      facets,
      groups: groups?.map(({ value, hits }) => [value, hits.map(({ id }) => id)]),
      hasNext: next !== undefined,
      hits: hits.map(({ text, metadata, snippet }) => ({ text, metadata, snippet })),
    },
  };
}

/**
 * Searches, lists and look-ups give the answers of an index in memory: same documents, scores to 1e-6.
 *
 * @param isSpread whether documents with equal values of a field come in another order: that of their shards.
 */
export function testSearches(name: string, open: () => Promise<OpenedIndex>, isSpread = false): void {
  describe(`${name}: searches`, () => {
    let subject: OpenedIndex;
    let reference: SemanticIndex;
    let both: readonly [SemanticIndex, SemanticIndex];

    beforeAll(async () => {
      subject = await open();
      reference = await SemanticIndex.open(':memory:', { provider: searchProvider });
      both = [reference, subject.index];
      for (const index of both) {
        await index.addDocuments([
          { id: 'd3', text: 'replaced' },
          { id: 'gone', text: 'deleted by id' },
        ]);
        expect(await index.addDocuments(documents())).toMatchObject({ added: 79, updated: 1 });
        expect(await index.deleteDocuments(['gone', 'never there'])).toBe(1);
        await index.addDocuments([{ id: 'old', text: 'deleted by filter', metadata: { old: true } }]);
        expect(await index.deleteDocuments({ where: { old: true } })).toBe(1);
        expect(await index.updateMetadata([{ id: 2, metadata: { year: 1999, changed: true } }])).toBe(1);
      }
    });
    afterAll(async () => {
      await reference.close();
      await subject.index.close();
      await subject.remove();
    });

    it.each(searches)('%s', async (_, query, options) => {
      const [expected, found] = await Promise.all(both.map((index) => index.search(query, options)));
      const [one, other] = [answer(expected as SearchResult), answer(found as SearchResult)];
      expect(other.ids).toEqual(one.ids);
      expect(other.rest).toEqual(one.rest);
      for (const [place, score] of one.scores.entries()) {
        expect(Math.abs((other.scores[place] as number) - score)).toBeLessThan(1e-6);
      }
    });

    it('explains the parts of scores', async () => {
      const options = { explain: true, exact: true } as const;
      const [one, other] = await Promise.all(both.map((index) => index.search('stone garden winter', options)));
      for (const [place, hit] of (one as SearchResult).hits.entries()) {
        const { score, explanation } = (other as SearchResult).hits[place] as SearchResult['hits'][number];
        expect(score).toBeCloseTo(hit.score, 6);
        expect(JSON.parse(JSON.stringify(explanation), rounded)).toEqual(
          JSON.parse(JSON.stringify(hit.explanation), rounded),
        );
      }
    });

    it('continues pages where they end', async () => {
      const pages = async (index: SemanticIndex): Promise<unknown[]> => {
        const ids: unknown[] = [];
        for (let after: string | undefined; ; ) {
          const { hits, next } = await index.search('stone river', { k: 7, exact: true, after });
          ids.push(...hits.map(({ id }) => id));
          if (next === undefined || ids.length > 40) return ids;
          after = next;
        }
      };
      expect(await pages(subject.index)).toEqual(await pages(reference));
    });

    const inOrder = <T>(list: T[]): T[] =>
      isSpread ? list.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : list;

    it.each(filters)('counts, lists and facets where %j', async (where) => {
      const [one, other] = await Promise.all(
        both.map(async (index) => ({
          count: await index.count({ where }),
          listed: inOrder(
            (await index.listDocuments({ where, limit: 80 })).documents.map(({ id, metadata }) => [id, metadata]),
          ),
          sorted: (
            await index.listDocuments({ where, sort: { field: 'year', order: 'desc' }, limit: 9 })
          ).documents.map(({ id, metadata }) => (isSpread ? metadata.year : id)),
          facets: await index.facets({ where, fields: { lang: {}, year: { ranges: [{ to: 2000 }, { from: 2000 }] } } }),
        })),
      );
      expect(other).toEqual(one);
    });

    it.each([
      ['sto', {}],
      ['garden win', {}],
      ['ha', { where: { lang: 'de' }, limit: 3 }],
    ] as [string, SuggestOptions][])('suggests for %s', async (text, options) => {
      const [one, other] = await Promise.all(both.map((index) => index.suggest(text, options)));
      expect(other).toEqual(one);
    });

    it('returns documents and vectors by id', async () => {
      const ids = [0, '0', 'd33', 'missing'];
      const [one, other] = await Promise.all(
        both.map(async (index) => [await index.getDocuments(ids), await index.getVectors(ids)]),
      );
      expect(other).toEqual(one);
    });

    it('finds duplicates', async () => {
      const found = await Promise.all(
        both.map(async (index) => {
          const { groups } = await findDuplicates(index, { threshold: 0.9 });
          return groups.map(({ representative, duplicates }) => [representative, duplicates.map(({ id }) => id)]);
        }),
      );
      expect(found[1]).toEqual(found[0]);
    });

    it('exports and imports without embedding, vectors byte for byte', async () => {
      const rows = async (index: SemanticIndex): Promise<unknown[]> => {
        const all: unknown[] = [];
        for await (const { id, text, metadata, vector } of index.documents()) all.push({ id, text, metadata, vector });
        return all.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
      };
      expect(await rows(subject.index)).toEqual(await rows(reference));
    });

    it('refuses a vector of another length', async () => {
      const vector = new Float32Array(5).fill(1);
      await expect(subject.index.addDocuments([{ id: 'v', text: 'x', vector }])).rejects.toMatchObject({
        code: 'DIMENSION_MISMATCH',
      });
    });

    it('is valid afterwards', async () => {
      expect(await subject.index.validate({ level: 'full' })).toMatchObject({ valid: true });
    });
  });
}

function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1e5) / 1e5 : value;
}
