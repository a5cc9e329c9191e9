import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SemanticIndex } from '../../src/index.js';
import { sqlite } from '../../src/store/sqlite/sqlite.js';
import { deterministicProvider } from '../../src/testing.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shared-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const canaries = 6;
const documents = Array.from({ length: 700 }, (_, id) => ({ id, text: `is about matter ${id}` }));
const open = (name: string, provider: ReturnType<typeof deterministicProvider>) =>
  SemanticIndex.open(join(folder, name), { provider, cache: { embeddings: join(folder, 'shared.db') } });

describe('a file of embeddings that indexes share', () => {
  it('makes a text that one has paid for free for the others', async () => {
    const first = deterministicProvider();
    {
      await using index = await open('first', first);
      expect(await index.addDocuments(documents)).toMatchObject({ added: 700, embedded: 700 });
      await index.search('matter 7');
    }
    const second = deterministicProvider();
    await using index = await open('second', second);
    const more = [...documents, { id: 'more', text: 'is about something else' }];
    expect(await index.plan(more)).toMatchObject({ new: 701, cached: 700, embed: 1 });
    expect(await index.addDocuments(more)).toMatchObject({ added: 701, embedded: 1 });
    const {
      hits: [hit],
    } = await index.search('is about matter 7', { mode: 'vector' });
    expect(hit).toMatchObject({ id: 7 });
    expect(hit?.score).toBeGreaterThan(0.999);
    await index.search('matter 7');
    // One new document, one new query, and the known texts: for the file and for the index.
    expect(second.answered.texts).toBe(2 + 2 * canaries);
    const plain = await SemanticIndex.open(join(folder, 'plain'), { provider: deterministicProvider() });
    await plain.addDocuments(more);
    const { hits: without } = await plain.search('matter 7', { k: 20 });
    expect((await index.search('matter 7', { k: 20 })).hits.map(({ id, score }) => [id, score])).toEqual(
      without.map(({ id, score }) => [id, score]),
    );
    await plain.close();
  });

  it('serves two indexes at the same time, and a migration', async () => {
    const [left, right] = [deterministicProvider({ delay: 1 }), deterministicProvider({ delay: 1 })];
    await using one = await open('one', left);
    await using two = await open('two', right);
    await Promise.all([one.addDocuments(documents), two.addDocuments(documents)]);
    expect(await one.count()).toBe(700);
    const next = () => deterministicProvider({ seed: 3 });
    expect(await one.migrate(next())).toMatchObject({ embedded: 700, cutOver: true });
    expect(await two.migrate(next())).toMatchObject({ embedded: 0, cutOver: true });
    const {
      hits: [hit],
    } = await two.search('is about matter 7', { mode: 'vector' });
    expect(hit?.score).toBeGreaterThan(0.999);
  });

  it('keeps models apart, and refuses one that changed behind its name', async () => {
    const first = deterministicProvider();
    {
      await using index = await open('first', first);
      await index.addDocuments(documents.slice(0, 50));
    }
    const other = deterministicProvider({ seed: 9 });
    {
      await using index = await open('other', other);
      expect(await index.addDocuments(documents.slice(0, 50))).toMatchObject({ embedded: 50 });
    }
    await using index = await open('changed', { ...deterministicProvider({ seed: 4 }), id: first.id });
    const refused = { code: 'SPACE_MISMATCH', message: expect.stringContaining('shared.db') };
    await expect(index.addDocuments(documents.slice(0, 50))).rejects.toMatchObject(refused);
    expect(await index.count()).toBe(0);
  });

  it('keeps to its size, and what was used longest ago goes first', async () => {
    const path = join(folder, 'shared.db');
    const embeddingCacheBytes = 1_500_000;
    const add = async (name: string, from: number, count: number) => {
      const provider = deterministicProvider({ dimensions: 256 });
      await using index = await SemanticIndex.open(join(folder, name), {
        provider,
        cache: { embeddings: path, embeddingsMaxBytes: embeddingCacheBytes },
      });
      const texts = Array.from({ length: count }, (_, n) => ({ id: from + n, text: `is about matter ${from + n}` }));
      return (await index.addDocuments(texts, { batchSize: 100 })).embedded;
    };
    expect(await add('first', 0, 600)).toBe(600);
    // Two hours later one part is asked for again; the other is then the one that was used longest ago.
    const db = new (sqlite())(path);
    db.prepare('UPDATE vectors SET used_at = used_at - 7200000').run();
    db.close();
    expect(await add('second', 400, 200)).toBe(0);
    expect(await add('third', 1_000, 500)).toBe(500);
    expect(await add('fourth', 400, 200)).toBe(0);
    expect(await add('fifth', 0, 150)).toBe(150);
    await add('more', 10_000, 1_200);
    const { size } = statSync(path);
    expect(size).toBeLessThan(embeddingCacheBytes * 1.2);
    expect(size).toBeGreaterThan(embeddingCacheBytes * 0.8);
    await expect(SemanticIndex.open(join(folder, 'bad'), { cache: { embeddingsMaxBytes: -1 } })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('takes nothing from an index that is used as one', async () => {
    await using owner = await SemanticIndex.open(join(folder, 'owner'), { provider: deterministicProvider() });
    await owner.addDocuments(documents);
    const embeddingCache = join(folder, 'owner', 'index.db');
    const provider = deterministicProvider();
    await using guest = await SemanticIndex.open(join(folder, 'guest'), {
      provider,
      cache: { embeddings: embeddingCache, embeddingsMaxBytes: 1 },
    });
    expect(await guest.addDocuments([...documents, 'another'])).toMatchObject({ embedded: 1 });
    expect((await owner.validate({ level: 'full' })).valid).toBe(true);
    expect((await owner.search('is about matter 7', { mode: 'vector', k: 1 })).hits).toMatchObject([{ id: 7 }]);
  });

  it('says when the file is none', async () => {
    writeFileSync(join(folder, 'shared.db'), 'no database at all, but long enough to be looked into '.repeat(20));
    await using index = await open('first', deterministicProvider());
    await expect(index.addDocuments(['text'])).rejects.toMatchObject({
      code: expect.stringMatching(/NOT_AN_INDEX|CORRUPT/),
    });
    const bad = SemanticIndex.open(join(folder, 'bad'), { cache: { embeddings: 5 as never } });
    await expect(bad).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
