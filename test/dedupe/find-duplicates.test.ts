import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizedText } from '../../src/analysis/normalized-text.js';
import type { Duplicates } from '../../src/dedupe/duplicates.js';
import { findDuplicates } from '../../src/dedupe/find-duplicates.js';
import { deterministicProvider } from '../../src/embed/testing/deterministic-provider.js';
import { SemanticIndexError } from '../../src/errors.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import type { DocumentId, DocumentInput } from '../../src/types.js';

const dimensions = 24;
const open = (): Promise<SemanticIndex> =>
  SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions }) });

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return SemanticIndexError.is(error) ? error.code : String(error);
  }
  return 'none';
}

function cosine(u: Float32Array, v: Float32Array): number {
  let [dot, uu, vv] = [0, 0, 0];
  for (let i = 0; i < u.length; i++) {
    dot += u[i]! * v[i]!;
    uu += u[i]! * u[i]!;
    vv += v[i]! * v[i]!;
  }
  return dot / Math.sqrt(uu * vv);
}

/** Few words, so that many texts are alike. */
const words = ['red', 'green', 'blue', 'stone', 'river', 'cloud'];
const sentence = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 7 }).map((list) => list.join(' '));
const disguise = fc.constantFrom(
  (text: string) => text,
  (text: string) => text.toUpperCase(),
  (text: string) => `${text}!`,
  (text: string) => text.replaceAll(' ', ',  '),
);
const someTexts = fc.array(
  fc.tuple(sentence, disguise).map(([text, change]) => change(text)),
  { minLength: 1, maxLength: 60 },
);

/** Everything that must hold of duplicates, checked against vectors and texts themselves. */
async function checkGroups(index: SemanticIndex, texts: readonly string[], found: Duplicates): Promise<void> {
  const ids = texts.map((_, position) => position);
  const vectors = (await index.getVectors(ids)) as Float32Array[];
  const alike = (a: number, b: number): boolean =>
    normalizedText(texts[a]!) === normalizedText(texts[b]!) ||
    // Texts with one vector and other words differ in the order of words, which is not in these vectors.
    (cosine(vectors[a]!, vectors[b]!) >= found.threshold + 1e-6 && cosine(vectors[a]!, vectors[b]!) < 1 - 1e-6);
  const nearly = (a: number, b: number): boolean => cosine(vectors[a]!, vectors[b]!) >= found.threshold - 1e-6;
  const gone = new Set<DocumentId>();
  for (const { representative, duplicates } of found.groups) {
    expect(duplicates.length).toBeGreaterThan(0);
    for (const { id, kind, similarity } of duplicates) {
      const [a, b] = [representative as number, id as number];
      expect(gone.has(id)).toBe(false);
      gone.add(id);
      expect(similarity).toBeGreaterThanOrEqual(found.threshold);
      if (kind === 'exact') expect(texts[a]).toBe(texts[b]);
      else if (kind === 'normalized') expect(normalizedText(texts[a]!)).toBe(normalizedText(texts[b]!));
      else expect(similarity).toBeCloseTo(cosine(vectors[a]!, vectors[b]!), 5);
      expect(kind === 'near' ? nearly(a, b) : alike(a, b)).toBe(true);
    }
  }
  for (const { representative } of found.groups) expect(gone.has(representative)).toBe(false);
  // What is kept has nothing alike among what is kept.
  const kept = ids.filter((id) => !gone.has(id));
  for (const [position, a] of kept.entries()) {
    for (const b of kept.slice(position + 1)) expect([a, b, alike(a, b)]).toEqual([a, b, false]);
  }
}

describe('findDuplicates', () => {
  it('groups every text with a similar representative, for random texts, thresholds and orders', {
    timeout: 240_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        someTexts,
        fc.double({ min: 0.3, max: 1, noNaN: true }),
        fc.constantFrom('first', 'longest', 'central'),
        fc.constantFrom(1, 3, 64),
        async (texts, threshold, representative, neighbors) => {
          await using index = await open();
          await index.addDocuments(texts.map((text, id) => ({ id, text })));
          const found = await findDuplicates(index, { measure: 'similarity', threshold, representative, neighbors });
          expect(found.documents).toBe(texts.length);
          await checkGroups(index, texts, found);
          const again = await findDuplicates(index, { measure: 'similarity', threshold, representative, neighbors });
          expect(again.groups).toEqual(found.groups);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('rethreshold equals a search at the higher threshold', { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(someTexts, fc.double({ min: 0, max: 0.5, noNaN: true }), async (texts, more) => {
        await using index = await open();
        await index.addDocuments(texts.map((text, id) => ({ id, text })));
        const found = await findDuplicates(index, { measure: 'similarity', threshold: 0.5 });
        const fresh = await findDuplicates(index, { measure: 'similarity', threshold: 0.5 + more });
        expect(found.rethreshold(0.5 + more).groups).toEqual(fresh.groups);
      }),
      { numRuns: 30 },
    );
  });

  it('does not chain', async () => {
    // Unit vectors at 0, 20 and 40 degrees: neighbours have a cosine of 0.94, the ends one of 0.77.
    await using index = await SemanticIndex.open(':memory:', { provider: null });
    const at = (degrees: number): number[] => [
      Math.cos((degrees * Math.PI) / 180),
      Math.sin((degrees * Math.PI) / 180),
    ];
    await index.addDocuments([0, 20, 40, 60].map((angle) => ({ id: angle, text: `at ${angle}`, vector: at(angle) })));
    const { groups } = await findDuplicates(index, { measure: 'similarity', threshold: 0.9 });
    expect(groups.map(({ representative, duplicates }) => [representative, duplicates.map(({ id }) => id)])).toEqual([
      [0, [20]],
      [40, [60]],
    ]);
    const central = await findDuplicates(index, { measure: 'similarity', threshold: 0.9, representative: 'central' });
    expect(central.groups.map(({ representative }) => representative)).toEqual([20]);
    expect(central.groups[0]!.duplicates.map(({ id }) => id).sort()).toEqual([0, 40]);
    const members = central.groups.flatMap(({ duplicates }) => duplicates.map(({ id }) => id));
    expect(members).not.toContain(60);
  });

  it('finds copies that differ in case, punctuation and encoding without comparing vectors', async () => {
    await using index = await open();
    await index.addDocuments([
      { id: 'a', text: 'Press the red button, then wait.' },
      { id: 'b', text: 'Press the red button, then wait.' },
      { id: 'c', text: 'press  the RED button; then wait' },
      { id: 'd', text: 'Something else' },
      { id: 'e', text: 'The temperature is -5 degrees' },
      { id: 'f', text: 'The temperature is 5 degrees' },
    ]);
    const { groups, ratio } = await findDuplicates(index, { near: false });
    expect(groups).toEqual([
      {
        representative: 'a',
        duplicates: [
          { id: 'b', kind: 'exact', value: 1, similarity: 1 },
          { id: 'c', kind: 'normalized', value: 1, similarity: 1 },
        ],
      },
    ]);
    expect(ratio).toBeCloseTo(2 / 6);
  });

  it('makes the longest text the representative', async () => {
    await using index = await open();
    await index.addDocuments([
      { id: 'short', text: 'one two three four five six seven' },
      { id: 'long', text: 'one two three four five six seven eight' },
    ]);
    const of = async (representative: 'first' | 'longest'): Promise<unknown> =>
      (await findDuplicates(index, { measure: 'similarity', threshold: 0.8, representative })).groups[0]
        ?.representative;
    expect([await of('first'), await of('longest')]).toEqual(['short', 'long']);
  });

  it('finds all copies of a text, also more than the neighbours that are compared', async () => {
    await using index = await open();
    await index.addDocuments(
      Array.from({ length: 300 }, (_, id): DocumentInput => ({ id, text: `same words, one number: ${id % 150}` })),
    );
    const found = await findDuplicates(index, { measure: 'similarity', threshold: 0.6, neighbors: 5 });
    await checkGroups(
      index,
      Array.from({ length: 300 }, (_, id) => `same words, one number: ${id % 150}`),
      found,
    );
    expect(found.ratio).toBeGreaterThan(0.9);
  });

  it('compares two indexes', async () => {
    await using known = await open();
    await using incoming = await open();
    await known.addDocuments([
      { id: 'k1', text: 'the cat sat on the mat' },
      { id: 'k2', text: 'prices of stocks fell on monday' },
    ]);
    await incoming.addDocuments([
      { id: 'i1', text: 'The cat sat on the mat.' },
      { id: 'i2', text: 'prices of stocks fell on tuesday' },
      { id: 'i3', text: 'an entirely new sentence' },
      { id: 'i4', text: 'prices of stocks fell on monday' },
    ]);
    const found = await findDuplicates(incoming, { against: known, measure: 'similarity', threshold: 0.7 });
    expect(
      found.groups.map(({ representative, duplicates }) => [representative, duplicates.map(({ id }) => id)]),
    ).toEqual([
      ['k1', ['i1']],
      ['k2', ['i4', 'i2']],
    ]);
    expect((await found.explain('i2')).added).toEqual(['tuesday']);
    expect(found.outliers({ limit: 1 })).toMatchObject([{ id: 'i3' }]);
    expect(found.rethreshold(0.999).ids).toEqual(['i1', 'i4']);
    expect(await found.apply('delete')).toBe(3);
    expect((await incoming.listDocuments()).documents.map(({ id }) => id)).toEqual(['i3']);
    expect(await known.count()).toBe(2);
  });

  it('refuses an index of another model', async () => {
    await using first = await open();
    await using other = await SemanticIndex.open(':memory:', {
      provider: deterministicProvider({ dimensions, seed: 1 }),
    });
    await first.addDocuments(['a text']);
    await other.addDocuments(['a text']);
    expect(await codeOf(findDuplicates(first, { against: other }))).toBe('SPACE_MISMATCH');
    expect((await findDuplicates(first, { against: other, near: false })).ids).toHaveLength(1);
  });

  it('compares the documents that match the filter, and none in an empty index', async () => {
    await using index = await open();
    expect((await findDuplicates(index)).groups).toEqual([]);
    await index.addDocuments([
      { id: 1, text: 'the same', metadata: { lang: 'en' } },
      { id: 2, text: 'the same', metadata: { lang: 'de' } },
      { id: 3, text: 'the same', metadata: { lang: 'en' } },
    ]);
    const found = await findDuplicates(index, { where: { lang: 'en' } });
    expect(found).toMatchObject({ documents: 2, groups: [{ representative: 1, duplicates: [{ id: 3 }] }] });
  });

  it('refuses invalid options, and thresholds below that of the search', async () => {
    await using index = await open();
    await index.addDocuments(['a', 'b']);
    expect(await codeOf(findDuplicates(index, { measure: 'similarity', threshold: Number.NaN }))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(await codeOf(findDuplicates(index, { neighbors: 0 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(findDuplicates(index, { representative: 'best' as 'first' }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(findDuplicates(index, { treshold: 0.5 } as object))).toBe('UNKNOWN_OPTION');
    const found = await findDuplicates(index, { measure: 'similarity', threshold: 0.8 });
    expect(() => found.rethreshold(0.7)).toThrow(SemanticIndexError);
    expect(await codeOf(found.explain('missing'))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(found.apply('burn' as 'delete'))).toBe('INVALID_ARGUMENT');
  });

  it('can be aborted and reports how far it is', async () => {
    await using index = await open();
    await index.addDocuments(Array.from({ length: 500 }, (_, n) => `text number ${n}`));
    const stages = new Set<string>();
    await findDuplicates(index, { onProgress: ({ stage }) => stages.add(stage) });
    expect([...stages]).toEqual(['read', 'search']);
    const controller = new AbortController();
    const reason = new Error('enough');
    const work = findDuplicates(index, {
      signal: controller.signal,
      onProgress: ({ stage }) => stage === 'search' && controller.abort(reason),
    });
    await expect(work).rejects.toBe(reason);
  });
});

describe('duplicates', () => {
  it('are deleted or linked', async () => {
    await using index = await open();
    await index.addDocuments([
      { id: 1, text: 'the same', metadata: { page: 1 } },
      { id: 2, text: 'The same!', metadata: { page: 2 } },
      { id: 3, text: 'another' },
    ]);
    const found = await findDuplicates(index);
    expect(await index.count()).toBe(3);
    expect(await found.apply('link')).toBe(1);
    expect((await index.getDocument(2))?.metadata).toEqual({ page: 2, duplicateOf: 1 });
    expect((await index.getDocument(1))?.metadata).toEqual({ page: 1 });
    expect(await index.count({ where: { duplicateOf: { $exists: false } } })).toBe(2);
    expect(await found.apply('delete')).toBe(1);
    expect(await found.apply('delete')).toBe(0);
    expect(await index.getDocument(2)).toBeUndefined();
  });

  it('are explained', async () => {
    await using index = await open();
    await index.addDocuments([
      { id: 'old', text: 'Send the parcel back within 30 days.' },
      { id: 'new', text: 'Send the parcel back to us within 14 days.' },
    ]);
    const found = await findDuplicates(index, { measure: 'similarity', threshold: 0.5 });
    const explained = await found.explain('new');
    expect(explained).toMatchObject({ kind: 'near', removed: ['30'], added: ['to us', '14'] });
    expect(explained.first.id).toBe('old');
    expect(explained.similarity).toBeCloseTo(found.groups[0]!.duplicates[0]!.similarity, 5);
    expect((await found.explain('old', 'new')).removed).toEqual(['to us', '14']);
  });

  it('leave the lonely ones', async () => {
    await using index = await open();
    await index.addDocuments([
      { id: 1, text: 'red green blue' },
      { id: 2, text: 'red green yellow' },
      { id: 3, text: 'quarterly figures' },
    ]);
    const found = await findDuplicates(index);
    expect(found.outliers({ limit: 1 })[0]?.id).toBe(3);
    expect(found.outliers({ below: -2 })).toEqual([]);
  });
});
