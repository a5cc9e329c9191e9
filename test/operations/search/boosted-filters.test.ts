import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { EmbeddingProvider, SearchOptions, Where } from '../../../src/index.js';
import { SemanticIndex } from '../../../src/semantic-index.js';
import { deterministicProvider } from '../../../src/testing.js';

const folder = mkdtempSync(join(tmpdir(), 'semantic-index-boosted-filters-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('boosts by a filter', () => {
  it('distinguishes filters with the same characters', async () => {
    await using index = await SemanticIndex.open(':memory:');
    const values = [1, '1', true, 'true', 'a.b', null];
    await index.addDocuments(values.map((value, id) => ({ id, text: 'the same text', metadata: { value } })));
    for (const round of [1, 2]) {
      for (const [id, value] of values.entries()) {
        const boost = [{ where: { value }, factor: 3 }];
        const { hits } = await index.search('same text', { mode: 'text', boost });
        expect([round, hits[0]?.id]).toEqual([round, id]);
        expect(hits[0]?.score).toBeGreaterThan(2 * (hits[1]?.score ?? 1));
      }
    }
  });

  it('follows more filters than are remembered', async () => {
    await using index = await SemanticIndex.open(':memory:');
    await index.addDocuments(
      Array.from({ length: 80 }, (_, id) => ({ id, text: 'the same text', metadata: { number: id } })),
    );
    for (const number of [...Array(80).keys(), 0, 79, 3]) {
      const boost = [{ where: { number }, factor: 2 }];
      const { hits } = await index.search('same text', { mode: 'text', k: 1, boost });
      expect(hits[0]?.id).toBe(number);
    }
  });

  it.each<[string, (filter: Where) => SearchOptions]>([
    ['boosts', (where) => ({ boost: [{ where, factor: 2 }] })],
    ['a filter', (where) => ({ where: { $not: where } })],
  ])('checks %s by the fields that another opening has declared since', async (name, optionsOf) => {
    const path = join(folder, name);
    await using index = await SemanticIndex.open(path);
    await index.addDocuments([{ id: 'a', text: 'one text', metadata: { year: 2020 } }]);
    const search = () => index.search('text', optionsOf({ year: 'new' }));
    expect((await search()).hits).toHaveLength(1);
    const other = await SemanticIndex.open(path, { fields: { year: 'number' } });
    await expect(search()).rejects.toMatchObject({ code: 'INVALID_FILTER' });
    await expect(search()).rejects.toMatchObject({ code: 'INVALID_FILTER' });
    await other.close();
    const undeclared = await SemanticIndex.open(path, { fields: {} });
    expect((await search()).hits).toHaveLength(1);
    await undeclared.close();
  });

  it('refuses by the declared fields what is searched before the first vector, and embeds nothing for it', async () => {
    const provider = deterministicProvider({ dimensions: 8 });
    let embedded = 0;
    const embed: EmbeddingProvider['embed'] = (texts, options) => {
      embedded += texts.length;
      return provider.embed(texts, options);
    };
    await using index = await SemanticIndex.open(':memory:', {
      fields: { year: 'number' },
      provider: { ...provider, embed },
    });
    for (const documents of [[], [{ id: 'a', text: 'one text', metadata: { year: 2020 } }]]) {
      await index.addDocuments(documents);
      const before = embedded;
      await expect(index.search('text', { where: { year: 'new' } })).rejects.toMatchObject({ code: 'INVALID_FILTER' });
      expect(embedded).toBe(before);
    }
  });
});
