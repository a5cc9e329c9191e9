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

  it.each(['', 'ä', '!', 'gA', 'AAAA', 7 as never, '____________________'])('refuses %j as a cursor', async (after) => {
    await using index = await filled(3);
    await expect(index.search('red', { after })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
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
