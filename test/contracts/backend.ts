import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { contentHash } from '../../src/backend/content-hash.js';
import { freshVector } from '../../src/backend/documents.js';
import type { FilterTree } from '../../src/backend/filter-tree.js';
import { termName } from '../../src/backend/read-snapshot.js';
import { parseFilter } from '../../src/operations/parse-filter.js';
import { Random } from '../../src/random.js';
import { termsOfText } from '../../src/ranking/query-terms.js';
import { add, answer, provider, vectorOf } from './documents.js';

/** A new, empty index in a backend. */
export interface IndexUnderTest {
  readonly backend: Backend;
  /** Opens the same index again, as another process would. Absent for a backend of one process. */
  readonly another?: () => Promise<Backend>;
  /** Removes the index; all of its backends are closed. */
  readonly remove: () => void | Promise<void>;
}

const where = (filter: object): FilterTree => parseFilter(filter);

/** The contract of a backend. */
export function testBackend(name: string, create: () => Promise<IndexUnderTest>): void {
  let index: IndexUnderTest;
  let backend: Backend;
  beforeEach(async () => {
    index = await create();
    backend = index.backend;
  });
  afterEach(async () => {
    await backend.close();
    await index.remove();
  });
  const documents = [
    { id: 'a', text: 'red apple', metadata: { kind: 'fruit', size: 3 } },
    { id: 'b', text: 'green pear', metadata: { kind: 'fruit', size: 5 } },
    { id: 7, text: 'red brick', metadata: { kind: 'stone' } },
  ];
  const idsOf = async (filter?: object) => {
    const { rows } = await backend.list(filter && where(filter), 100, 0, undefined, undefined);
    return rows.map(({ id }) => id);
  };

  describe(`${name}: documents`, () => {
    it('reports added, updated and unchanged documents', async () => {
      expect(await add(backend, documents)).toEqual(['added', 'added', 'added']);
      const [first, second] = documents;
      const changed = [
        { ...first, id: 'a', text: 'red apple', metadata: { kind: 'fruit', size: 4 } },
        { ...second, id: 'b', text: 'yellow pear' },
        { id: 7, text: 'red brick', metadata: { kind: 'stone' } },
      ];
      expect(await add(backend, changed)).toEqual(['updated', 'updated', 'unchanged']);
      expect(await backend.count()).toBe(3);
    });

    it('keeps the key of a document whose metadata changes, and assigns another one with a new text', async () => {
      await add(backend, documents);
      const [before] = await backend.byIds(['a']);
      await backend.setMetadata([{ id: 'a', metadata: '{"size":9}' }]);
      const [after] = await backend.byIds(['a']);
      expect(after).toEqual({ ...before, metadata: '{"size":9}' });
      await add(backend, [{ id: 'a', text: 'another text' }]);
      const [replaced] = await backend.byIds(['a']);
      expect(replaced?.key).toBeGreaterThan(before?.key ?? 0);
      expect(await backend.byKeys([before?.key ?? 0])).toEqual([undefined]);
    });

    it('classifies documents against the stored ones', async () => {
      await add(backend, documents);
      const asked = [
        { id: 'a', hash: contentHash('red apple') },
        { id: 'b', hash: contentHash('blue pear') },
        { id: 'c', hash: contentHash('red apple') },
      ];
      expect(await backend.classify(asked)).toEqual(['unchanged', 'changed', 'new']);
    });

    it('refuses a commit without the vector of a new text', async () => {
      await add(backend, documents);
      const hash = contentHash('unknown');
      const outcome = await backend.commit([{ id: 'c', text: 'unknown', hash, metadata: null, vector: 0 }]);
      expect(outcome).toEqual([undefined]);
      expect(await backend.count()).toBe(3);
    });

    it('stores fresh vectors with the documents that have them, or before', async () => {
      await add(backend, documents);
      const { space } = await backend.chooseSpace(provider.id, provider.dimensions, null);
      const known = await backend.findVectors(space, 'document', [contentHash('red apple')]);
      const texts = ['green plum', 'black\0 cherry é', 'green plum', 'red apple'];
      const ids = ['a', 'x', 'y', 'z'];
      const incoming = texts.map((text, place) => ({
        id: ids[place] as string,
        text,
        hash: contentHash(text),
        metadata: null,
        vector: place < 3 ? freshVector : (known[0] as number),
      }));
      const fresh = async () => ({
        space,
        role: 'document' as const,
        hashes: [texts[1], texts[0]].map((text) => contentHash(text as string)),
        vectors: Float32Array.from([...(await vectorOf(texts[1] as string)), ...(await vectorOf(texts[0] as string))]),
      });
      const commit = async (some: typeof incoming) => {
        const vectors = await fresh();
        if (backend.commitsVectors) return backend.commit(some, undefined, vectors);
        const rows = [0, 1].map((row) =>
          vectors.vectors.subarray(row * provider.dimensions, (row + 1) * provider.dimensions),
        );
        const stored = await backend.putVectors(space, vectors.role, vectors.hashes, rows, ['x', 'a']);
        const numbers = new Map(vectors.hashes.map((hash, place) => [hash, stored[place] as number]));
        return backend.commit(some.map((one) => ({ ...one, vector: numbers.get(one.hash) ?? one.vector })));
      };
      if (backend.commitsVectors) {
        const nothing = await backend.commit(incoming, undefined, { ...(await fresh()), space: space + 1 });
        expect(nothing).toEqual(incoming.map(() => undefined));
      } else {
        expect(await backend.commit(incoming.slice(0, 3))).toEqual([undefined, undefined, undefined]);
      }
      expect(await backend.count()).toBe(3);
      expect(await commit(incoming)).toEqual(['updated', 'added', 'added', 'added']);
      expect((await backend.byIds(ids)).map((document) => document?.text)).toEqual(texts);
      for (const [place, id] of ids.entries()) {
        expect((await backend.vectorOf(id))?.vector).toEqual(await vectorOf(texts[place] as string));
      }
      const hashes = [...new Set(texts)].map((text) => contentHash(text));
      expect((await backend.findVectors(space, 'document', hashes)).every((number) => number > 0)).toBe(true);
      const only = incoming.slice(0, 3).map((document) => ({ ...document, id: `${document.id}2` }));
      expect(await commit(only)).toEqual(['added', 'added', 'added']);
      const { near, text } = await answer(backend, 'black\0 cherry é');
      expect(near[0]?.id).toBe('x');
      expect(near.map(({ id }) => id)).toEqual(expect.arrayContaining(['a', 'a2', 'x', 'x2', 'y', 'y2', 'z', 'b', 7]));
      expect(text.map(({ id }) => id)).toEqual(['x', 'x2']);
    });

    it('deletes by id and by filter, and returns the number', async () => {
      await add(backend, documents);
      expect(await backend.deleteByIds(['a', 'a', 'missing'])).toBe(1);
      expect(await backend.deleteWhere(where({ kind: 'fruit' }))).toBe(1);
      expect(await idsOf()).toEqual([7]);
      expect((await answer(backend, 'red apple')).near.map(({ id }) => id)).toEqual([7]);
    });

    it('distinguishes the ids 7 and "7"', async () => {
      await add(backend, [...documents, { id: '7', text: 'a string' }]);
      const found = await backend.byIds([7, '7']);
      expect(found.map((document) => document?.text)).toEqual(['red brick', 'a string']);
    });

    it('lists in the order of keys, page by page', async () => {
      await add(backend, documents);
      const first = await backend.list(undefined, 2, 0, undefined, undefined);
      expect(first.rows.map(({ id }) => id)).toEqual(['a', 'b']);
      expect(first.hasMore).toBe(true);
      const second = await backend.list(undefined, 2, first.rows[1]?.key ?? 0, undefined, undefined);
      expect(second).toMatchObject({ rows: [{ id: 7 }], hasMore: false });
    });

    it('iterates all documents with their vectors', async () => {
      await add(backend, documents);
      const ids: unknown[] = [];
      for await (const batch of backend.exportBatches(2)) {
        expect(batch).toMatchObject({ total: 3, space: { fingerprint: provider.id } });
        expect(batch.vectors).toHaveLength(batch.documents.length * provider.dimensions);
        ids.push(...batch.documents.map(({ id }) => id));
      }
      expect(ids).toEqual(['a', 'b', 7]);
    });

    it('samples different keys', async () => {
      await add(backend, documents);
      expect(new Set(await backend.sampleKeys(2, new Random(1))).size).toBe(2);
      expect(new Set(await backend.sampleKeys(99, new Random(1))).size).toBe(3);
    });
  });

  describe(`${name}: filters`, () => {
    it.each([
      [{ kind: 'fruit' }, ['a', 'b']],
      [{ size: { $gt: 3 } }, ['b']],
      [{ size: { $exists: false } }, [7]],
      [{ $or: [{ size: 3 }, { kind: 'stone' }] }, ['a', 7]],
      [{ size: null }, [7]],
      [{ size: '3' }, []],
    ])('%j', async (filter, ids) => {
      await add(backend, documents);
      expect(await idsOf(filter)).toEqual(ids);
      expect(await backend.count(where(filter))).toBe(ids.length);
      const snapshot = await backend.snapshot({ filter: where(filter) });
      const [near = []] = (await snapshot?.search({ queries: await vectorOf('red'), count: 1, k: 9 })) ?? [];
      expect(near).toHaveLength(ids.length);
      const found = (await snapshot?.byKeys(near.map(({ key }) => key))) ?? [];
      expect(found.map((document) => document?.id).sort()).toEqual([...ids].sort());
      const [red] = (await snapshot?.rank({ queries: [{ text: 'red' }], k: 9, depth: 9 })) ?? [];
      const texts = (await snapshot?.byKeys(red?.ranked.map(({ key }) => key) ?? [])) ?? [];
      expect(texts.map((document) => document?.id).every((id) => ids.includes(id as never))).toBe(true);
      snapshot?.close();
    });

    it('gives the same answers after fields are declared', async () => {
      await add(backend, documents);
      await backend.declareFields({ size: 'number', kind: 'string' });
      expect(await backend.fields()).toEqual(
        new Map([
          ['size', 'number'],
          ['kind', 'string'],
        ]),
      );
      expect(await idsOf({ size: { $gt: 3 } })).toEqual(['b']);
      expect(await idsOf({ kind: 'fruit' })).toEqual(['a', 'b']);
    });
  });

  describe(`${name}: snapshots`, () => {
    it('is undefined before the first vector', async () => {
      expect(await backend.snapshot()).toBeUndefined();
      expect(backend.space).toBeUndefined();
      expect(await backend.search({ queries: new Float32Array(16), count: 1, k: 3 })).toEqual([[]]);
    });

    it('finds the nearest vectors and the matching texts', async () => {
      await add(backend, documents);
      const { near, text } = await answer(backend, 'red apple');
      expect(near.map(({ id }) => id)).toHaveLength(3);
      expect(near[0]).toMatchObject({ id: 'a', distance: expect.closeTo(0, 3) });
      expect(text.map(({ id }) => id)).toEqual(['a', 7]);
      expect(text[0]?.score).toBeGreaterThan(text[1]?.score ?? 0);
    });

    it('has no score above its bound', async () => {
      await add(backend, documents);
      const snapshot = await backend.snapshot();
      const queries = [{ text: 'red' }, { text: 'nowhere' }];
      const [red, nowhere] = (await snapshot?.rank({ queries, k: 9, depth: 9 })) ?? [];
      expect(red?.ranked[0]?.score).toBeLessThanOrEqual(red?.maxTextScore ?? 0);
      expect(nowhere?.ranked).toEqual([]);
      snapshot?.close();
    });

    it('fuses text and vector: both score what either of them finds', async () => {
      await add(backend, documents);
      const snapshot = await backend.snapshot();
      const vector = await vectorOf('green pear');
      const search = { queries: [{ text: 'red apple', vector }, { vector }, { text: 'red apple' }], k: 9, depth: 1 };
      const [both, near, text] = (await snapshot?.rank(search)) ?? [];
      const keys = new Map((await backend.byIds(['a', 'b', 7])).map((document) => [document?.key, document?.id]));
      const scoresOf = (list: typeof both) => new Map(list?.ranked.map((found) => [keys.get(found.key), found.score]));
      const [similar, shared] = [scoresOf(near), scoresOf(text)];
      expect([...scoresOf(both).keys()]).toEqual(expect.arrayContaining(['a', 'b']));
      for (const [id, score] of scoresOf(both)) {
        const share = ((both?.evidence ?? 1) * (shared.get(id) ?? 0)) / (both?.maxTextScore ?? 1);
        expect(score).toBeCloseTo(Math.max(0, (share + 0.5 * (similar.get(id) ?? 0)) / 1.5), 6);
      }
      snapshot?.close();
    });

    it('returns all candidates of both sides for twice as many hits', async () => {
      await add(backend, documents);
      const snapshot = await backend.snapshot();
      const queries = [{ text: 'red', vector: await vectorOf('green pear') }];
      const ranked = async (k: number) => (await snapshot?.rank({ queries, k, depth: 1, exact: true }))?.[0]?.ranked;
      const all = (await ranked(2)) ?? [];
      const found = await snapshot?.byKeys(all.map(({ key }) => key));
      // The nearest one, and the first of those with the word, which is not the third document.
      expect(found?.map((document) => document?.id).sort()).toEqual(['a', 'b']);
      expect(all.every(({ distance }) => Number.isFinite(distance))).toBe(true);
      expect(await ranked(9)).toEqual(all);
      snapshot?.close();
    });

    it('weighs terms by given statistics', async () => {
      await add(backend, [...documents, { id: 'c', text: 'a red fruit, red and ripe' }]);
      const snapshot = await backend.snapshot();
      const joined = { forms: ['appl', 'brick', 'noth'], times: 2 };
      const queries = [{ terms: [{ forms: ['red'], times: 1 }, joined] }, { text: 'pears of nowhere' }];
      const own = await snapshot?.statistics(queries);
      expect(own?.documents).toBe(4);
      expect(Object.fromEntries(own?.counts ?? [])).toEqual({
        red: 3,
        [termName(joined.forms)]: 2,
        pear: 1,
        [termsOfText('nowhere', ['en'])[0]?.forms[0] as string]: 0,
      });
      const search = { queries, k: 9, depth: 9 };
      const plain = await snapshot?.rank(search);
      expect(await snapshot?.rank({ ...search, statistics: own })).toEqual(plain);
      // As if there were as many documents again, and none of them had a term.
      const spread = own && { ...own, documents: 2 * own.documents, length: 2 * own.length };
      const [rarer] = (await snapshot?.rank({ ...search, statistics: spread })) ?? [];
      const keys = plain?.[0]?.ranked.map(({ key }) => key) ?? [];
      expect(new Set(rarer?.ranked.map(({ key }) => key))).toEqual(new Set(keys));
      expect(rarer?.maxTextScore).toBeGreaterThan(plain?.[0]?.maxTextScore ?? Number.POSITIVE_INFINITY);
      const { terms = [] } = queries[0] ?? {};
      for (const statistics of [own, spread]) {
        const [ranked] = (await snapshot?.rank({ ...search, statistics })) ?? [];
        const scores = await snapshot?.termScores(terms, keys, statistics);
        for (const { key, textScore } of ranked?.ranked ?? []) {
          const sum = (scores ?? []).reduce((total, ofTerm) => total + (ofTerm[keys.indexOf(key)] as number), 0);
          expect(sum).toBeCloseTo(textScore, 9);
        }
      }
      snapshot?.close();
    });

    it('returns vectors by key and by id', async () => {
      await add(backend, documents);
      const snapshot = await backend.snapshot();
      const found = await snapshot?.vectorOf('b');
      expect(found?.vector).toEqual(await vectorOf('green pear'));
      const vectors = await snapshot?.vectorsByKeys([found?.key ?? 0, 999]);
      expect(vectors).toEqual(Float32Array.from([...(found?.vector ?? []), ...new Float32Array(16)]));
      expect(await snapshot?.vectorOf('missing')).toBeUndefined();
      snapshot?.close();
    });

    it('measures documents without reading them', async () => {
      await add(backend, documents);
      const snapshot = await backend.snapshot();
      const [a] = await backend.byIds(['a']);
      const bytes = Buffer.byteLength(`${a?.text}${a?.metadata}`);
      expect(await snapshot?.bytesByKeys([a?.key ?? 0, 999])).toBe(bytes);
      snapshot?.close();
    });

    // What has been found can be read, whatever is committed meanwhile.
    it.each([
      ['plain', {}],
      ['with a filter', { filter: where({ kind: { $exists: true } }) }],
    ])('%s: is one point in time', async (_, request) => {
      await add(backend, documents);
      const snapshot = await backend.snapshot(request);
      const writes = Promise.all([
        backend.deleteByIds(['b']),
        add(backend, [{ id: 'a', text: 'a new text' }]),
        backend.setMetadata([{ id: 7, metadata: '{"kind":"changed"}' }]),
      ]);
      // In a backend whose writes do not wait for snapshots they are through by then.
      await Promise.race([writes, new Promise((resolve) => setTimeout(resolve, 100))]);
      const [near = []] = (await snapshot?.search({ queries: await vectorOf('red'), count: 1, k: 9 })) ?? [];
      const found = (await snapshot?.byKeys(near.map(({ key }) => key))) ?? [];
      const expected = documents.map(({ id, text, metadata }) => ({ id, text, metadata: JSON.stringify(metadata) }));
      expect(found.map((document) => document?.id).sort()).toEqual(expected.map(({ id }) => id).sort());
      const [red] = (await snapshot?.rank({ queries: [{ text: 'red' }], k: 9, depth: 9 })) ?? [];
      const texts = (await snapshot?.byKeys(red?.ranked.map(({ key }) => key) ?? [])) ?? [];
      expect(texts.map((document) => document?.text)).toEqual(['red apple', 'red brick']);
      for (const document of expected) expect(found).toContainEqual(expect.objectContaining(document));
      snapshot?.close();
      await writes;
      const { near: now } = await answer(backend, 'red');
      expect(now.map(({ id }) => id).sort()).toEqual([7, 'a']);
    });

    it('shows every acknowledged write, with other snapshots open', async () => {
      await add(backend, documents);
      for (let round = 0; round < 5; round++) {
        const open = await Promise.all([backend.snapshot(), backend.snapshot({ filter: where({ kind: 'fruit' }) })]);
        const adding = add(backend, [{ id: 'new', text: `rare${round} text` }]);
        await Promise.race([adding, new Promise((resolve) => setTimeout(resolve, 20))]);
        for (const snapshot of open) snapshot?.close();
        await adding;
        expect((await answer(backend, `rare${round}`)).text.map(({ id }) => id)).toEqual(['new']);
        expect((await answer(backend, `rare${round} text`)).near[0]?.id).toBe('new');
      }
    });

    it('stops at a signal', async () => {
      await add(backend, documents);
      const signal = AbortSignal.abort(new Error('gone'));
      await expect(backend.snapshot({ signal })).rejects.toThrow('gone');
      await expect(backend.snapshot({ filter: where({ kind: 'fruit' }), signal })).rejects.toThrow('gone');
      expect((await answer(backend, 'red')).near).toHaveLength(3);
    });
  });

  describe(`${name}: spaces`, () => {
    it('keeps its first space', async () => {
      const first = await backend.chooseSpace('model-a', 16, null);
      expect(await backend.chooseSpace('model-b', 32, null)).toEqual(first);
      expect(backend.space).toEqual(first);
    });

    it('finds stored vectors by content, role and space', async () => {
      const { space } = await backend.chooseSpace(provider.id, 16, null);
      const [hash, vector] = [contentHash('a'), await vectorOf('a')];
      const [number = 0] = await backend.putVectors(space, 'document', [hash], [vector], ['a']);
      expect(number).toBeGreaterThan(0);
      expect(await backend.readVectors([number + 99, number])).toEqual([
        undefined,
        { space, role: 'document', hash, vector },
      ]);
      expect(await backend.findVectors(space, 'document', [contentHash('a'), contentHash('b')])).toEqual([number, 0]);
      expect(await backend.findVectors(space, 'query', [contentHash('a')])).toEqual([0]);
      expect(await backend.findVectors(space + 1, 'document', [contentHash('a')])).toEqual([0]);
    });

    it('moves to another space when every text has a vector there', async () => {
      await add(backend, documents);
      await backend.migration.exclusively(async () => {
        await expect(backend.migration.exclusively(async () => {})).rejects.toMatchObject({ code: 'BUSY' });
        const { space } = await backend.migration.begin('other-model', 16, '');
        expect(await backend.migration.remainder(space)).toEqual({ missing: 3, given: 0 });
        expect(await backend.migration.cutOver(space)).toEqual({ missing: 3, given: 0 });
        for (const { hash, id, text } of await backend.migration.missingAfter(space, 0, 9)) {
          await backend.putVectors(space, 'document', [hash], [await vectorOf(`other ${text}`)], [id]);
        }
        expect(await backend.migration.cutOver(space)).toEqual({ missing: 0, given: 0 });
      });
      const snapshot = await backend.snapshot();
      expect(snapshot?.space.fingerprint).toBe('other-model');
      expect(backend.space?.fingerprint).toBe('other-model');
      expect((await snapshot?.vectorOf('a'))?.vector).toEqual(await vectorOf('other red apple'));
      snapshot?.close();
    });
  });

  it(`${name}: keeps settings, and cached vectors of queries`, async () => {
    expect(await backend.settings.get('color')).toBeUndefined();
    await backend.settings.set('color', 'red');
    expect(await backend.settings.get('color')).toBe('red');
    const { space } = await backend.chooseSpace(provider.id, 16, null);
    const vector = await vectorOf('red');
    backend.queries.keep(space, [contentHash('red')], [vector]);
    await expect.poll(() => backend.queries.find(space, [contentHash('red')]), { timeout: 20_000 }).toEqual([vector]);
  });

  it(`${name}: counts its documents in facts`, async () => {
    await add(backend, documents);
    const { segments, tail } = await backend.facts();
    expect(segments.reduce((sum, { items, dead }) => sum + items - dead, tail)).toBe(3);
    expect(await backend.validate('full')).toMatchObject({ valid: true });
  });

  describe(`${name}: several processes`, () => {
    it('shows commits of one in the other', async (context) => {
      const other = await index.another?.();
      if (other === undefined) return context.skip('a backend of one process');
      try {
        await add(backend, documents);
        expect((await answer(other, 'red')).near).toHaveLength(3);
        await add(other, [{ id: 'c', text: 'blue plum' }]);
        await other.deleteByIds(['b']);
        expect((await answer(backend, 'blue plum')).near[0]?.id).toBe('c');
        expect((await answer(backend, 'green pear')).near.map(({ id }) => id)).not.toContain('b');
        expect(backend.space).toEqual(other.space);
      } finally {
        await other.close();
      }
    });

    it('reads while the other writes', async (context) => {
      const other = await index.another?.();
      if (other === undefined) return context.skip('a backend of one process');
      try {
        await add(backend, documents);
        let isWriting = true;
        const writing = (async () => {
          for (let round = 0; isWriting; round++) await add(other, [{ id: 'a', text: `rare text ${round}` }]);
        })();
        const end = Date.now() + 300;
        const reader = async (): Promise<void> => {
          while (Date.now() < end) {
            const { near, text } = await answer(backend, 'rare');
            expect(near.map(({ id }) => id).sort()).toEqual([7, 'a', 'b']);
            for (const { id } of text) expect(id).toBe('a');
          }
        };
        await Promise.all([reader(), reader(), reader()]).finally(() => {
          isWriting = false;
          return writing;
        });
      } finally {
        await other.close();
      }
    });
  });
}
