import { describe, expect, it } from 'vitest';
import { deterministicProvider } from '../../src/embed/testing/deterministic-provider.js';
import { SemanticIndexError } from '../../src/errors.js';
import { SemanticIndex } from '../../src/semantic-index.js';

describe('the parts of a document', () => {
  it('updates metadata without re-embedding, and exposes the vector', async () => {
    const provider = deterministicProvider({ dimensions: 8 });
    await using index = await SemanticIndex.open(':memory:', { provider });
    await index.addDocuments([
      { id: 'a', text: 'one text', metadata: { page: 1 } },
      { id: 2, text: 'given', vector: [1, 0, 0, 0, 0, 0, 0, 0] },
    ]);
    const before = await index.getVectors(['a', 2, 'missing']);
    expect(before[0]).toHaveLength(8);
    expect([...before[1]!]).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
    expect(before[2]).toBeUndefined();
    const answered = provider.answered.texts;
    const changes = [
      { id: 'a', metadata: { page: 2 } },
      { id: 2, metadata: { note: 'seen' } },
      { id: 'missing', metadata: {} },
    ];
    expect(await index.updateMetadata(changes)).toBe(2);
    expect(await index.getDocuments(['a', 2])).toEqual([
      { id: 'a', text: 'one text', metadata: { page: 2 } },
      { id: 2, text: 'given', metadata: { note: 'seen' } },
    ]);
    expect(await index.getVectors(['a', 2, 'missing'])).toEqual(before);
    expect(await index.count({ where: { page: 2 } })).toBe(1);
    expect(provider.answered.texts).toBe(answered);
  });

  it('are checked before any changes', async () => {
    await using index = await SemanticIndex.open(':memory:', { provider: deterministicProvider() });
    await index.addDocuments([
      { id: 'a', text: 'one text', metadata: { page: 1 } },
      { id: 'b', text: 'another text' },
    ]);
    const failure = index.updateMetadata([
      { id: 'a', metadata: { page: 2 } },
      { id: 'b', metadata: { page: Number.NaN } },
    ]);
    await expect(failure).rejects.toSatisfy((error) => SemanticIndexError.is(error, 'INVALID_METADATA'));
    expect((await index.getDocument('a'))?.metadata).toEqual({ page: 1 });
    const twice = index.updateMetadata([
      { id: 'a', metadata: { page: 2 } },
      { id: 'a', metadata: { page: 3 } },
    ]);
    await expect(twice).rejects.toMatchObject({ code: 'DUPLICATE_ID' });
    const unknown = index.updateMetadata([{ id: 'none', metadata: {} }], { onMissing: 'error' });
    await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
