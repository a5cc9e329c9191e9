import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SemanticIndexError } from '../../../src/errors.js';
import { deterministicProvider, testProvider } from '../../../src/testing.js';
import type { EmbeddingProvider, ValidationReport } from '../../../src/types.js';

type Embed = EmbeddingProvider['embed'];

const good = deterministicProvider({ dimensions: 32 });
const withEmbed = (embed: Embed, rest: Partial<EmbeddingProvider> = {}): EmbeddingProvider => ({
  ...good,
  embed,
  ...rest,
});

/** Providers that each break one clause of the contract, by the check that must notice. */
const broken: [string, EmbeddingProvider][] = [
  ['facts', { ...good, id: '' }],
  ['facts', { ...good, maxBatchSize: 0 }],
  ['vectors', withEmbed(async (texts) => ({ vectors: texts.map(() => [1, 2] as unknown as Float32Array) }))],
  ['vectors', { ...good, dimensions: 33 }],
  ['vectors', withEmbed(async (texts) => ({ vectors: texts.map(() => new Float32Array(32)) }))],
  ['vectors', withEmbed(async (texts) => ({ vectors: texts.map(() => new Float32Array(32).fill(Number.NaN)) }))],
  [
    'vectors',
    withEmbed(async (texts) => ({ vectors: texts.map((text) => new Float32Array(text.length).fill(1)) }), {
      dimensions: undefined as unknown as number,
    }),
  ],
  ['distinct', withEmbed(async (texts) => ({ vectors: texts.map(() => new Float32Array(32).fill(1)) }))],
  ['order', withEmbed(async (texts, options) => ({ vectors: (await good.embed(texts, options)).vectors.reverse() }))],
  ['order', withEmbed(async (texts, options) => good.embed([...new Set(texts)].slice(0, 5), options))],
  [
    'padding',
    withEmbed(async (texts, options) => {
      const { vectors } = await good.embed(texts, options);
      const longest = Math.max(...texts.map((text) => text.length));
      return { vectors: vectors.map((vector, row) => vector.map((value) => value + longest - texts[row]!.length)) };
    }),
  ],
  ['repeated texts', withEmbed(async (texts, options) => good.embed([...new Set(texts)], options))],
  [
    'repeatable',
    withEmbed(
      (
        (cache: Map<string, Float32Array>): Embed =>
        async (texts, options) => {
          const { vectors } = await good.embed(texts, options);
          return {
            vectors: texts.map((text, row) => {
              if (!cache.has(text)) cache.set(text, vectors[row]!);
              return cache.get(text)!;
            }),
          };
        }
      )(new Map()),
    ),
  ],
  [
    'roles',
    withEmbed(
      (
        (asked: boolean): Embed =>
        async (texts, options) => {
          asked ||= options.role === 'query';
          return (asked ? deterministicProvider({ dimensions: 32, seed: 1 }) : good).embed(texts, options);
        }
      )(false),
    ),
  ],
  [
    'roles',
    withEmbed(async (texts, options) =>
      (options.role === 'query' ? deterministicProvider({ dimensions: 31 }) : good).embed(texts, options),
    ),
  ],
  ['empty call', withEmbed(async (texts, options) => good.embed(texts.length === 0 ? ['a'] : texts, options))],
  ['abort', withEmbed(async (texts, { role }) => good.embed(texts, { role }))],
  [
    'abort',
    withEmbed(async (texts, options) => {
      if (options.signal?.aborted === true) throw new Error('another error');
      return good.embed(texts, options);
    }),
  ],
];

describe('testProvider', () => {
  it.each([
    ['plain', deterministicProvider()],
    [
      'with roles, few per call, in parallel',
      deterministicProvider({ distinguishRoles: true, maxBatchSize: 2, maxParallelCalls: 3 }),
    ],
    ['slow', deterministicProvider({ delay: 1 })],
  ])('passes a provider that keeps the contract: %s', async (_, provider) => {
    const report = await testProvider(provider);
    expect(report.valid).toBe(true);
    expect(report.checks.length).toBeGreaterThan(10);
    expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
  });

  it.each(broken.map(([check, provider], index) => [index, check, provider] as const))(
    'detects violation %i: %s',
    async (_, check, provider) => {
      const error = await testProvider(provider).catch((thrown: unknown) => thrown);
      expect(SemanticIndexError.is(error, 'PROVIDER_INVALID')).toBe(true);
      const { report } = (error as SemanticIndexError).details as { report: ValidationReport };
      expect(report.valid).toBe(false);
      expect(report.checks.filter(({ passed }) => !passed).map((failed) => failed.check)).toContain(check);
      expect((error as Error).message).toContain(check);
    },
  );

  it('detects a provider that does not respond', async () => {
    const hanging = withEmbed(async (texts, options) => {
      if (options.signal !== undefined) await sleep(60_000);
      return good.embed(texts, options);
    });
    const report = await testProvider(hanging, { throws: false, timeout: 50 });
    expect(report.checks.find(({ check }) => check === 'abort')?.message).toContain('no answer within 50 ms');
  });

  it('only warns about limits in tokens that nothing counts', async () => {
    const { countTokens: _, ...uncounted } = good;
    const report = await testProvider({ ...uncounted, maxBatchTokens: 100 });
    expect(report.checks.find(({ check }) => check === 'token counts')).toMatchObject({
      passed: false,
      severity: 'warning',
    });
  });
});

describe('deterministicProvider', () => {
  it('makes texts similar by the words that they share', async () => {
    const { vectors } = await good.embed(['red green blue', 'blue red yellow', 'one two three'], { role: 'document' });
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, column) => sum + value * b[column]!, 0);
    expect(dot(vectors[0]!, vectors[1]!)).toBeGreaterThan(dot(vectors[0]!, vectors[2]!) + 0.3);
  });

  it('returns fixed vectors on every machine', async () => {
    const { vectors } = await deterministicProvider({ dimensions: 4 }).embed(['hello world', '!'], { role: 'query' });
    expect(vectors.map((vector) => [...vector].map((value) => value.toFixed(6)))).toMatchInlineSnapshot(`
      [
        [
          "0.538484",
          "0.243711",
          "0.804190",
          "0.062601",
        ],
        [
          "-0.058305",
          "-0.548815",
          "0.678240",
          "-0.485173",
        ],
      ]
    `);
  });

  it('refuses unknown options', () => {
    expect(() => deterministicProvider({ dimension: 3 } as object)).toThrow('unknown option "dimension"');
  });
});
