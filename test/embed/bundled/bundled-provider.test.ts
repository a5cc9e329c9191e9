import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { bundledProvider } from '../../../src/embed/bundled/bundled-provider.js';
import { SemanticIndexError } from '../../../src/errors.js';
import { testProvider } from '../../../src/testing.js';
import { scratchDirectory } from '../../scratch-directory.js';
import { longestTurn } from '../longest-turn.js';
import { tinyStaticModel } from './tiny-static-model.js';

const vocabulary = ['red', 'green', 'blue', 'un', '##known', ',', '今', '天'];
const document = { role: 'document' } as const;
const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, column) => sum + value * b[column]!, 0);

describe('bundledProvider', () => {
  it('keeps the provider contract', async () => {
    const provider = bundledProvider();
    expect((await testProvider(provider, { tolerance: 1e-12 })).valid).toBe(true);
    expect(provider.id).toMatch(/^bundled\?dimensions=\d+&model=semantic-index-en&revision=[0-9a-f]{12}$/);
    await provider.close?.();
  });

  it('ranks texts by meaning', async () => {
    const { vectors } = await bundledProvider().embed(
      [
        'How do I delete my account?',
        'Removing a user profile',
        'The cat sleeps on the sofa',
        'A kitten naps on the couch',
      ],
      document,
    );
    const [account, profile, cat, kitten] = vectors as [Float32Array, Float32Array, Float32Array, Float32Array];
    expect(dot(account, profile)).toBeGreaterThan(dot(account, cat));
    expect(dot(cat, kitten)).toBeGreaterThan(dot(profile, kitten));
  });

  it.each(['int8', 'int4'] as const)(
    'sums the rows of known tokens and scales to length 1: %s',
    async (quantization) => {
      const { folder, rows } = tinyStaticModel(vocabulary, { quantization, dimensions: 6, zero: [','] });
      const library = new Tokenizer(JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8')), {});
      const provider = bundledProvider({ folder });
      const texts = [
        'red',
        'Red, GREEN',
        'unknown blue zebra',
        'red red red green blue un unknown 今天',
        'redGreen rèd',
      ];
      const { vectors, usage } = await provider.embed(texts, document);
      let tokens = 0;
      texts.forEach((text, index) => {
        const { ids } = library.encode(text, { add_special_tokens: false });
        tokens += ids.length;
        const sums = rows[0]!.map((_, column) => ids.reduce((sum: number, id: number) => sum + rows[id]![column]!, 0));
        const length = Math.hypot(...sums);
        sums.forEach((sum, column) => {
          expect(vectors[index]![column]).toBeCloseTo(sum / length, 6);
        });
      });
      expect(usage).toEqual({ tokens });
      await testProvider(provider, { tolerance: 1e-12 });
    },
  );

  it('truncates long texts', async () => {
    const { folder } = tinyStaticModel(vocabulary, { maxTokens: 5 });
    const { vectors, usage } = await bundledProvider({ folder }).embed(
      [
        'red red red green blue',
        `red red red green blue ${'green '.repeat(1000)}`,
        'red red red green unknown',
        'red red red green un',
      ],
      document,
    );
    expect(vectors[1]).toEqual(vectors[0]);
    expect(vectors[2]).toEqual(vectors[3]);
    expect(usage).toEqual({ tokens: 5 + 5 + 5 + 5 });
  });

  it('returns unit vectors for texts without known tokens, similar for shared characters', async () => {
    const { folder } = tinyStaticModel(vocabulary, { dimensions: 64, zero: [','] });
    const texts = ['zebra', ',', '???', '🎉🎉', '🎉🎊', '', ' ', '\ud800', 'ॐ'.repeat(5000)];
    const { vectors } = await bundledProvider({ folder }).embed(texts, document);
    vectors.forEach((vector) => {
      expect(Math.abs(dot(vector, vector) - 1)).toBeLessThan(1e-6);
    });
    expect(dot(vectors[3]!, vectors[4]!)).toBeGreaterThan(dot(vectors[3]!, vectors[0]!) + 0.2);
    expect((await bundledProvider({ folder }).embed(texts, document)).vectors).toEqual(vectors);
  });

  it('keeps the event loop free', async () => {
    const provider = bundledProvider();
    await provider.embed(['warm'], document);
    const texts = Array.from(
      { length: 5000 },
      (_, index) => `Text number ${index} describes how the ${index % 97} parts of it fit together.`,
    );
    // Garbage collection can hold up any single round; the best of some shows what the provider does.
    const rounds: number[] = [];
    for (let round = 0; round < 4; round++) {
      rounds.push(await longestTurn(provider.embed([...texts, 'a very long text '.repeat(200_000)], document)));
    }
    expect(Math.min(...rounds)).toBeLessThan(50);
  });

  it('stops when aborted half-way', async () => {
    const provider = bundledProvider();
    const reason = new Error('enough');
    const controller = new AbortController();
    const texts = Array.from({ length: 20_000 }, (_, index) => `text ${index} `.repeat(20));
    setTimeout(() => controller.abort(reason), 50);
    await expect(provider.embed(texts, { role: 'document', signal: controller.signal })).rejects.toBe(reason);
  });

  it('loads again after close', async () => {
    const provider = bundledProvider();
    const before = await provider.embed(['again'], document);
    await provider.close?.();
    expect((await provider.embed(['again'], document)).vectors).toEqual(before.vectors);
  });

  it('refuses unknown options and directories without a model', () => {
    expect(() => bundledProvider({ path: 'x' } as object)).toThrow('unknown option "path"');
    expect(codeOf(() => bundledProvider({ folder: join(tmpdir(), 'no-such-model') }))).toBe('MODEL_NOT_FOUND');
    const folder = scratchDirectory('no-model-');
    for (const config of ['{', '[]', '{}', '{"model_type":"bert"}', '{"model_type":"static-embedding"}']) {
      writeFileSync(join(folder, 'config.json'), config);
      expect(codeOf(() => bundledProvider({ folder }))).toBe('INVALID_FILE');
    }
  });

  it.each([
    ['tokenizer.json is missing', 'MODEL_NOT_FOUND', (folder: string) => rmSync(join(folder, 'tokenizer.json'))],
    ['weights are missing', 'MODEL_NOT_FOUND', (folder: string) => rmSync(join(folder, 'model.safetensors'))],
    [
      'tokenizer.json is truncated',
      'INVALID_FILE',
      (folder: string) => writeFileSync(join(folder, 'tokenizer.json'), '{"model"'),
    ],
    [
      'weights are of another revision',
      'INVALID_FILE',
      (folder: string) => {
        const path = join(folder, 'model.safetensors');
        const weights = readFileSync(path);
        weights[weights.length - 1]! ^= 1;
        writeFileSync(path, weights);
      },
    ],
    ['the config has another width', 'INVALID_FILE', (folder: string) => changeConfig(folder, { hidden_size: 16 })],
    [
      'the config has another number of rows',
      'INVALID_FILE',
      (folder: string) => changeConfig(folder, { vocab_size: 3 }),
    ],
    [
      'the config has another quantization',
      'INVALID_FILE',
      (folder: string) => changeConfig(folder, { quantization: 'int4' }),
    ],
    [
      'the vocabulary is larger than the table',
      'INVALID_FILE',
      (folder: string) => {
        const path = join(folder, 'tokenizer.json');
        const tokenizer = JSON.parse(readFileSync(path, 'utf8'));
        tokenizer.model.vocab.more = 10;
        writeFileSync(path, JSON.stringify(tokenizer));
      },
    ],
  ])('throws at the first call: %s', async (_, code, damage) => {
    const { folder } = tinyStaticModel(vocabulary);
    damage(folder);
    const error = await bundledProvider({ folder })
      .embed(['red'], document)
      .catch((thrown: unknown) => thrown);
    expect((error as SemanticIndexError).code).toBe(code);
    expect((error as SemanticIndexError).message).toContain(folder);
  });
});

function changeConfig(folder: string, change: object): void {
  const path = join(folder, 'config.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }));
}

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return SemanticIndexError.is(error) ? error.code : String(error);
  }
}
