import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SemanticIndex } from '../../../src/index.js';
import { deterministicProvider } from '../../../src/testing.js';

const provider = deterministicProvider({ dimensions: 16 });
const milliseconds = 400;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-moment-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => SemanticIndex.open(join(folder, 'index'), { provider, ann: { background: false } });
const wanted = { id: 'wanted', metadata: { kind: 'rare' } };

/** Replaces one document as fast as it can, until it is stopped. */
function replacing(index: SemanticIndex): () => Promise<void> {
  let going = true;
  const loop = (async () => {
    for (let round = 0; going; round++) await index.addDocuments([{ ...wanted, text: `rareword version ${round}` }]);
  })();
  return async () => {
    going = false;
    await loop;
  };
}

describe('a document that is being replaced', () => {
  const kinds: [string, Parameters<SemanticIndex['search']>[1]][] = [
    ['hybrid', { mode: 'hybrid' }],
    ['hybrid behind a filter', { mode: 'hybrid', where: { kind: 'rare' } }],
    ['hybrid with diversity', { mode: 'hybrid', diversity: 0.3 }],
    ['text', { mode: 'text' }],
  ];
  it.each(kinds)('is found by every search: %s', async (_, options) => {
    await using reader = await open();
    await using writer = await open();
    const others = Array.from({ length: 300 }, (_, id) => ({ id, text: `common words of number ${id}` }));
    await reader.addDocuments([...others, { ...wanted, text: 'rareword' }]);
    const stop = replacing(writer);
    let searches = 0;
    for (const end = Date.now() + milliseconds; Date.now() < end; searches++) {
      const lists = (await reader.searchMany(['rareword', 'rareword version'], { k: 3, ...options })).map(
        ({ hits }) => hits,
      );
      for (const hits of lists) expect(hits.map(({ id }) => id)).toContain('wanted');
    }
    await stop();
    expect(searches).toBeGreaterThan(3);
  });

  it('is never among its own likes', async () => {
    await using reader = await open();
    await using writer = await open();
    await reader.addDocuments(Array.from({ length: 50 }, (_, id) => ({ id, text: `rareword number ${id}` })));
    await reader.addDocuments([{ ...wanted, text: 'rareword' }]);
    const stop = replacing(writer);
    for (const end = Date.now() + milliseconds; Date.now() < end; ) {
      const { hits } = await reader.search({ id: 'wanted' }, { k: 5 });
      expect(hits.map(({ id }) => id)).not.toContain('wanted');
      expect(hits).toHaveLength(5);
    }
    await stop();
  });

  it('has words in a batch that is longer than one reading', async () => {
    await using index = await open();
    const documents = Array.from({ length: 1_000 }, (_, id) => ({ id, text: `common words of number${id} again` }));
    await index.addDocuments(documents);
    const queries = Array.from({ length: 120 }, (_, n) => `common words of number${n * 7} again`);
    const lists = (await index.searchMany([...queries, { id: 3 }], { k: 1 })).map(({ hits }) => hits);
    expect(lists.slice(0, 120).map(([hit]) => hit?.id)).toEqual(queries.map((_, n) => n * 7));
    expect(lists[120]?.[0]?.id).not.toBe(3);
  });
});
