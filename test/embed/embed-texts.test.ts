import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EmbeddedBatch, embedText, embedTexts } from '../../src/embed/embed-texts.js';
import { SemanticIndexError } from '../../src/errors.js';
import { deterministicProvider } from '../../src/testing.js';
import type { EmbeddingProvider, Progress } from '../../src/types.js';

const texts = (count: number): string[] => Array.from({ length: count }, (_, index) => `text number ${index}`);

async function collect(batches: AsyncGenerator<EmbeddedBatch>): Promise<{ landed: EmbeddedBatch[]; error: unknown }> {
  const landed: EmbeddedBatch[] = [];
  try {
    for await (const batch of batches) landed.push(batch);
    return { landed, error: undefined };
  } catch (error) {
    return { landed, error };
  }
}

const indicesOf = (landed: EmbeddedBatch[]): number[] => landed.flatMap(({ indices }) => indices).sort((a, b) => a - b);

describe('embedTexts', () => {
  it.each([
    ['one array', (reused: Float32Array) => reused],
    ['views of one buffer', (reused: Float32Array) => new Float32Array(reused.buffer)],
    ['one list of numbers', (_: Float32Array, list: number[]) => list as unknown as Float32Array],
  ])('refuses %s for different texts, and takes it for the same text', async (_, vectorOf) => {
    const [reused, list] = [new Float32Array(3), [0, 0, 0]];
    const provider: EmbeddingProvider = {
      id: 'reuses memory',
      embed: async (batch) => ({
        vectors: batch.map((text) => {
          reused.set([text.length, text.charCodeAt(0), 1]);
          list.splice(0, 3, ...reused);
          return vectorOf(reused, list);
        }),
      }),
    };
    const { landed, error } = await collect(embedTexts(provider, ['one', 'two words'], { role: 'document' }));
    expect(landed).toEqual([]);
    expect(error).toMatchObject({
      code: 'PROVIDER_INVALID',
      message: 'The provider "reuses memory" returned the same memory as vectors 0 and 1, whose texts differ',
      hint: expect.stringContaining('copy'),
    });
    const same = await collect(embedTexts(provider, ['one', 'one'], { role: 'document' }));
    expect([same.error, indicesOf(same.landed)]).toEqual([undefined, [0, 1]]);
  });

  it('takes vectors that are parts of one buffer', async () => {
    const provider: EmbeddingProvider = {
      id: 'parts',
      embed: async (batch) => {
        const all = Float32Array.from({ length: 2 * batch.length }, (_, at) => at + 1);
        return { vectors: batch.map((_, row) => all.subarray(2 * row, 2 * row + 2)) };
      },
    };
    const { landed, error } = await collect(embedTexts(provider, ['one', 'two'], { role: 'document' }));
    expect([error, indicesOf(landed)]).toEqual([undefined, [0, 1]]);
  });

  it('assigns the right vector to every text for all limits', async () => {
    const alone = new Map<string, Float32Array>();
    for (const text of texts(40))
      alone.set(text, (await embedText(deterministicProvider(), text, { role: 'query' })).vector);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 5 }),
        fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
        async (count, maxBatchSize, maxParallelCalls, maxBatchTokens) => {
          let atOnce = 0;
          let most = 0;
          const sizes: number[] = [];
          const base = deterministicProvider({ maxBatchSize, maxParallelCalls });
          const provider: EmbeddingProvider = {
            ...base,
            ...(maxBatchTokens === undefined ? {} : { maxBatchTokens }),
            embed: async (batch, options) => {
              sizes.push(batch.length);
              most = Math.max(most, ++atOnce);
              await sleep(0);
              atOnce--;
              return base.embed(batch, options);
            },
          };
          const input = texts(count);
          const { landed, error } = await collect(embedTexts(provider, input, { role: 'query' }));
          expect(error).toBeUndefined();
          expect(indicesOf(landed)).toEqual(input.map((_, index) => index));
          for (const batch of landed) {
            batch.indices.forEach((index, row) => {
              expect(batch.vectors[row]).toEqual(alone.get(input[index]!));
            });
            expect(batch.tokens).toBe(batch.indices.length * 3);
          }
          expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(
            Math.max(1, Math.min(maxBatchSize, Math.floor((maxBatchTokens ?? 1000) / 3))),
          );
          expect(most).toBeLessThanOrEqual(maxParallelCalls);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('uses all allowed parallel calls, and yields batches as they arrive', async () => {
    // No call is answered before there are four of them.
    let waiting: (() => void)[] = [];
    const provider = deterministicProvider({
      maxBatchSize: 1,
      maxParallelCalls: 4,
      onCall: () =>
        new Promise((resolve) => {
          waiting.push(resolve);
          if (waiting.length < 4) return;
          for (const answer of waiting) answer();
          waiting = [];
        }),
    });
    const { landed } = await collect(embedTexts(provider, texts(16), { role: 'document' }));
    expect(landed).toHaveLength(16);
    // The first call is answered when the three others have been yielded.
    let answerFirst = (): void => {};
    const first = new Promise<void>((resolve) => {
      answerFirst = resolve;
    });
    const slowFirst = deterministicProvider({
      maxBatchSize: 1,
      maxParallelCalls: 2,
      onCall: ([text]) => (text === 'text number 0' ? first : undefined),
    });
    const order: number[] = [];
    for await (const { indices } of embedTexts(slowFirst, texts(4), { role: 'document' })) {
      order.push(...indices);
      if (order.length === 3) answerFirst();
    }
    expect(order).toEqual([1, 2, 3, 0]);
  });

  it('spreads texts over the parallel calls, with a minimum per call', async () => {
    for (const [count, expected] of [
      [1000, [250, 250, 250, 250]],
      [100, [32, 32, 32, 4]],
      [20, [20]],
      [2000, [256, 256, 256, 256, 256, 256, 256, 208]],
    ] as const) {
      const sizes: number[] = [];
      const provider = deterministicProvider({
        dimensions: 4,
        maxParallelCalls: 4,
        onCall: (batch) => void sizes.push(batch.length),
      });
      await collect(embedTexts(provider, texts(count), { role: 'document' }));
      expect(sizes).toEqual(expected);
    }
  });

  it('respects the maxParallelCalls of the provider and a lower concurrency', async () => {
    for (const [declared, concurrency, expected] of [
      [3, 8, 3],
      [8, 2, 2],
    ]) {
      let running = 0;
      let most = 0;
      const provider = deterministicProvider({
        maxBatchSize: 1,
        maxParallelCalls: declared,
        onCall: async () => {
          most = Math.max(most, ++running);
          await sleep(2);
          running--;
        },
      });
      await collect(embedTexts(provider, texts(20), { role: 'document', concurrency }));
      expect(most).toBe(expected);
    }
  });

  it('yields completed batches when a call fails permanently, and starts no more calls', async () => {
    let calls = 0;
    let begun = (): void => {};
    const fourth = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const provider = deterministicProvider({
      maxBatchSize: 2,
      maxParallelCalls: 2,
      onCall: async ([first]) => {
        calls++;
        // The third fails while the fourth is pending.
        if (first === 'text number 4') {
          await fourth;
          throw new Error('the third call is refused');
        }
        if (first === 'text number 6') begun();
        await sleep(first === 'text number 6' ? 20 : 1);
      },
    });
    const { landed, error } = await collect(embedTexts(provider, texts(100), { role: 'document' }));
    expect(SemanticIndexError.is(error, 'PROVIDER_FAILED')).toBe(true);
    expect((error as Error).message).toContain('the third call is refused');
    expect(((error as Error).cause as Error).message).toBe('the third call is refused');
    expect(indicesOf(landed)).toEqual([0, 1, 2, 3, 6, 7]);
    expect(landed.length).toBe(provider.answered.calls);
    expect(calls).toBe(4);
  });

  it('retries after the delay that retryAfter returns', async () => {
    const attempts: number[] = [];
    let failures = 3;
    const provider = deterministicProvider({
      maxBatchSize: 5,
      onCall: () => {
        if (failures-- > 0) throw new Error('busy');
      },
      retryAfter: (error, attempt) => {
        expect((error as Error).message).toBe('busy');
        attempts.push(attempt);
        return 20;
      },
    });
    const started = performance.now();
    const { landed, error } = await collect(embedTexts(provider, texts(10), { role: 'document' }));
    expect(error).toBeUndefined();
    expect(indicesOf(landed)).toHaveLength(10);
    expect(attempts).toEqual([1, 2, 3]);
    expect(performance.now() - started).toBeGreaterThan(55);
  });

  it('gives up when retryAfter returns undefined, and always after 20 retries', async () => {
    const failing = (retryAfter: (error: unknown, attempt: number) => number | undefined) =>
      deterministicProvider({
        onCall: () => {
          throw new Error('down');
        },
        retryAfter,
      });
    let asked = 0;
    const twice = await collect(
      embedTexts(
        failing((_, attempt) => {
          asked = attempt;
          return attempt <= 2 ? 0 : undefined;
        }),
        texts(3),
        { role: 'document' },
      ),
    );
    expect(SemanticIndexError.is(twice.error, 'PROVIDER_FAILED')).toBe(true);
    expect(asked).toBe(3);
    const forEver = await collect(
      embedTexts(
        failing((_, attempt) => {
          asked = attempt;
          return 0;
        }),
        texts(3),
        { role: 'document' },
      ),
    );
    expect(SemanticIndexError.is(forEver.error, 'PROVIDER_FAILED')).toBe(true);
    expect(asked).toBe(20);
  });

  it('ends retry delays when another call has failed permanently', async () => {
    let wait = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      wait = resolve;
    });
    const provider = deterministicProvider({
      maxBatchSize: 1,
      maxParallelCalls: 2,
      onCall: async ([text]) => {
        if (text !== 'text number 0') await waiting.then(() => sleep(1));
        throw new Error(text);
      },
      // Longer than the test may take.
      retryAfter: (error) => {
        if ((error as Error).message !== 'text number 0') return undefined;
        wait();
        return 3_600_000;
      },
    });
    const { error } = await collect(embedTexts(provider, texts(2), { role: 'document' }));
    expect((error as Error).message).toContain('text number 1');
  });

  it.each([
    ['no vectors', () => ({}), /must resolve to/],
    ['nothing', () => undefined, /must resolve to/],
    ['too few', () => ({ vectors: [Float32Array.of(1, 0)] }), /1 vectors for 2 texts/],
    [
      'other dimensions',
      () => ({ vectors: [Float32Array.of(1, 0), Float32Array.of(1, 0, 0)] }),
      /3 dimensions where 2/,
    ],
    ['no dimension', () => ({ vectors: [new Float32Array(0), new Float32Array(0)] }), /0 dimensions/],
    ['strings', () => ({ vectors: ['a', 'b'] }), /returned "a" as vector 0/],
  ])('refuses an answer with %s', async (_, answer, message) => {
    const provider = { id: 'broken', embed: async () => answer() } as unknown as EmbeddingProvider;
    const { landed, error } = await collect(embedTexts(provider, ['one', 'two'], { role: 'document' }));
    expect(landed).toEqual([]);
    expect(SemanticIndexError.is(error, 'PROVIDER_INVALID')).toBe(true);
    expect((error as Error).message).toMatch(message);
  });

  it.each([
    ['NaN', [Float32Array.of(1, 0), Float32Array.of(1, Number.NaN)], 1, /not finite/],
    ['infinity', [Float32Array.of(1, 0), Float32Array.of(1, Infinity)], 1, /not finite/],
    ['zero', [Float32Array.of(0, 0), Float32Array.of(1, 0)], 0, /all zero/],
  ])('refuses a vector with %s, names its text and keeps the other', async (_, vectors, bad, message) => {
    const provider = { id: 'broken', embed: async () => ({ vectors }) } as unknown as EmbeddingProvider;
    const { landed, error } = await collect(embedTexts(provider, ['one', 'two'], { role: 'document' }));
    expect(landed.flatMap(({ indices }) => indices)).toEqual([1 - bad]);
    expect(error).toMatchObject({ code: 'PROVIDER_INVALID', details: { index: bad } });
    expect((error as Error).message).toMatch(message);
  });

  it('refuses dimensions that differ from the declared, requested or earlier ones', async () => {
    const wrongLater = {
      id: 'changing',
      maxBatchSize: 1,
      embed: async ([text]: readonly string[]) => ({
        vectors: [new Float32Array(text === 'text number 2' ? 3 : 2).fill(1)],
      }),
    };
    const changing = await collect(embedTexts(wrongLater, texts(3), { role: 'document' }));
    expect(changing.landed).toHaveLength(2);
    expect(SemanticIndexError.is(changing.error, 'PROVIDER_INVALID')).toBe(true);
    for (const [provider, dimensions] of [
      [{ ...wrongLater, dimensions: 5 }, undefined],
      [wrongLater, 5],
    ] as const) {
      const { error } = await collect(embedTexts(provider, ['a'], { role: 'document', dimensions }));
      expect((error as SemanticIndexError).details).toMatchObject({ expected: 5, actual: 2 });
    }
  });

  it('refuses parallel calls whose dimensions differ', async () => {
    const provider: EmbeddingProvider = {
      id: 'two-faced',
      maxBatchSize: 200,
      maxParallelCalls: 2,
      embed: async (batch) => ({
        vectors: batch.map(() => new Float32Array(batch.includes('text number 0') ? 3000 : 3001).fill(1)),
      }),
    };
    const { landed, error } = await collect(embedTexts(provider, texts(400), { role: 'document' }));
    expect(landed).toHaveLength(1);
    expect(SemanticIndexError.is(error, 'PROVIDER_INVALID')).toBe(true);
  });

  it('scales vectors to length 1 without modifying those of the provider', async () => {
    const own = [Float32Array.of(3e-20, 4e-20), Float32Array.of(-3e19, 4e19), [0, 2]];
    const provider = { id: 'plain', embed: async () => ({ vectors: own }) } as unknown as EmbeddingProvider;
    const { landed } = await collect(embedTexts(provider, texts(3), { role: 'document' }));
    expect(landed[0]?.vectors).toEqual([Float32Array.of(0.6, 0.8), Float32Array.of(-0.6, 0.8), Float32Array.of(0, 1)]);
    expect(own[0]).toEqual(Float32Array.of(3e-20, 4e-20));
  });

  it('refuses invalid and over-long texts before the first call', async () => {
    const provider: EmbeddingProvider = { ...deterministicProvider(), maxInputTokens: 4 };
    for (const [input, code] of [
      [['fine', ''], 'INVALID_TEXT'],
      [['fine', ' \n\t'], 'INVALID_TEXT'],
      [['fine', 7 as unknown as string], 'INVALID_TEXT'],
      [['fine', 'one two three four five'], 'INPUT_TOO_LONG'],
    ] as const) {
      const { landed, error } = await collect(embedTexts(provider, input, { role: 'document' }));
      expect(landed).toEqual([]);
      expect((error as SemanticIndexError).code).toBe(code);
      expect((error as SemanticIndexError).details).toMatchObject({ index: 1 });
    }
    expect((provider as unknown as { answered: { calls: number } }).answered.calls).toBe(0);
  });

  it('aborts immediately, half-way, and during a retry delay', async () => {
    const reason = new Error('enough');
    const before = await collect(
      embedTexts(deterministicProvider(), texts(3), { role: 'document', signal: AbortSignal.abort(reason) }),
    );
    expect(before).toEqual({ landed: [], error: reason });

    const hanging: EmbeddingProvider = { id: 'hanging', embed: () => new Promise(() => {}) };
    const hung = await collect(embedTexts(hanging, texts(3), { role: 'document', signal: abortIn(20, reason) }));
    expect(hung.error).toBe(reason);

    const waiting = deterministicProvider({
      onCall: () => {
        throw new Error('busy');
      },
      retryAfter: () => 60_000,
    });
    const waited = await collect(embedTexts(waiting, texts(3), { role: 'document', signal: abortIn(20, reason) }));
    expect(waited.error).toBe(reason);

    const slow = deterministicProvider({ maxBatchSize: 1, delay: 10 });
    const some = await collect(embedTexts(slow, texts(1000), { role: 'document', signal: abortIn(60, reason) }));
    expect(some.error).toBe(reason);
    expect(some.landed.length).toBe(slow.answered.calls);
    expect(some.landed.length).toBeLessThan(20);
  });

  it('aborts pending calls when the loop is left early', async () => {
    const signals: AbortSignal[] = [];
    const base = deterministicProvider({ maxBatchSize: 1, maxParallelCalls: 3 });
    const provider: EmbeddingProvider = {
      ...base,
      embed: async (batch, options) => {
        signals.push(options.signal!);
        if (signals.length > 1) await sleep(1000, undefined, { signal: options.signal! });
        return base.embed(batch, options);
      },
    };
    for await (const _ of embedTexts(provider, texts(10), { role: 'document' })) break;
    expect(signals.length).toBeGreaterThan(1);
    expect(signals.every((signal) => signal.aborted)).toBe(true);
  });

  it('continues while the consumer is busy, up to a bound', async () => {
    const provider = deterministicProvider({ maxBatchSize: 1, maxParallelCalls: 3 });
    const batches = embedTexts(provider, texts(100), { role: 'document' });
    await batches.next();
    await expect.poll(() => provider.answered.calls, { timeout: 60_000 }).toBeGreaterThan(2);
    await sleep(50);
    expect(provider.answered.calls).toBeLessThan(8);
    await batches.return();
  });

  it('reports progress that rises and ends at the total', async () => {
    const seen: Progress[] = [];
    const provider = deterministicProvider({ maxBatchSize: 3, delay: 2 });
    const started = performance.now();
    await collect(
      embedTexts(provider, texts(100), { role: 'document', onProgress: (progress) => seen.push(progress) }),
    );
    expect(seen.at(-1)).toEqual({ stage: 'embed', done: 100, total: 100 });
    // At most 25 times a second, and at the end.
    expect(seen.length).toBeLessThanOrEqual(2 + (performance.now() - started) / 40);
    expect([...seen].sort((a, b) => a.done - b.done)).toEqual(seen);
  });

  it('assumes one token per byte without countTokens', async () => {
    const sizes: number[] = [];
    const provider: EmbeddingProvider = {
      id: 'uncounted',
      maxBatchTokens: 10,
      embed: async (batch) => {
        sizes.push(batch.length);
        return { vectors: batch.map(() => Float32Array.of(1)) };
      },
    };
    await collect(embedTexts(provider, ['12345', '12345', 'äöü', '1', '12345678901234', '1'], { role: 'document' }));
    expect(sizes).toEqual([2, 2, 1, 1]);
  });
});

function abortIn(milliseconds: number, reason: Error): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), milliseconds);
  return controller.signal;
}
