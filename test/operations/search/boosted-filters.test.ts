import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SemanticIndex } from '../../../src/semantic-index.js';

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

  it('checks them by the fields that another opening has declared since', async () => {
    const path = join(folder, 'declared');
    await using index = await SemanticIndex.open(path);
    await index.addDocuments([{ id: 'a', text: 'one text', metadata: { year: 2020 } }]);
    const search = () => index.search('text', { boost: [{ where: { year: 'new' }, factor: 2 }] });
    expect((await search()).hits).toHaveLength(1);
    const other = await SemanticIndex.open(path, { fields: { year: 'number' } });
    await expect(search()).rejects.toMatchObject({ code: 'INVALID_FILTER' });
    await other.close();
    const undeclared = await SemanticIndex.open(path, { fields: {} });
    expect((await search()).hits).toHaveLength(1);
    await undeclared.close();
  });
});
