import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Retriever, type SearchOptions, SemanticIndex } from '../../../src/index.js';
import { Random } from '../../../src/random.js';
import { deterministicProvider } from '../../../src/testing.js';

/** Phrases, and about how many of the documents with their words have them. */
const phrases = [
  { words: ['copper', 'lantern'], share: 0.5 },
  { words: ['silver', 'harbor', 'gate'], share: 0.03 },
  { words: ['marble', 'orchard'], share: 0.001 },
  { words: ['violin', 'tunnel'], share: 0 },
];
const others = 'quiet river stone window garden letter market winter bridge copper silver marble amber paper'.split(
  ' ',
);

let index: SemanticIndex;
let having: number[];
beforeAll(async () => {
  const random = new Random(11);
  having = phrases.map(() => 0);
  index = await SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 8 }) });
  const documents = Array.from({ length: 12_000 }, (_, number) => {
    const words = Array.from({ length: 3 + random.integer(20) }, () => random.pick(others));
    const place = random.integer(phrases.length);
    const { words: own, share } = phrases[place] as (typeof phrases)[number];
    const isPhrase = random.chance(share);
    if (isPhrase) words.splice(random.integer(words.length), 0, ...own);
    else words.splice(0, words.length, own.at(-1) as string, ...words, ...own.slice(0, -1));
    const text = words.join(' ');
    const has = phrases.map((phrase) => ` ${text} `.includes(` ${phrase.words.join(' ')} `));
    for (const [other, isThere] of has.entries()) if (isThere) having[other] = (having[other] as number) + 1;
    return {
      id: number,
      text,
      metadata: { has: has.flatMap((isThere, other) => (isThere ? [other] : [])), stars: number % 7 },
    };
  });
  await index.addDocuments(documents);
}, 120_000);
afterAll(() => index.close());

describe('a phrase', () => {
  it('ranks as a filter to the documents that have it', async () => {
    const [common = 0, rare = 0, rarest = 0, none] = having;
    expect([common > 1000, rare > 60, rarest > 0, none]).toEqual([true, true, true, 0]);
    const variants: SearchOptions[] = [
      { mode: 'text', k: 5 },
      { mode: 'text', k: 300 },
      { mode: 'text', k: 10, boost: [{ field: 'stars', scale: 2, factor: 3 }] },
      { mode: 'text', k: 10, where: { stars: { $gte: 3 } } },
      { mode: 'vector', k: 10 },
      { mode: 'hybrid', k: 5 },
      { mode: 'hybrid', k: 120 },
      { mode: 'hybrid', k: 10, where: { stars: { $gte: 3 } } },
    ];
    for (const [place, { words }] of phrases.entries()) {
      for (const options of variants) {
        const query = words.join(' ');
        const filter = { $and: [{ has: { $contains: place } }, options.where ?? {}] };
        const { hits } = await index.search(`"${query}"`, { ...options, syntax: 'operators', typos: false });
        const { hits: expected } = await index.search(query, { ...options, where: filter, typos: false });
        const shown = (all: typeof hits) => all.map(({ id, score }) => ({ id, score: Math.fround(score) }));
        expect(shown(hits), `${query} ${JSON.stringify(options)}`).toEqual(shown(expected));
      }
    }
  }, 120_000);

  it('is found in a part of a long text', async () => {
    const filler = 'stone and paper, and stone again; ';
    const long = `${filler.repeat(2000)}a silver harbor ... gate ${filler.repeat(500)}`;
    for (let cut = 0; cut < 40; cut++) {
      await index.addDocuments([{ id: 'long', text: `${'x'.repeat(cut)} ${long}`, metadata: { stars: 99 } }]);
      const search: SearchOptions = { mode: 'text', syntax: 'operators', where: { stars: 99 } };
      expect((await index.search('"silver harbor gate"', search)).hits.map(({ id }) => id)).toEqual(['long']);
      expect((await index.search('"harbor silver"', search)).hits).toEqual([]);
    }
  });
});

describe('a phrase that hardly any document with its words has', () => {
  const count = 9_000;
  let many: SemanticIndex;
  beforeAll(async () => {
    many = await SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 8 }) });
    const without = Array.from({ length: count }, (_, id) => ({ id, text: `copper and lantern ${id}` }));
    const documents = [
      ...without,
      { id: 'short', text: 'lantern copper' },
      { id: 'long', text: `lantern copper ${'and so on '.repeat(50)}` },
    ];
    await many.addDocuments(documents);
  }, 120_000);
  afterAll(() => many.close());

  it('is looked for in the best 8,192 texts, and the result reports that', async () => {
    const search = { mode: 'text', syntax: 'operators', typos: false } as const;
    const { hits, phrases: read } = await many.search('"lantern copper"', search);
    expect(hits.map(({ id }) => id)).toEqual(['short']);
    expect(read).toEqual({ read: 8_192, of: count + 2 });
    const all = await many.search('"lantern copper"', { ...search, exact: true });
    expect(all.hits.map(({ id }) => id)).toEqual(['short', 'long']);
    expect(all).not.toHaveProperty('phrases');
  });

  it('is looked for in as many texts by both sides together', async () => {
    const search = { mode: 'hybrid', syntax: 'operators', typos: false } as const;
    const { hits, phrases: read } = await many.search('"lantern copper"', search);
    expect(hits.map(({ id }) => id)).toContain('short');
    expect(read?.of).toBe(count + 2);
    expect(read?.read).toBeGreaterThanOrEqual(4_096);
    expect(read?.read).toBeLessThanOrEqual(8_192);
    const all = await many.search('"lantern copper"', { ...search, exact: true });
    expect(all.hits.map(({ id }) => id).sort()).toEqual(['long', 'short']);
    expect(all).not.toHaveProperty('phrases');
  });

  it('is looked for in all texts that a filter leaves, if they are few', async () => {
    const search = { mode: 'text', syntax: 'operators', typos: false } as const;
    await many.addDocuments([{ id: 'own', text: `lantern copper ${'and on '.repeat(80)}`, metadata: { own: true } }]);
    const result = await many.search('"lantern copper"', { ...search, where: { own: true } });
    expect(result.hits.map(({ id }) => id)).toEqual(['own']);
    expect(result).not.toHaveProperty('phrases');
  });

  it('is reported for a retrieved context', async () => {
    const retriever = new Retriever(many, { mode: 'text', syntax: 'operators', typos: false });
    expect((await retriever.retrieve('"lantern copper"')).phrases?.read).toBe(8_192);
    expect(await retriever.retrieve('"copper and lantern"')).not.toHaveProperty('phrases');
  });

  it('is reported for the queries that it concerns', async () => {
    const search = { mode: 'text', syntax: 'operators', typos: false } as const;
    const [first, second] = await many.searchMany(['"lantern copper"', '"copper and lantern"'], search);
    expect(first?.phrases?.read).toBe(8_192);
    expect(second?.hits).toHaveLength(10);
    expect(second).not.toHaveProperty('phrases');
  });
});
