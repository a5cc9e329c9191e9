import { describe, expect, it } from 'vitest';
import { SemanticIndex } from '../../../src/index.js';
import { deterministicProvider } from '../../../src/testing.js';

const texts = Array.from(
  { length: 3000 },
  (_, index) => `Document ${index} is about matter ${(index * 7919) % 10_007}.`,
);

/** A barrier: waits until `count` calls have arrived, then lets all pass. */
function barrier(count: number): () => Promise<void> {
  let [arrived, open] = [0, (): void => {}];
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    if (++arrived === count) open();
    return opened;
  };
}

describe('adding with a provider that takes parallel calls', () => {
  it('keeps as many calls pending as the provider allows, with at most one batch unsaved', async () => {
    const sizes: number[] = [];
    const fourAtOnce = barrier(4);
    const provider = deterministicProvider({
      maxParallelCalls: 4,
      onCall: (called) => {
        // Those that settle the space are few, and alone.
        if (called.length < 32) return;
        sizes.push(called.length);
        return fourAtOnce();
      },
    });
    await using index = await SemanticIndex.open(':memory:', { provider });
    const result = await index.addDocuments(texts.map((text, id) => ({ id, text })));
    expect(result).toMatchObject({ added: 3000, embedded: 3000 });
    expect(result.ids).toEqual([...texts.keys()]);
    expect(sizes.length).toBeGreaterThan(4);
    expect(Math.max(...sizes) * 4).toBeLessThanOrEqual(512);
    const { documents } = await index.listDocuments({ limit: 3000 });
    expect(documents.map(({ id }) => id)).toEqual([...texts.keys()]);
  });

  it('never has more calls at once than the provider takes, over all batches', async () => {
    let [running, most] = [0, 0];
    const inner = deterministicProvider({ maxParallelCalls: 3, delay: 3 });
    const threeAtOnce = barrier(3);
    const provider = {
      ...inner,
      embed: async (...given: Parameters<typeof inner.embed>) => {
        most = Math.max(most, ++running);
        try {
          if (given[0].length >= 32) await threeAtOnce();
          return await inner.embed(...given);
        } finally {
          running--;
        }
      },
    };
    await using index = await SemanticIndex.open(':memory:', { provider });
    await index.addDocuments(texts, { batchSize: 100 });
    expect(most).toBe(3);
  });

  it('embeds a text once that several pending batches contain', async () => {
    const asked = new Map<string, number>();
    const provider = deterministicProvider({
      maxParallelCalls: 4,
      delay: 5,
      onCall: (called) => {
        for (const text of called) asked.set(text, (asked.get(text) ?? 0) + 1);
      },
    });
    await using index = await SemanticIndex.open(':memory:', { provider });
    const documents = Array.from({ length: 600 }, (_, id) => ({ id, text: `One of seven texts: ${id % 7}` }));
    const { embedded, added } = await index.addDocuments(documents, { batchSize: 50 });
    expect({ embedded, added }).toEqual({ embedded: 7, added: 600 });
    for (let which = 0; which < 7; which++) expect(asked.get(`One of seven texts: ${which}`)).toBe(1);
  });

  it('keeps what was committed before a call that fails, and what was paid for', async () => {
    let broken = true;
    const provider = deterministicProvider({
      maxParallelCalls: 2,
      onCall: (called) => {
        if (broken && called.includes(texts[1500] as string)) throw new Error('out of order');
      },
    });
    await using index = await SemanticIndex.open(':memory:', { provider });
    const documents = texts.map((text, id) => ({ id, text }));
    await expect(index.addDocuments(documents, { batchSize: 200 })).rejects.toMatchObject({ code: 'PROVIDER_FAILED' });
    expect(await index.count()).toBe(1400);
    const paid = provider.answered.texts;
    broken = false;
    const { embedded } = await index.addDocuments(documents, { batchSize: 200 });
    expect(embedded + paid - 6).toBe(3000);
  });
});

describe('plan', () => {
  it('reports what an addition would do, without calling the provider', async () => {
    const provider = deterministicProvider();
    await using index = await SemanticIndex.open(':memory:', { provider });
    const first = Array.from({ length: 100 }, (_, id) => ({ id, text: `text number ${id}` }));
    expect(await index.plan(first)).toEqual({
      documents: 100,
      new: 100,
      changed: 0,
      unchanged: 0,
      cached: 0,
      embed: 100,
      tokens: 300,
      counted: true,
    });
    expect(provider.answered.calls).toBe(0);
    await index.addDocuments(first);
    const { calls } = provider.answered;
    const next = [
      ...first.slice(0, 90),
      { id: 90, text: 'another text than before' },
      { id: 91, text: 'text number 5' },
      { id: 'new', text: 'another text than before' },
      { id: 'given', text: 'with its vector', vector: new Float32Array(64).fill(0.125) },
    ];
    const plan = await index.plan(next, { pricePerMillionTokens: 0.02 });
    expect(plan).toMatchObject({
      documents: 94,
      new: 2,
      changed: 2,
      unchanged: 90,
      cached: 1,
      embed: 1,
      tokens: 4,
      cost: (4 / 1e6) * 0.02,
    });
    expect(plan.seconds).toBeGreaterThan(0);
    expect(provider.answered.calls).toBe(calls);
    const { added, updated, unchanged, embedded } = await index.addDocuments(next);
    expect({ new: added, changed: updated, unchanged, embed: embedded }).toEqual({
      new: plan.new,
      changed: plan.changed,
      unchanged: plan.unchanged,
      embed: plan.embed,
    });
  });

  it('foretells the time from earlier adds', async () => {
    const provider = deterministicProvider({ delay: 50, maxBatchSize: 50 });
    await using index = await SemanticIndex.open(':memory:', { provider });
    const began = performance.now();
    await index.addDocuments(texts.slice(0, 500));
    const took = (performance.now() - began) / 1000;
    const { seconds } = await index.plan(texts.slice(500, 1500));
    // Twice as many texts: no sooner than the provider can, and in proportion to what it took before.
    expect(seconds).toBeGreaterThan(20 * 0.049);
    expect(seconds).toBeLessThan(2.1 * took);
  });

  it('estimates tokens without countTokens, and refuses what an add would', async () => {
    await using index = await SemanticIndex.open(':memory:');
    const plan = await index.plan(['a text of six words here']);
    expect(plan).toMatchObject({ counted: false, embed: 1 });
    expect(plan.tokens).toBeGreaterThanOrEqual(6);
    expect(plan.seconds).toBeUndefined();
    await expect(index.plan([''])).rejects.toMatchObject({ code: 'INVALID_TEXT' });
    await expect(index.plan('text' as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(index.plan([], { price: 1 } as never)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' });
  });
});
