import { expect, it } from 'vitest';
import type { SearchOptions } from '../../src/options.js';
import { Random } from '../../src/random.js';
import type { SemanticIndex } from '../../src/semantic-index.js';
import type { DocumentInput, Metadata, Where } from '../../src/types.js';
import { openIndexInMemory, openIndexOfShards } from '../contracts/stores.js';

const words = Array.from({ length: 120 }, (_, place) => {
  const [first, second, third] = [place % 11, place % 7, place % 5];
  return `${'bcdfghjklmn'[first]}${'aeiouyr'[second]}${'lrnst'[third]}${'pqvwxzk'[(place * 3) % 7]}a${place}`;
});

/** No two with the same text, so no two with the same similarity. */
function documents(count: number, random: Random): DocumentInput<Metadata>[] {
  return Array.from({ length: count }, (_, place): DocumentInput<Metadata> => {
    const length = 3 + random.integer(20);
    const text = Array.from({ length }, () => words[Math.floor(random.number() ** 2 * words.length)]);
    const metadata: Record<string, Metadata[string]> = {
      year: 1990 + random.integer(40),
      kind: `k${random.integer(5)}`,
    };
    if (random.chance(0.3)) metadata.tags = [`t${random.integer(4)}`, `u${random.integer(9)}`];
    if (random.chance(0.1)) delete metadata.kind;
    return { id: random.chance(0.3) ? place : `d${place}`, text: `${text.join(' ')} n${place}`, metadata };
  });
}

function filter(random: Random): Where {
  const conditions: (() => Where)[] = [
    () => ({ year: { $gte: 1990 + random.integer(40) } }),
    () => ({ kind: { $in: [`k${random.integer(5)}`, `k${random.integer(5)}`] } }),
    () => ({ kind: null }),
    () => ({ tags: `t${random.integer(4)}` }),
    () => ({ $or: [{ year: 1990 + random.integer(40) }, { tags: { $contains: `u${random.integer(9)}` } }] }),
    () => ({ $not: { year: { $lt: 1990 + random.integer(40) } } }),
  ];
  return random.pick(conditions)();
}

function search(random: Random): [query: string, options: SearchOptions] {
  const query = Array.from(
    { length: 1 + random.integer(6) },
    () => words[Math.floor(random.number() ** 2 * words.length)],
  );
  // A misspelt word, a prefix, or one that must not occur.
  const odd = random.integer(6);
  if (odd === 0) query.push(`${random.pick(words).slice(0, 3)}z${random.integer(90)}`);
  const options: SearchOptions = {
    mode: random.pick(['vector', 'text', 'hybrid']),
    exact: true,
    k: 1 + random.integer(20),
  };
  if (odd === 1 || odd === 2) {
    query.push(odd === 1 ? `${random.pick(words).slice(0, 2)}*` : `-${random.pick(words)}`);
    options.syntax = 'operators';
  }
  if (random.chance(0.5)) options.where = filter(random);
  const extra = random.integer(7);
  if (extra === 0) options.boost = [{ field: 'year', scale: 2000, factor: 3 }];
  if (extra === 1) options.boost = [{ where: { kind: 'k1' }, factor: 1.5 }];
  if (extra === 2) options.facets = ['kind', 'year', 'tags'];
  if (extra === 3) Object.assign(options, { mode: 'hybrid', groupBy: 'kind', groupSize: 2, k: 4 });
  if (extra === 4) options.vectorWeight = random.number();
  return [query.join(' '), options];
}

const asked = Number(process.env.SEMANTIC_INDEX_SHARD_QUERIES ?? 170);

it('gives the ids and scores of one index, for any number of shards', { timeout: 600_000 }, async () => {
  const random = new Random(11);
  const opened = [await openIndexInMemory(), await openIndexOfShards(2), await openIndexOfShards(3)];
  const indexes = opened.map(({ index }) => index) as [SemanticIndex, SemanticIndex, SemanticIndex];
  try {
    const all = documents(400, random);
    const ids = all.map(({ id }) => id as string | number);
    const gone = ids.filter(() => random.chance(0.1));
    const changed = all.filter(() => random.chance(0.1)).map((one) => ({ ...one, text: `${one.text} again` }));
    for (const index of indexes) {
      await index.addDocuments(all, { batchSize: 64 });
      expect(await index.deleteDocuments(gone)).toBe(gone.length);
      await index.addDocuments(changed);
      await index.deleteDocuments({ where: { year: 1991 } });
    }
    const [one, ...sharded] = indexes;
    let [compared, most] = [0, 0];
    for (let number = 0; number < asked; number++) {
      const [query, options] = search(random);
      const [expected, further] = [
        await one.search(query, options),
        await one.search(query, { ...options, k: (options.k ?? 10) + 60 }),
      ];
      for (const index of sharded) {
        const found = await index.search(query, options);
        const context = JSON.stringify([query, options]);
        expect(found.hits.length, context).toBe(expected.hits.length);
        for (const [place, { id, score }] of found.hits.entries()) {
          most = Math.max(most, Math.abs((expected.hits[place]?.score ?? Number.NaN) - score));
          if (expected.hits[place]?.id === id) continue;
          // Documents with equal scores are in the order of their shards.
          const ties = further.hits.filter((hit) => Math.abs(hit.score - score) < 1e-12).map((hit) => hit.id);
          expect(options.groupBy, context).toBeUndefined();
          expect(ties.length, context).toBeGreaterThan(1);
          expect(ties, context).toContain(id);
        }
        expect(new Set(found.hits.map(({ id }) => id)).size).toBe(found.hits.length);
        expect(found.facets, context).toEqual(expected.facets);
        expect(
          found.groups?.map(({ value }) => value),
          context,
        ).toEqual(expected.groups?.map(({ value }) => value));
        compared++;
      }
    }
    expect(compared).toBe(2 * asked);
    expect(most).toBeLessThan(1e-9);
    for (let number = 0; number < 20; number++) {
      const where = filter(random);
      const prefix = random.pick(words).slice(0, 1 + random.integer(3));
      const [expected, ...others] = await Promise.all(
        indexes.map(async (index) => ({
          count: await index.count({ where }),
          suggestions: await index.suggest(prefix, { where, limit: 4 }),
          ids: await listed(index, where, random.integer(30) + 1),
        })),
      );
      for (const other of others) expect(other).toEqual(expected);
    }
  } finally {
    for (const { index, remove } of opened) {
      await index.close();
      await remove();
    }
  }
});

/** All ids that match, read page by page. */
async function listed(index: SemanticIndex, where: Where, limit: number): Promise<unknown[]> {
  const ids: unknown[] = [];
  for (let after: string | number | undefined; ; ) {
    const { documents, next } = await index.listDocuments({
      where,
      limit,
      ...(after !== undefined && { after }),
    } as never);
    ids.push(...documents.map(({ id }) => id));
    if (next === undefined) return ids.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    after = next as string;
  }
}

it('embeds a text that another shard has no second time', async () => {
  const { index } = await openIndexOfShards(3);
  try {
    const ids = Array.from({ length: 30 }, (_, place) => `copy ${place}`);
    const first = await index.addDocuments([{ id: 'one', text: 'the very same text' }]);
    expect(first.embedded).toBe(1);
    const { added, embedded } = await index.addDocuments(ids.map((id) => ({ id, text: 'the very same text' })));
    expect({ added, embedded }).toEqual({ added: 30, embedded: 0 });
    const vectors = await index.getVectors(['one', ...ids]);
    for (const vector of vectors) expect(vector).toEqual(vectors[0]);
    const { hits } = await index.search('the very same text', { k: 40 });
    expect(new Set(hits.map(({ id }) => id))).toEqual(new Set(['one', ...ids]));
    expect(await index.validate({ level: 'full' })).toMatchObject({ valid: true });
  } finally {
    await index.close();
  }
});
