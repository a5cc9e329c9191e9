import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deterministicProvider } from '../../../src/embed/testing/deterministic-provider.js';
import { cursorOf, keysOf } from '../../../src/operations/search/search-cursor.js';
import { SemanticIndex } from '../../../src/semantic-index.js';
import type { DocumentId, Hit } from '../../../src/types.js';

const words = ['red', 'green', 'blue', 'stone', 'river', 'cloud', 'moss', 'bird'];
const text = (row: number): string =>
  Array.from({ length: 5 }, (_, place) => words[(row * (place + 3) + place * place) % words.length]).join(' ') +
  ` ${row}`;

async function filled(count: number): Promise<SemanticIndex<{ even: boolean }>> {
  const index = await SemanticIndex.open<{ even: boolean }>(':memory:', {
    provider: deterministicProvider({ dimensions: 32 }),
  });
  await index.addDocuments(
    Array.from({ length: count }, (_, row) => ({ id: row, text: text(row), metadata: { even: row % 2 === 0 } })),
  );
  return index;
}

describe('searchPage', () => {
  it.each(['vector', 'text', 'hybrid'] as const)('gives every document once, in mode %s', async (mode) => {
    await using index = await filled(90);
    const where = { even: true };
    const { hits: whole } = await index.search('red river stone', { mode, where, k: 90 });
    expect(whole.length).toBeGreaterThan(20);
    const ids: DocumentId[] = [];
    let after: string | undefined;
    let pages = 0;
    do {
      const page = await index.search('red river stone', { mode, where, k: 7, after });
      expect(page.hits.length).toBeGreaterThan(0);
      if (page.next !== undefined) expect(page.hits).toHaveLength(7);
      ids.push(...page.hits.map(({ id }) => id));
      after = page.next;
      pages++;
    } while (after !== undefined);
    expect(pages).toBe(Math.ceil(whole.length / 7));
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(ids)).toEqual(new Set(whole.map(({ id }) => id)));
    if (mode !== 'hybrid') expect(ids).toEqual(whole.map(({ id }) => id));
  });

  it('continues after an addition and a deletion without repeating', async () => {
    await using index = await filled(40);
    const first = await index.search('green cloud', { k: 10 });
    await index.addDocuments([{ id: 'new', text: 'green cloud' }]);
    await index.deleteDocuments([first.hits[0]?.id as number]);
    const second = await index.search('green cloud', { k: 10, after: first.next });
    expect(second.hits.map(({ id }) => id)).toContain('new');
    const before = new Set(first.hits.map(({ id }) => id));
    expect(second.hits.filter(({ id }) => before.has(id))).toEqual([]);
  });

  it.each(['', 'ä', '!', 'x', 'gA', 'AAAA', 'S', 'SAQ', 'SAAAA', 7 as never, '____________________'])(
    'refuses %j as a cursor',
    async (after) => {
      await using index = await filled(3);
      await expect(index.search('red', { after })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    },
  );

  it('refuses a cursor that was cut or changed, or is that of another method', async () => {
    await using index = await filled(40);
    const { next = '' } = await index.search('red', { k: 7 });
    const { next: listed = '' } = await index.listDocuments({ limit: 7 });
    const { next: sorted = '' } = await index.listDocuments({ limit: 7, sort: { field: 'even' } });
    const cut = Array.from({ length: next.length - 1 }, (_, length) => next.slice(0, length + 1));
    for (const after of [
      ...cut,
      `${next}AA`,
      next.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      listed,
      sorted,
    ]) {
      await expect(index.search('red', { after })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    for (const after of [next, sorted, `${listed} `, `${listed}!`, '0', '-1', 'zzzzzzzzzzzzz']) {
      await expect(index.listDocuments({ after }), after).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect((await index.listDocuments({ after: listed, limit: 50 })).documents).toHaveLength(33);
  });

  it('reads back any set of keys', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 53 - 1 }), { minLength: 1, maxLength: 50 }),
        fc.nat(49),
        (keys, earlier) => {
          const page = keys.slice(earlier).map((key) => ({ key }));
          const cursor = cursorOf(new Set(keys.slice(0, earlier)), page);
          expect(keysOf(cursor)).toEqual(new Set(keys));
        },
      ),
    );
  });
});

describe('exact', () => {
  it.each([1, 3, 7, 30])('gives pages of %i hits in the order of all scores, in mode hybrid', async (k) => {
    await using index = await filled(400);
    for (const query of ['red river stone', 'moss bird 17', text(5)]) {
      // All documents are candidates, so that their order is that of their scores.
      const { hits: whole } = await index.search(query, { k: 400 });
      const ids: DocumentId[] = [];
      let after: string | undefined;
      do {
        const page = await index.search(query, { k, after, exact: true });
        ids.push(...page.hits.map(({ id }) => id));
        after = page.next;
      } while (after !== undefined && ids.length < 90);
      expect(ids).toEqual(whole.slice(0, ids.length).map(({ id }) => id));
    }
  });

  it('finds as many hits as there are with any k', async () => {
    await using index = await filled(9);
    for (const k of [9, 2 ** 30, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
      expect((await index.search('red', { k, exact: true })).hits).toHaveLength(9);
      expect((await index.search('red', { k, diversity: 0.5, rerankDepth: k, rerank: 'tokens' })).hits).toHaveLength(9);
    }
  });
});

describe('minScore', () => {
  const lengthOf = (_: unknown, hits: readonly { text: string }[]): number[] => hits.map(({ text }) => text.length % 3);

  it.each([{}, { groupBy: 'row' }, { diversity: 0.5 }])(
    'continues behind hits that reranking refused, with %j',
    async (more) => {
      await using index = await filled(200);
      await index.updateMetadata(Array.from({ length: 200 }, (_, row) => ({ id: row, metadata: { even: true, row } })));
      const options = { ...more, mode: 'vector', rerank: lengthOf, rerankDepth: 5, minScore: 1 } as const;
      const ids: DocumentId[] = [];
      let after: string | undefined;
      do {
        const page = await index.search('red river', { ...options, k: 10, after });
        ids.push(...page.hits.map(({ id }) => id));
        after = page.next;
      } while (after !== undefined);
      const wanted = Array.from({ length: 200 }, (_, row) => row).filter((row) => text(row).length % 3 >= 1);
      expect(ids.sort()).toEqual(wanted.sort());
    },
  );

  it('leaves groups of which reranking refused only some hits for later pages', async () => {
    await using index = await filled(200);
    await index.updateMetadata(
      Array.from({ length: 200 }, (_, row) => ({ id: row, metadata: { even: true, group: row % 40 } })),
    );
    const options = {
      groupBy: 'group',
      groupSize: 3,
      mode: 'vector',
      exact: true,
      rerank: lengthOf,
      minScore: 1,
    } as const;
    const { hits: whole } = await index.search('red river', { ...options, k: 100, rerankDepth: 500 });
    const ids: DocumentId[] = [];
    let after: string | undefined;
    do {
      const page = await index.search('red river', { ...options, k: 1, rerankDepth: 30, after });
      ids.push(...page.hits.map(({ id }) => id));
      after = page.next;
    } while (after !== undefined);
    expect(ids.sort()).toEqual(whole.map(({ id }) => id).sort());
  });

  it('ends the pages where reranking has judged all', async () => {
    await using index = await filled(20);
    const options = { mode: 'vector', rerank: lengthOf, rerankDepth: 50 } as const;
    expect(await index.search('red', { ...options, k: 10, minScore: 3 })).toEqual({ hits: [] });
    const few = await index.search('red', { ...options, k: 19, minScore: 1 });
    expect(few.hits.length).toBeGreaterThan(0);
    expect(few).not.toHaveProperty('next');
  });

  it('does not let diversity pick hits below it', async () => {
    await using index = await filled(60);
    const { hits: all } = await index.search('red river', { mode: 'vector', k: 50 });
    const minScore = all[19]?.score as number;
    for (const rerank of [undefined, (_: unknown, hits: readonly Hit[]) => hits.map(({ score }) => score)]) {
      const { hits } = await index.search('red river', { mode: 'vector', k: 10, diversity: 1, minScore, rerank });
      expect(hits).toHaveLength(10);
      expect(Math.min(...hits.map(({ score }) => score))).toBeGreaterThanOrEqual(minScore);
    }
  });
});

describe('documents', () => {
  it('refuses a filter instead of ignoring it', async () => {
    await using index = await filled(3);
    const documents = index.documents.bind(index) as (...options: unknown[]) => AsyncGenerator<unknown>;
    expect(() => documents({ where: { even: true } })).toThrow(/expected no arguments, got an object/);
    let count = 0;
    for await (const _ of documents(undefined)) count++;
    expect(count).toBe(3);
  });
});

describe('a query', () => {
  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [5, '5'],
    [5n, '5n'],
    [{}, 'an object'],
    [{ text: 'red' }, 'an object'],
    [new Date(0), 'a Date'],
    [() => 'red', 'a function'],
  ])('is refused as %s', async (query, got) => {
    await using index = await filled(3);
    await expect(index.search(query as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: `search: expected a query, got ${got}`,
      hint: expect.stringContaining('{ id }'),
    });
  });
});

describe('rerank', () => {
  it('orders hits by the scores of the hook', async () => {
    await using index = await filled(60);
    const seen: Hit<{ even: boolean }>[] = [];
    const { hits } = await index.search('red river stone', {
      k: 5,
      rerankDepth: 20,
      rerank: (query, found) => {
        expect(query).toBe('red river stone');
        seen.push(...found);
        return found.map(({ id }) => Number(id));
      },
    });
    expect(seen).toHaveLength(20);
    const best = seen
      .map(({ id }) => Number(id))
      .toSorted((a, b) => b - a)
      .slice(0, 5);
    expect(hits.map(({ id }) => id)).toEqual(best);
    expect(hits.map(({ score }) => score)).toEqual(best);
    const { hits: some } = await index.search('red', {
      k: 5,
      rerank: async (_, found) => found.map((_, rank) => rank),
      minScore: 48,
    });
    expect(some.map(({ score }) => score)).toEqual([49, 48]);
    const { explanation } = await index.search('red', { rerank: (_, found) => found.map(() => 0), explain: true });
    expect(explanation?.milliseconds.rerank).toBeGreaterThanOrEqual(0);
  });

  it('goes with diversity and pages', async () => {
    await using index = await filled(60);
    const rerank = (_: unknown, found: readonly { id: DocumentId }[]): number[] =>
      found.map(({ id }) => 1 / (1 + Number(id)));
    const { hits } = await index.search('red river', { k: 4, diversity: 0.3, rerank });
    expect(new Set(hits.map(({ id }) => id)).size).toBe(4);
    const first = await index.search('red river', { k: 4, rerank });
    const second = await index.search('red river', { k: 4, rerank, after: first.next });
    expect(new Set([...first.hits, ...second.hits].map(({ id }) => id)).size).toBe(8);
  });

  it.each([
    [() => [1], 'PROVIDER_INVALID'],
    [() => Array.from({ length: 20 }, () => Number.NaN), 'PROVIDER_INVALID'],
    [() => undefined as never, 'PROVIDER_INVALID'],
    [() => Promise.reject(new Error('down')), 'PROVIDER_FAILED'],
    ['model' as never, 'INVALID_ARGUMENT'],
  ])('refuses %s', async (rerank, code) => {
    await using index = await filled(20);
    await expect(index.search('red', { rerank })).rejects.toMatchObject({ code });
  });
});
