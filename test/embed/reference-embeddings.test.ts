import { describe, expect, it } from 'vitest';
import { bundledProvider } from '../../src/embed/bundled/bundled-provider.js';
import { checkReferenceEmbeddings, makeReferenceEmbeddings } from '../../src/embed/reference-embeddings.js';
import { SemanticIndexError } from '../../src/errors.js';
import { deterministicProvider } from '../../src/testing.js';
import type { EmbeddingProvider } from '../../src/types.js';
import { tinyStaticModel } from './bundled/tiny-static-model.js';

const base = deterministicProvider();
const { dimensions: _, ...undeclared } = base;
const changed = (
  change: (vector: Float32Array, text: string, role: string) => Float32Array | number[],
): EmbeddingProvider => ({
  ...undeclared,
  embed: async (texts, options) => {
    const { vectors } = await base.embed(texts, options);
    return { vectors: vectors.map((vector, row) => Float32Array.from(change(vector, texts[row]!, options.role))) };
  },
});
const outcome = async (provider: EmbeddingProvider, stored: string): Promise<string> =>
  checkReferenceEmbeddings(provider, stored).then(
    () => 'same',
    (error: SemanticIndexError) => error.code,
  );

describe('reference embeddings', () => {
  it('accept the same provider, despite noise in the last digits', async () => {
    for (const provider of [base, bundledProvider()]) {
      const stored = await makeReferenceEmbeddings(provider);
      expect(stored.length).toBeLessThan(20_000);
      expect(await outcome(provider, stored)).toBe('same');
    }
    const stored = await makeReferenceEmbeddings(base);
    expect(
      await outcome(
        changed((vector) => vector.map((value, column) => value + (column % 2 === 0 ? 1e-3 : -1e-3))),
        stored,
      ),
    ).toBe('same');
  });

  it.each<[string, (vector: Float32Array, text: string, role: string) => Float32Array | number[]]>([
    [
      'another model of the same dimensions',
      (vector) => vector.map((value, column) => (column % 2 === 0 ? value : -value)),
    ],
    ['other dimensions', (vector) => [...vector, 0]],
    ['a slight change, as of quantization', (vector) => vector.map((value, column) => value + (column % 3) * 0.01)],
    ['a prefix for queries only', (vector, _, role) => (role === 'query' ? [...vector].reverse() : vector)],
    ['long texts truncated elsewhere', (vector, text) => (text.length > 2000 ? [...vector].reverse() : vector)],
    ['diacritics or case handled differently', (vector, text) => (/[À-ÿ]/.test(text) ? [...vector].reverse() : vector)],
    ['another script handled differently', (vector, text) => (/[一-龥]/.test(text) ? [...vector].reverse() : vector)],
  ])('notice %s', async (_, change) => {
    const stored = await makeReferenceEmbeddings(base);
    const error = await checkReferenceEmbeddings(changed(change), stored).catch((thrown: unknown) => thrown);
    expect(SemanticIndexError.is(error, 'SPACE_MISMATCH')).toBe(true);
    expect((error as SemanticIndexError).details).toHaveProperty('moved');
  });

  it('detect another table behind the same id', async () => {
    const [first, second] = ['int8', 'int4'].map((quantization) =>
      bundledProvider({
        folder: tinyStaticModel(['the', 'fox', 'part', 'covers'], { quantization: quantization as 'int8' }).folder,
      }),
    );
    expect(await outcome({ ...second!, id: first!.id }, await makeReferenceEmbeddings(first!))).toBe('SPACE_MISMATCH');
  });

  it('are shortened for providers that refuse long texts', async () => {
    const short: EmbeddingProvider = { ...base, maxInputTokens: 20 };
    expect(await outcome(short, await makeReferenceEmbeddings(short))).toBe('same');
  });

  it.each(['', '{', 'null', '[]', '{"version":2,"canaries":[]}', '{"version":1,"canaries":[{"text":1}]}'])(
    'refuse a damaged stored value: %s',
    async (stored) => {
      expect(await outcome(base, stored)).toBe('CORRUPT');
    },
  );

  it('stop when aborted', async () => {
    const reason = new Error('enough');
    await expect(makeReferenceEmbeddings(base, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
