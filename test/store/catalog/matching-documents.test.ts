import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deterministicProvider } from '../../../src/embed/testing/deterministic-provider.js';
import { SemanticIndex } from '../../../src/semantic-index.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-matching-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

// An index of a declared field gives documents in the order of the field, and segments want them in that of their keys.
it.each([{ fields: {} }, { fields: { rank: 'number' } } as const])(
  'documents that match are found whatever order a filter finds them in (%o)',
  async ({ fields }) => {
    const provider = deterministicProvider({ dimensions: 8 });
    await using index = await SemanticIndex.open(folder, { provider, fields, ann: { background: false } });
    const documents = Array.from({ length: 500 }, (_, id) => ({
      id,
      text: `text ${id}`,
      metadata: { rank: (id * 7) % 500 },
    }));
    await index.addDocuments(documents.slice(0, 400));
    await index.optimize({ full: true });
    await index.addDocuments(documents.slice(400));
    for (const [from, below] of [
      [0, 500],
      [100, 350],
      [499, 500],
      [600, 700],
    ] as const) {
      const where = { rank: { $gte: from, $lt: below } };
      const { hits } = await index.search('text', { k: 500, mode: 'vector', where });
      const expected = documents.filter(({ metadata: { rank } }) => rank >= from && rank < below).map(({ id }) => id);
      expect(hits.map(({ id }) => id as number).sort((a, b) => a - b)).toEqual(expected);
    }
    expect(await index.deleteDocuments({ where: { rank: { $lt: 250 } } })).toBe(250);
    expect(await index.count()).toBe(250);
  },
);
