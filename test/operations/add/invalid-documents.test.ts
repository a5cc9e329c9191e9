import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type DocumentInput, type EmbeddingProvider, SemanticIndex, SemanticIndexError } from '../../../src/index.js';

const opened: SemanticIndex[] = [];
afterEach(async () => {
  for (const index of opened.splice(0)) await index.close();
});
const open = async (provider: EmbeddingProvider): Promise<SemanticIndex> => {
  const index = await SemanticIndex.open(':memory:', { provider });
  opened.push(index);
  return index;
};

/** A provider as a service is: a call with a text that holds `refuse` fails whole, one that holds `nan` gets a bad vector. */
function picky(maxBatchSize = 16): EmbeddingProvider & { calls: number; embedded: Map<string, number> } {
  const provider = {
    id: 'picky',
    maxBatchSize,
    calls: 0,
    embedded: new Map<string, number>(),
    async embed(texts: readonly string[]) {
      provider.calls++;
      if (texts.some((text) => text.includes('refuse'))) {
        throw Object.assign(new Error('400 input is longer than the context'), { status: 400 });
      }
      for (const text of texts) provider.embedded.set(text, (provider.embedded.get(text) ?? 0) + 1);
      return {
        vectors: texts.map((text) =>
          text.includes('nan') ? Float32Array.of(Number.NaN, 1) : Float32Array.of(text.length, 1),
        ),
      };
    },
  };
  return provider;
}

const errorOf = async (work: Promise<unknown>): Promise<SemanticIndexError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!SemanticIndexError.is(error)) throw new Error(`not refused: ${error}`);
  return error;
};

describe('a document whose text the provider refuses', () => {
  const documents = Array.from({ length: 40 }, (_, place) => ({
    id: `note-${place}`,
    text: place === 29 ? 'refuse me' : `note ${place}`,
  }));

  it('is named, and the documents beside it are added', async () => {
    const index = await open(picky());
    const error = await errorOf(index.addDocuments(documents));
    expect(error).toMatchObject({ code: 'PROVIDER_FAILED', details: { position: 29, id: 'note-29' } });
    expect(error.message).toContain('document 29 (id "note-29")');
    expect(error.message).toContain('longer than the context');
    expect(await index.count()).toBe(39);
  });

  it('is left out and reported with onInvalid: "skip"', async () => {
    const provider = picky();
    const index = await open(provider);
    const result = await index.addDocuments(documents, { onInvalid: 'skip' });
    expect(result).toMatchObject({ added: 39, invalid: [{ position: 29, id: 'note-29' }] });
    expect(result.ids).toHaveLength(39);
    expect(provider.embedded.get('note 28')).toBe(1);
  });

  it('is found among vectors that are not finite', async () => {
    const index = await open(picky());
    const error = await errorOf(
      index.addDocuments([
        { id: 'fine', text: 'fine' },
        { id: 'odd', text: 'nan' },
      ]),
    );
    expect(error).toMatchObject({ code: 'PROVIDER_INVALID', details: { id: 'odd' } });
    expect(await index.count()).toBe(1);
  });

  it('is not blamed when the provider refuses everything', async () => {
    const provider: EmbeddingProvider = {
      id: 'none',
      embed: async () => {
        throw Object.assign(new Error('400 no such model'), { status: 400 });
      },
    };
    const index = await open(provider);
    const error = await errorOf(index.addDocuments(['one', 'two', 'three'], { onInvalid: 'skip' }));
    expect(error.message).not.toContain('document');
    expect(error.message).toContain('no such model');
    expect(await index.count()).toBe(0);
  });

  it('is not blamed for a network that fails', async () => {
    const index = await open({ id: 'down', embed: () => Promise.reject(new Error('connect ECONNREFUSED')) });
    const error = await errorOf(index.addDocuments(['one', 'two'], { onInvalid: 'skip' }));
    expect(error).toMatchObject({ code: 'PROVIDER_FAILED' });
    expect(error.details).not.toHaveProperty('position');
  });
});

describe('onInvalid: "skip"', () => {
  it('lists what is invalid by position, id and reason, and adds the rest', async () => {
    const index = await open(picky());
    const inputs: unknown[] = [
      { id: 'a', text: 'one' },
      { id: 'b', text: '  ' },
      { id: 'a', text: 'again' },
      null,
      { id: 'c', text: 'two', metadata: { n: Number.NaN } },
      { id: 'd', text: 'three', extra: 1 },
      { id: '', text: 'four' },
      'five',
    ];
    const result = await index.addDocuments(inputs as DocumentInput[], { onInvalid: 'skip' });
    expect(result.added).toBe(2);
    expect(result.invalid?.map(({ position, id, error }) => [position, id, error.code])).toEqual([
      [1, 'b', 'INVALID_TEXT'],
      [2, 'a', 'DUPLICATE_ID'],
      [3, undefined, 'INVALID_ARGUMENT'],
      [4, 'c', 'INVALID_METADATA'],
      [5, 'd', 'UNKNOWN_OPTION'],
      [6, '', 'INVALID_ID'],
    ]);
  });

  it('adds exactly what the provider accepts, whatever the size of its calls', async () => {
    const kind = fc.constantFrom('good', 'refuse', 'nan', 'empty');
    await fc.assert(
      fc.asyncProperty(fc.array(kind, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), async (kinds, size) => {
        const index = await open(picky(size));
        const texts = kinds.map((name, place) => (name === 'empty' ? '' : `${name} ${place}`));
        const result = await index.addDocuments(texts, { onInvalid: 'skip' });
        const bad = kinds.flatMap((name, place) => (name === 'good' ? [] : [place]));
        expect((result.invalid ?? []).map(({ position }) => position).sort((a, b) => a - b)).toEqual(bad);
        expect(await index.count()).toBe(kinds.length - bad.length);
      }),
      { numRuns: 40 },
    );
  });
});

describe('an index of a provider with a short context', () => {
  it('is made although a reference text is too long for it', async () => {
    const index = await open({
      id: 'short',
      embed: async (texts) => {
        if (texts.some((text) => text.length > 200)) throw Object.assign(new Error('413 too long'), { status: 413 });
        return { vectors: texts.map((text) => Float32Array.of(text.length, 1)) };
      },
    });
    expect((await index.addDocuments(['one'])).added).toBe(1);
  });
});
