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
import { revisionOf } from './saturated-model.js';
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

  it.each([
    ['int8', 8, { k1: 2, b: 0.75, average_tokens: 4 }],
    ['int4', 6, { k1: 0.5, b: 0, average_tokens: 100 }],
    ['int8', 16, { k1: 0, b: 0.3, average_tokens: 1 }],
    ['int4', 32, { k1: 1000, b: 1, average_tokens: 7.5 }],
  ] as const)(
    'weighs repeated tokens by their saturation: %s, %i dimensions, %j',
    async (quantization, dimensions, saturation) => {
      const { folder, rows } = tinyStaticModel(vocabulary, { quantization, dimensions, zero: [','], saturation });
      const library = new Tokenizer(JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8')), {});
      const texts = [
        'red',
        'red, red, red zebra green',
        `${'blue red '.repeat(700)}un`,
        'green red red',
        'Red red green',
      ];
      const { vectors, usage } = await bundledProvider({ folder }).embed(texts, document);
      let tokens = 0;
      for (const [index, text] of texts.entries()) {
        const { ids } = library.encode(text, { add_special_tokens: false });
        tokens += ids.length;
        const known: number[] = ids.filter((id: number) => rows[id]!.some((value) => value !== 0));
        const { k1, b, average_tokens: average } = saturation;
        const sums = rows[0]!.map((_, column) =>
          [...new Set(known)].reduce((sum, id) => {
            const count = known.filter((other) => other === id).length;
            return sum + (rows[id]![column]! * count) / (count + k1 * (1 - b + (b * known.length) / average));
          }, 0),
        );
        sums.forEach((sum, column) => {
          expect(vectors[index]![column]).toBeCloseTo(sum / Math.hypot(...sums), 5);
        });
      }
      expect(usage).toEqual({ tokens });
      await testProvider(bundledProvider({ folder }), { tolerance: 1e-12 });
    },
  );

  it('counts the known tokens of a text up to the longest one', async () => {
    const saturation = { k1: 2, b: 0.75, average_tokens: 3 };
    const { folder } = tinyStaticModel(vocabulary, { maxTokens: 5, saturation });
    const long = `red zebra red green red ${'green '.repeat(1000)}`;
    const { vectors, usage } = await bundledProvider({ folder }).embed([long, 'red red green red zebra'], document);
    expect(vectors[0]).toEqual(vectors[1]);
    expect(usage).toEqual({ tokens: 10 });
  });

  it('has another id for each saturation, and refuses one that the revision was not made with', async () => {
    const saturation = { k1: 2, b: 0.75, average_tokens: 100 };
    const { folder } = tinyStaticModel(vocabulary, { saturation });
    const weights = readFileSync(join(folder, 'model.safetensors'));
    const ids = [saturation, { ...saturation, k1: 1.5 }, { ...saturation, b: 0.5 }, undefined].map((each) => {
      changeConfig(folder, { saturation: each, revision: revisionOf(weights, each) });
      return bundledProvider({ folder }).id;
    });
    expect(new Set(ids).size).toBe(ids.length);
    for (const each of [saturation, { ...saturation, average_tokens: 101 }]) {
      changeConfig(folder, { saturation: each });
      await expect(bundledProvider({ folder }).embed(['red'], document)).rejects.toMatchObject({
        code: 'INVALID_FILE',
        message: expect.stringContaining('are not revision'),
      });
    }
  });

  it.each([
    [null, 'must be an object'],
    [2, 'must be an object'],
    [{ k1: 2, b: 0.75 }, 'average_tokens must be a number from 1'],
    [{ k1: 2, b: 0.75, average_tokens: 0 }, 'average_tokens must be a number from 1'],
    [{ k1: -1, b: 0.75, average_tokens: 100 }, 'k1 must be a number from 0 to 1000'],
    [{ k1: '2', b: 0.75, average_tokens: 100 }, 'k1 must be a number from 0 to 1000'],
    [{ k1: 2, b: 1.1, average_tokens: 100 }, 'b must be a number from 0 to 1'],
    [{ k1: 2, b: 0.75, average_tokens: 100, k3: 1 }, 'must not have "k3"'],
  ])('refuses the saturation %j', (saturation, message) => {
    const { folder } = tinyStaticModel(vocabulary);
    changeConfig(folder, { saturation });
    expect(() => bundledProvider({ folder })).toThrow(message);
    expect(codeOf(() => bundledProvider({ folder }))).toBe('INVALID_FILE');
  });

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
