import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SemanticIndex } from '../../../src/index.js';
import { sqlite } from '../../../src/store/sqlite/sqlite.js';
import { deterministicProvider } from '../../../src/testing.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'queries-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const documents = Array.from({ length: 40 }, (_, id) => ({ id, text: `is about matter ${id} and of ${id % 5}` }));

function watched(more: object = {}) {
  const asked: string[] = [];
  const provider = deterministicProvider({
    onCall: (texts, role) => {
      if (role === 'query') asked.push(...texts);
    },
    ...more,
  });
  return { provider, asked };
}

function storedQueries(): number {
  const db = new (sqlite())(join(directory, 'index.db'), { readonly: true });
  try {
    return db.prepare('SELECT count(*) FROM vectors WHERE role = 1').pluck().get() as number;
  } finally {
    db.close();
  }
}

describe('the cache of queries', () => {
  it('calls the provider once while the vectors wait to be written', async () => {
    const { provider, asked } = watched();
    await using index = await SemanticIndex.open(directory, { provider });
    await index.addDocuments(documents);
    // The writer has this to do before it stores the vectors of queries.
    const more = Array.from({ length: 2_000 }, (_, id) => ({ id: 100 + id, text: `another ${id} `.repeat(100) }));
    const adding = index.addDocuments(more, { batchSize: 1_000 });
    for (let n = 0; n < 200; n++) {
      await index.search(`matter ${n}`);
      await index.search(`matter ${n}`);
    }
    expect(asked.filter((text) => text.startsWith('matter'))).toHaveLength(200);
    await adding;
  });

  it('calls the provider once for a query, in this process and the next', async () => {
    const first = watched();
    let hits: unknown;
    {
      await using index = await SemanticIndex.open(directory, { provider: first.provider });
      await index.addDocuments(documents);
      hits = (await index.search('matter 7')).hits;
      expect((await index.search('matter 7')).hits).toEqual(hits);
      const lists = (await index.searchMany(['matter 7', 'matter 8', 'matter 7'])).map(({ hits }) => hits);
      expect(lists[0]).toEqual(hits);
      expect(lists[2]).toEqual(hits);
    }
    expect(first.asked.filter((text) => text === 'matter 7')).toHaveLength(1);
    expect(storedQueries()).toBe(2);
    // A service that is down answers what it was asked before.
    const down = deterministicProvider({
      onCall: () => {
        throw new Error('down');
      },
    });
    await using again = await SemanticIndex.open(directory, { provider: down });
    expect((await again.search('matter 7')).hits).toEqual(hits);
    await expect(again.search('matter 9', { mode: 'vector' })).rejects.toMatchObject({ code: 'PROVIDER_FAILED' });
  });

  it('is bounded: the least recently used go first', async () => {
    const { provider, asked } = watched();
    {
      await using index = await SemanticIndex.open(directory, { provider, cache: { queries: 20 } });
      await index.addDocuments(documents);
      for (let number = 0; number < 60; number++) {
        await index.search(`query ${number}`);
        // Asked for again and again: never the least recently used one.
        await index.search('evergreen');
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
    expect(storedQueries()).toBeLessThanOrEqual(20);
    expect(storedQueries()).toBeGreaterThan(10);
    expect(asked.filter((text) => text === 'evergreen')).toHaveLength(1);
    asked.length = 0;
    await using index = await SemanticIndex.open(directory, { provider, cache: { queries: 20 } });
    await index.search('query 59');
    await index.search('query 1');
    expect(asked).not.toContain('query 59');
    expect(asked).toContain('query 1');
  });

  it('caches nothing with size 0, a fast provider, or a read-only index', async () => {
    const { provider, asked } = watched();
    {
      await using index = await SemanticIndex.open(directory, { provider, cache: { queries: 0 } });
      await index.addDocuments(documents);
      await index.search('matter 7');
      await index.search('matter 7');
    }
    expect(asked.filter((text) => text === 'matter 7')).toHaveLength(2);
    {
      await using index = await SemanticIndex.open(directory, { provider: { ...provider, fast: true } });
      await index.search('matter 7');
    }
    {
      await using index = await SemanticIndex.open(directory, { provider, readonly: true });
      await index.search('matter 7');
    }
    expect(storedQueries()).toBe(0);
    await expect(SemanticIndex.open(directory, { provider, cache: { queries: -1 } })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('keeps the queries of two models apart', async () => {
    const { provider } = watched();
    await using index = await SemanticIndex.open(directory, { provider });
    await index.addDocuments(documents);
    await index.search('is about matter 7 and of 2');
    await index.migrate(deterministicProvider({ seed: 5 }));
    const {
      hits: [hit],
    } = await index.search('is about matter 7 and of 2', { mode: 'vector' });
    expect(hit).toMatchObject({ id: 7 });
    expect(hit?.score).toBeGreaterThan(0.999);
  });
});
