import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizedText } from '../../../src/analysis/normalized-text.js';
import { deterministicProvider } from '../../../src/embed/testing/deterministic-provider.js';
import { SemanticIndex } from '../../../src/semantic-index.js';
import type { DocumentId } from '../../../src/types.js';

const open = () => SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 32 }) });
const ids = async (index: SemanticIndex): Promise<DocumentId[]> =>
  (await index.listDocuments({ limit: 1_000 })).documents.map(({ id }) => id);

const first = [
  { id: 'a', text: 'red green blue stone river cloud' },
  { id: 'b', text: 'one two three four five six' },
];
const second = [
  { id: 'c', text: 'red green blue stone river clouds' },
  { id: 'd', text: 'seven eight nine ten eleven' },
  { id: 'e', text: 'seven eight nine ten eleven' },
  { id: 'a', text: 'one two three four five six', metadata: { changed: true } },
];
const threshold = { measure: 'similarity', threshold: 0.8 } as const;

describe('onDuplicate', () => {
  it('adds everything by default', async () => {
    await using index = await open();
    await index.addDocuments(first);
    const result = await index.addDocuments(second);
    expect(result.duplicates).toBeUndefined();
    expect(await ids(index)).toEqual(['b', 'c', 'd', 'e', 'a']);
  });

  it('skips what is there already, in the index or in the call', async () => {
    await using index = await open();
    await index.addDocuments(first);
    const result = await index.addDocuments(second, { onDuplicate: 'skip', ...threshold });
    expect(result.ids).toEqual(['c', 'd', 'd', 'a']);
    expect(result).toMatchObject({ added: 2, updated: 1, unchanged: 0 });
    // 'a' changes in the same call, so it is not compared with 'c'; 'a' itself is an update, whatever it says.
    expect(result.duplicates).toEqual([{ id: 'e', of: 'd', value: 1, similarity: 1, action: 'skip' }]);
    const again = await index.addDocuments([{ id: 'f', text: 'red green blue stone river clouds!' }], {
      onDuplicate: 'skip',
      ...threshold,
    });
    expect(again).toMatchObject({ ids: ['c'], added: 0, duplicates: [{ id: 'f', of: 'c', action: 'skip' }] });
    expect(await ids(index)).toEqual(['b', 'c', 'd', 'a']);
  });

  it('replaces', async () => {
    await using index = await open();
    await index.addDocuments(first);
    const result = await index.addDocuments(second.slice(0, 3), { onDuplicate: 'replace', ...threshold });
    expect(result.ids).toEqual(['c', 'd', 'e']);
    expect(result.duplicates?.map(({ id, of, action }) => [id, of, action])).toEqual([
      ['c', 'a', 'replace'],
      ['e', 'd', 'replace'],
    ]);
    expect(await ids(index)).toEqual(['b', 'c', 'e']);
  });

  it('links to an unlinked document, never to a link', async () => {
    await using index = await open();
    await index.addDocuments(first);
    await index.addDocuments(second.slice(0, 3), { onDuplicate: 'link', ...threshold });
    await index.addDocuments([{ id: 'g', text: 'red green blue stone river clouds', metadata: { kept: 1 } }], {
      onDuplicate: 'link',
      ...threshold,
    });
    expect((await index.getDocument('c'))?.metadata).toEqual({ duplicateOf: 'a' });
    expect((await index.getDocument('e'))?.metadata).toEqual({ duplicateOf: 'd' });
    expect((await index.getDocument('g'))?.metadata).toEqual({ kept: 1, duplicateOf: 'a' });
    expect(await index.count({ where: { duplicateOf: { $exists: false } } })).toBe(3);
  });

  it('goes with vectors of the caller, and with an empty index', async () => {
    await using index = await SemanticIndex.open(':memory:', { provider: null });
    const result = await index.addDocuments(
      [
        { id: 1, text: 'x', vector: [1, 0] },
        { id: 2, text: 'y', vector: [1, 0.001] },
        { id: 3, text: 'z', vector: [0, 1] },
      ],
      { onDuplicate: 'skip' },
    );
    expect(result.ids).toEqual([1, 1, 3]);
    expect(await ids(index)).toEqual([1, 3]);
  });

  it('refuses what is no action', async () => {
    await using index = await open();
    await expect(index.addDocuments(first, { onDuplicate: 'merge' as never })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('leaves no two alike, however a stream is cut into batches', { timeout: 240_000 }, async () => {
    const words = ['red', 'green', 'blue', 'stone', 'river', 'cloud', 'moss'];
    const text = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 4 }).map((list) => list.join(' '));
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom('skip', 'link', 'replace'),
        async (texts, batchSize, onDuplicate) => {
          await using index = await open();
          const documents = texts.map((one, id) => ({ id, text: one }));
          const result = await index.addDocuments(documents, {
            batchSize,
            onDuplicate,
            measure: 'similarity',
            threshold: 0.95,
          });
          expect(result.ids).toHaveLength(texts.length);
          const where = { duplicateOf: { $exists: false } };
          const standing = (await index.listDocuments({ where, limit: 1_000 })).documents;
          for (const { id } of standing) {
            const {
              hits: [nearest],
            } = await index.search({ id }, { mode: 'vector', k: 1, where, exact: true });
            // The order of words is not in these vectors: texts that differ only in it are not duplicates.
            const own = texts[id as number] as string;
            const sameVector = (nearest?.score ?? 0) > 1 - 1e-6;
            if (sameVector) expect(normalizedText(nearest?.text ?? '')).not.toBe(normalizedText(own));
            else expect(nearest?.score ?? 0).toBeLessThan(0.95 + 1e-6);
          }
          if (onDuplicate === 'link') expect(await index.count()).toBe(texts.length);
          expect(result.duplicates?.every(({ similarity }) => similarity >= 0.95)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});
