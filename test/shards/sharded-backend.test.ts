import { afterEach, describe, expect, it } from 'vitest';
import { analysisToSetting } from '../../src/analysis/text-analysis.js';
import type { Backend } from '../../src/backend/backend.js';
import { contentHash } from '../../src/backend/content-hash.js';
import { BackendLocation } from '../../src/open-index.js';
import { Random } from '../../src/random.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { openShards, refuseShard } from '../../src/shards/open-shards.js';
import { Placement } from '../../src/shards/placement.js';
import { deterministicProvider } from '../../src/testing.js';
import { add, answer, provider, vectorOf } from '../contracts/documents.js';
import { openMemory } from '../contracts/stores.js';

/** Backends in memory that stay open when the index of them is closed: another one is made of them. */
async function newShards(count: number): Promise<Backend[]> {
  const opened = await Promise.all(Array.from({ length: count }, () => openMemory()));
  shards.push(...opened.map(({ backend }) => backend));
  return opened.map(({ backend }) => backend);
}

const shards: Backend[] = [];
afterEach(async () => {
  for (const shard of shards.splice(0)) await shard.close();
});

/** A backend with other methods, which leaves the real one open. */
function withMethods(backend: Backend, methods: Partial<Backend>): Backend {
  return new Proxy(backend, {
    get(target, name) {
      if (name === 'close') return async () => {};
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const open = (of: readonly Backend[], readonly = false) =>
  openShards(
    of.map((shard) => async () => withMethods(shard, {})),
    readonly,
  );
const documents = Array.from({ length: 40 }, (_, place) => ({ id: `d${place}`, text: `text number ${place}` }));

describe('places of documents and keys', () => {
  it('spread evenly, the same for the same ids', () => {
    const placement = new Placement(4);
    const ids = Array.from({ length: 4_000 }, (_, place) => (place % 2 === 0 ? place : String(place - 1)));
    const places = placement.ofIds(ids);
    expect(placement.ofIds(ids)).toEqual(places);
    for (let shard = 0; shard < 4; shard++) {
      expect(places.filter((place) => place === shard).length).toBeGreaterThan(850);
    }
    // 7 and '7' are different ids.
    expect(ids.some((_, place) => place % 2 === 0 && places[place] !== places[place + 1])).toBe(true);
  });

  it('map keys to those of the shards and back', () => {
    const placement = new Placement(3);
    for (let local = 1; local < 50; local++) {
      for (let shard = 0; shard < 3; shard++) {
        const key = placement.global(local, shard);
        expect([placement.local(key), placement.of(key)]).toEqual([local, shard]);
        for (let other = 0; other < 3; other++) {
          const after = placement.after(key, other);
          expect(placement.global(after + 1, other)).toBeGreaterThan(key);
          if (after > 0) expect(placement.global(after, other)).toBeLessThanOrEqual(key);
        }
      }
    }
  });
});

describe('shards of one index', () => {
  it('are opened in their order, all of them, and not alone', async () => {
    const [a, b, c] = (await newShards(3)) as [Backend, Backend, Backend];
    await expect(open([a, b], true)).rejects.toMatchObject({ code: 'NOT_AN_INDEX' });
    await add(await open([a, b]), documents);
    expect(await (await open([a, b], true)).count()).toBe(40);
    for (const wrong of [[b, a], [a, b, c], [a, c, b], [b], [a, a]]) {
      await expect(open(wrong), String(wrong.length)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    await expect(refuseShard(withMethods(a, {}))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await refuseShard(c)).toBe(c);
    await add(c, documents);
    const [d] = (await newShards(1)) as [Backend];
    await expect(open([c, d])).rejects.toThrow('without shards');
    await expect(open([d, d])).rejects.toThrow('same index');
  });

  it('are completed when their creation was interrupted', async () => {
    const [a, b] = (await newShards(2)) as [Backend, Backend];
    const set = (): Promise<void> => Promise.reject(new Error('killed'));
    const failing = withMethods(b, { settings: { get: (name) => b.settings.get(name), set } });
    await expect(openShards([async () => withMethods(a, {}), async () => failing], false)).rejects.toThrow('killed');
    await a.chooseSpace(provider.id, provider.dimensions, null);
    const index = await open([a, b]);
    expect(b.space?.fingerprint).toBe(provider.id);
    await add(index, documents);
    expect(await index.count()).toBe(40);
  });
});

it('refuses shards that analyze words in different ways', async () => {
  const [a, b] = (await newShards(2)) as [Backend, Backend];
  await open([a, b]);
  await b.settings.set('analysis', analysisToSetting({ language: 'de', exactForms: true }));
  await expect(open([a, b])).rejects.toThrow('different ways');
});

describe('commits', () => {
  it('lose nothing that was acknowledged when a shard fails, and go on when they are repeated', async () => {
    const [a, b] = (await newShards(2)) as [Backend, Backend];
    await open([a, b]);
    let isDown = true;
    const failing = withMethods(b, {
      commit: (...args) => (isDown ? Promise.reject(new Error('down')) : b.commit(...args)),
    });
    const index = await openShards([async () => withMethods(a, {}), async () => failing], false);
    await expect(add(index, documents)).rejects.toThrow('down');
    const kept = await index.count();
    expect(kept).toBe(await a.count());
    expect(kept).toBeGreaterThan(0);
    isDown = false;
    const outcomes = await add(index, documents);
    expect(outcomes.filter((outcome) => outcome === 'unchanged')).toHaveLength(kept);
    expect(outcomes.filter((outcome) => outcome === 'added')).toHaveLength(40 - kept);
    expect(await index.count()).toBe(40);
  });

  it('count each document once when one shard has to be asked again', async () => {
    const [a, b] = (await newShards(2)) as [Backend, Backend];
    let refusals = 2;
    const busy = withMethods(b, {
      commit: async (...args) => (refusals-- > 0 ? args[0].map(() => undefined) : b.commit(...args)),
    });
    const location = new BackendLocation(() => openShards([async () => a, async () => busy], false));
    const index = await SemanticIndex.open(location as unknown as string, { provider });
    expect(await index.addDocuments(documents)).toMatchObject({ added: 40, updated: 0, unchanged: 0, embedded: 40 });
    expect(await index.count()).toBe(40);
    await index.close();
  });

  it('take vectors that are on another shard, and refuse unknown ones', async () => {
    const index = await open(await newShards(3));
    await add(index, [{ id: 'one', text: 'shared text' }]);
    const { space } = index.space as { space: number };
    const hash = contentHash('shared text');
    const [vector = 0] = await index.findVectors(space, 'document', [hash]);
    const copies = documents.map(({ id }) => ({ id, text: 'shared text', hash, metadata: null, vector }));
    expect(await index.commit(copies)).toEqual(copies.map(() => 'added'));
    expect((await index.vectorOf('d7'))?.vector).toEqual(await vectorOf('shared text'));
    const { same } = await index.findDuplicates(['new'], [vector], provider.dimensions);
    expect(same[0]).toHaveLength(new Set(same[0]).size);
    expect(same[0]?.length).toBeGreaterThan(16);
    const unknown = { id: 'x', text: 'y', hash: contentHash('y'), metadata: null, vector: vector + 3_000 };
    expect(await index.commit([unknown])).toEqual([undefined]);
  });
});

it('chooses the candidates of one index, however few', async () => {
  const random = new Random(5);
  const words = ['red', 'green', 'blue', 'stone', 'river', 'apple', 'lamp', 'cloud', 'iron', 'glass'];
  const all = Array.from({ length: 120 }, (_, place) => ({
    id: place,
    text: `${Array.from({ length: 2 + random.integer(9) }, () => random.pick(words)).join(' ')} w${place}`,
  }));
  const index = await open(await newShards(3));
  const [one] = (await newShards(1)) as [Backend];
  for (const backend of [index, one]) await add(backend, all);
  const ranked = async (backend: Backend, text: string, k: number, depth: number) => {
    const snapshot = await backend.snapshot();
    const queries = [{ text, vector: await vectorOf(text) }];
    const [found] = (await snapshot?.rank({ queries, k, depth, exact: true })) ?? [];
    const documents = await snapshot?.byKeys(found?.ranked.map(({ key }) => key) ?? []);
    snapshot?.close();
    // Equal scores are in the order of the shards.
    const scores = found?.ranked.map(({ score }) => score.toFixed(9)) ?? [];
    const rows = scores.map((score, place) => `${score} ${documents?.[place]?.id}`).toSorted();
    return { rows, isComplete: found?.isComplete };
  };
  for (let round = 0; round < 60; round++) {
    // A word of one document, so that few documents have the same words.
    const text = [random.pick(words), random.pick(words), `w${random.integer(120)}`].join(' ');
    const depth = 1 + random.integer(3);
    const found = await ranked(index, text, depth, depth);
    const expected = await ranked(one, text, depth, depth);
    expect(found.isComplete).toBe(expected.isComplete);
    expect(found.rows.map((row) => row.split(' ')[0])).toEqual(expected.rows.map((row) => row.split(' ')[0]));
  }
});

it('lists every document once, page by page, whatever the limits are', async () => {
  const index = await open(await newShards(3));
  await add(index, documents);
  for (const [limit, maxBytes] of [
    [1, undefined],
    [7, undefined],
    [100, 60],
    [100, 1],
  ] as const) {
    const keys: number[] = [];
    const ids: unknown[] = [];
    for (let more = true; more; ) {
      const { rows, hasMore } = await index.list(undefined, limit, keys.at(-1) ?? 0, maxBytes, undefined);
      keys.push(...rows.map(({ key }) => key));
      ids.push(...rows.map(({ id }) => id));
      more = hasMore;
    }
    expect(keys).toEqual(keys.toSorted((one, other) => one - other));
    expect(ids.toSorted()).toEqual(documents.map(({ id }) => id).toSorted());
  }
});

it('keeps the notes of sources whose chunks are on several shards', async () => {
  const index = await open(await newShards(3));
  const chunks = Array.from({ length: 12 }, (_, place) => ({
    id: `a.txt#${place}`,
    text: `chunk ${place}`,
    metadata: { source: 'a.txt', chunk: { index: place } },
  }));
  await add(index, chunks);
  await index.notes.note(undefined, [{ source: 'a.txt', hash: 'h', ids: chunks.map(({ id }) => id) }]);
  expect(await index.notes.notes(undefined)).toEqual([{ source: 'a.txt', hash: 'h', chunks: 12 }]);
  expect(await index.notes.sources(undefined)).toEqual(['a.txt']);
  await index.deleteByIds(['a.txt#5']);
  expect(await index.notes.notes(undefined)).toEqual([]);
});

describe('a migration', () => {
  const next = deterministicProvider({ dimensions: 8 });

  async function migrated(): Promise<{ index: SemanticIndex; all: Backend[] }> {
    const all = await newShards(3);
    const kept = all.map((shard) => async () => withMethods(shard, {}));
    const location = new BackendLocation(() => openShards(kept, false)) as unknown as string;
    const index = await SemanticIndex.open(location, { provider });
    await index.addDocuments(documents);
    return { index, all };
  }

  it('moves all shards, and embeds each text once', async () => {
    const { index } = await migrated();
    const { embedded, cutOver } = await index.migrate(next);
    expect({ embedded, cutOver }).toEqual({ embedded: 40, cutOver: true });
    expect((await index.search('text number 7', { k: 1, exact: true })).hits[0]?.id).toBe('d7');
    expect(await index.validate({ level: 'full' })).toMatchObject({ valid: true });
    await index.close();
  });

  it('that was interrupted between two shards answers BUSY until it is run again', async () => {
    const { index, all } = await migrated();
    const [, second] = all as [Backend, Backend];
    await index.migrate(next, { cutOver: false });
    const space = await second.migration.findSpace(next.id);
    expect(await second.migration.cutOver(space?.space ?? 0)).toEqual({ missing: 0, given: 0 });
    await expect(index.search('text number 7')).rejects.toMatchObject({ code: 'BUSY' });
    expect(await index.migrate(next)).toMatchObject({ embedded: 0, cutOver: true });
    expect((await index.search('text number 7', { k: 1, exact: true })).hits[0]?.id).toBe('d7');
    await index.close();
  });
});

it('refuses what only one index can do', async () => {
  const index = await open(await newShards(2));
  await expect(index.backup()).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  await expect(index.exportForest()).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  expect(await answer(index, 'nothing yet')).toEqual({ near: [], text: [] });
});
