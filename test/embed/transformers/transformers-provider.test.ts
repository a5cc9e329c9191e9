import { execFile } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledProvider, modelFolderOf } from '../../../src/embed/bundled/bundled-provider.js';
import { transformersProvider } from '../../../src/embed/transformers/transformers-provider.js';
import { SemanticIndexError } from '../../../src/errors.js';
import { testProvider } from '../../../src/testing.js';
import type { EmbeddingProvider, EmbeddingRole } from '../../../src/types.js';
import { scratchDirectory } from '../../scratch-directory.js';
import { withSaturation } from '../bundled/saturated-model.js';
import { longestTurn } from '../longest-turn.js';
import { tinyTransformer } from './tiny-transformer.js';

const run = promisify(execFile);
const writeOnnx = fileURLToPath(new URL('../../../models/write-onnx.mjs', import.meta.url));
const cacheDir = scratchDirectory('model-cache-');
const bundledFolder = scratchDirectory('semantic-index-en-');
const packaged = modelFolderOf(bundledProvider()) as string;
const open: EmbeddingProvider[] = [];
const provide = (options: Parameters<typeof transformersProvider>[0]): EmbeddingProvider => {
  const provider = transformersProvider({ cacheDir, offline: true, ...options });
  open.push(provider);
  return provider;
};
beforeAll(() => run(process.execPath, [writeOnnx, bundledFolder]));
afterAll(async () => {
  await Promise.all(open.map((provider) => provider.close?.()));
  rmSync(bundledFolder, { recursive: true });
});

const tiny = tinyTransformer();
const texts = ['red', 'the cat sat on the mat', 'green dog', 'the red cat', 'blue', 'the dog sat on the red mat : a'];
const embed = async (provider: EmbeddingProvider, input: readonly string[], role: EmbeddingRole = 'document') =>
  (await provider.embed(input, { role })).vectors;
const unit = (vector: readonly number[]): number[] => vector.map((value) => value / Math.hypot(...vector));
const mean = (states: readonly number[][]): number[] =>
  states[0]!.map((_, column) => states.reduce((sum, state) => sum + state[column]!, 0) / states.length);
const expectNear = (actual: ArrayLike<number> | undefined, expected: readonly number[], digits = 5): void => {
  expect(actual?.length).toBe(expected.length);
  expected.forEach((value, column) => {
    expect(actual?.[column]).toBeCloseTo(value, digits);
  });
};
const fail = (provider: EmbeddingProvider): Promise<SemanticIndexError> =>
  provider.embed(['red'], { role: 'document' }).then(
    () => expect.fail('no error'),
    (error: SemanticIndexError) => error,
  );

describe('transformersProvider with a tiny transformer', () => {
  it('keeps the provider contract, including vectors that do not depend on the batch', async () => {
    const report = await testProvider(provide({ model: tiny.folder }), { tolerance: 1e-6 });
    expect(report.valid).toBe(true);
  });

  it.each([
    ['mean', mean],
    ['cls', (states: number[][]) => states[0]!],
    ['last', (states: number[][]) => states.at(-1)!],
  ] as const)('pools only real tokens, whatever the padding: %s', async (pooling, pool) => {
    const vectors = await embed(provide({ model: tiny.folder, pooling }), texts);
    texts.forEach((text, index) => {
      expectNear(vectors[index], unit(pool(tiny.states(tiny.ids(text)))));
    });
  });

  it('supports normalize: false and fewer dimensions', async () => {
    const states = texts.map((text) => mean(tiny.states(tiny.ids(text))));
    const raw = await embed(provide({ model: tiny.folder, normalize: false }), texts);
    raw.forEach((vector, index) => {
      expectNear(vector, states[index]!);
    });
    const short = provide({ model: tiny.folder, dimensions: 3 });
    expect(short.dimensions).toBe(3);
    (await embed(short, texts)).forEach((vector, index) => {
      expectNear(vector, unit(states[index]!.slice(0, 3)));
    });
    expect((await fail(provide({ model: tiny.folder, dimensions: 99 }))).code).toBe('DIMENSION_MISMATCH');
  });

  it('truncates long texts to maxTokens or the limit of the model, and keeps the closing token', async () => {
    const long = 'the cat sat on the mat the dog sat on the red mat green blue';
    const whole = tiny.ids(long);
    for (const [maxTokens, limit] of [
      [undefined, 12],
      [6, 6],
      [40, 12],
    ]) {
      const [vector] = await embed(provide({ model: tiny.folder, maxTokens }), [long]);
      expectNear(vector, unit(mean(tiny.states([...whole.slice(0, limit! - 1), whole.at(-1)!]))));
    }
  });

  it('prepends prefixes to queries and documents', async () => {
    const provider = provide({ model: tiny.folder, queryPrefix: 'query: ', documentPrefix: 'passage: ' });
    for (const role of ['query', 'document'] as const) {
      const prefix = role === 'query' ? 'query :' : 'passage :';
      const [vector] = await embed(provider, ['red cat'], role);
      expectNear(vector, unit(mean(tiny.states(tiny.ids(`${prefix} red cat`)))));
    }
  });

  it.each([
    ['multilingual-e5-small', 'mean', 'query: ', 'passage: '],
    ['bge-small-en-v1.5', 'cls', 'Represent this sentence for searching relevant passages: ', undefined],
    ['gte-small', 'mean', undefined, undefined],
    ['gte-base-en-v1.5', 'cls', undefined, undefined],
    ['nomic-embed-text-v1.5', 'mean', 'search_query: ', 'search_document: '],
    ['snowflake-arctic-embed-xs', 'cls', 'Represent this sentence for searching relevant passages: ', undefined],
    ['snowflake-arctic-embed-m-v2.0', 'cls', 'query: ', undefined],
    ['all-MiniLM-L6-v2', 'mean', undefined, undefined],
  ])('knows how the family of %s was trained', async (name, pooling, query, document) => {
    const facts = new URLSearchParams(provide({ model: `owner/${name}` }).id.split('?')[1]);
    expect(facts.get('pooling')).toBe(`model or ${pooling}`);
    expect(facts.get('query')).toBe(query ?? null);
    expect(facts.get('document')).toBe(document ?? null);
  });

  it('pools as the model family requires', async () => {
    const e5 = tinyTransformer({ name: 'e5-tiny' });
    const bge = tinyTransformer({ name: 'bge-tiny' });
    const [query] = await embed(provide({ model: e5.folder }), ['red cat'], 'query');
    expectNear(query, unit(mean(tiny.states(tiny.ids('query : red cat')))));
    const [document] = await embed(provide({ model: bge.folder }), ['red cat']);
    expectNear(document, unit(tiny.states(tiny.ids('red cat'))[0]!));
  });

  it('uses the output sentence_embedding unless pooling is set', async () => {
    const { folder } = tinyTransformer({ sentenceOutput: true });
    const states = tiny.states(tiny.ids('red cat'));
    const [ready] = await embed(provide({ model: folder }), ['red cat']);
    expectNear(ready, unit(states[0]!.map((value) => -value)));
    const [pooled] = await embed(provide({ model: folder, pooling: 'mean' }), ['red cat']);
    expectNear(pooled, unit(mean(states)));
  });

  it('runs 8-bit models with one text per run, because activations are quantized per run', async () => {
    const { folder } = tinyTransformer({ quantized: true });
    const provider = provide({ model: folder });
    expect(provider.id).toContain('dtype=q8');
    await testProvider(provider, { tolerance: 1e-7 });
    const vectors = await embed(provider, texts);
    const losses = texts.map((text, index) => {
      const float = unit(mean(tiny.states(tiny.ids(text))));
      return 1 - float.reduce((sum, value, column) => sum + value * vectors[index]![column]!, 0);
    });
    const mean8 = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    console.log(
      `8-bit against 32-bit, 1 - cosine: mean ${mean8.toExponential(1)}, most ${Math.max(...losses).toExponential(1)}`,
    );
    expect(Math.max(...losses)).toBeLessThan(0.01);
    expect(Math.max(...losses)).toBeGreaterThan(1e-7);
  });

  it('includes everything that changes vectors in its id', () => {
    const ids = [
      {},
      { pooling: 'cls' },
      { pooling: 'mean' },
      { normalize: false },
      { queryPrefix: 'a' },
      { documentPrefix: 'a' },
      { maxTokens: 5 },
      { dimensions: 4 },
      { dtype: 'q8' },
    ].map((options) => provide({ model: tiny.folder, ...(options as object) }).id);
    ids.push(provide({ model: 'owner/tiny' }).id, provide({ model: 'owner/tiny', revision: 'v2' }).id);
    ids.push(provide({ model: tinyTransformer({ quantized: true, name: 'tiny' }).folder }).id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(provide({ model: tiny.folder, batchSize: 3, cacheDir: tmpdir() }).id).toBe(ids[0]);
    expect(provide({ model: tinyTransformer().folder }).id).toBe(ids[0]);
  });
});

describe('transformersProvider with the bundled model', () => {
  it('returns the vectors of bundledProvider', async () => {
    const samples = [
      'How do I reset my password?',
      'x',
      '',
      ' ',
      '?!',
      '🎉',
      'naïve café déjà vu',
      '今天天气很好',
      '한국어 텍스트',
      'नमस्ते दुनिया',
      'getUserName() { return this.#name; }',
      'ΟΔΥΣΣΕΥΣ’s',
      '• item one\n• item two',
      'the '.repeat(5000),
      'x'.repeat(200),
    ];
    const provider = provide({ model: bundledFolder });
    const [ours, theirs] = [await embed(bundledProvider(), samples), await embed(provider, samples)];
    let most = 0;
    samples.forEach((sample, index) => {
      const worst = Math.max(...ours[index]!.map((value, column) => Math.abs(value - theirs[index]![column]!)));
      most = Math.max(most, worst);
      expect(worst, sample.slice(0, 40)).toBeLessThan(1e-5);
    });
    console.log(`the same folder under both providers: numbers differ by ${most.toExponential(1)} at most`);
    await testProvider(provider, { tolerance: 1e-6 });
  });

  it.each([
    ['adds every token', undefined],
    ['saturates', { k1: 2, b: 0.75, average_tokens: 100 }],
    ['counts tokens once', { k1: 0, b: 1, average_tokens: 3 }],
  ])('gives the vectors of a model that %s', { timeout: 60_000 }, async (_, saturation) => {
    const folder = withSaturation(packaged, saturation);
    const onnx = scratchDirectory('onnx-');
    await run(process.execPath, [writeOnnx, onnx, folder]);
    const samples = [
      'red',
      'A pear, a pear, and a quince: xqzv☃ a pear.',
      'The wind shook the pear trees in the orchard behind the house; no pear fell. '.repeat(9),
      `${'a plum tree '.repeat(1400)}and the end`,
    ];
    const ours = await embed(bundledProvider({ folder }), samples);
    const theirs = await embed(provide({ model: onnx }), samples);
    for (const place of samples.keys()) expectNear(theirs[place], [...ours[place]!]);
    const linear = await embed(bundledProvider({ folder: withSaturation(packaged, undefined) }), [samples[1]!]);
    const distance = Math.hypot(...linear[0]!.map((value, column) => value - ours[1]![column]!));
    if (saturation === undefined) expect(distance).toBe(0);
    else expect(distance).toBeGreaterThan(0.1);
  });
});

describe('the worker of transformersProvider', () => {
  it('keeps the event loop free, and serves queries before documents', { timeout: 240_000 }, async () => {
    const provider = provide({ model: bundledFolder });
    await embed(provider, ['warm']);
    const many = Array.from({ length: 3000 }, (_, index) =>
      `Text number ${index} describes how the parts fit together. `.repeat(3),
    );
    let shortest = Number.POSITIVE_INFINITY;
    // A garbage collection may fall into one round.
    for (let round = 0; round < 3 && shortest >= 50; round++) {
      const done: string[] = [];
      const documents = embed(provider, many).then(() => done.push('documents'));
      const query = embed(provider, ['urgent'], 'query').then(() => done.push('query'));
      shortest = Math.min(shortest, await longestTurn(Promise.all([documents, query])));
      expect(done).toEqual(['query', 'documents']);
    }
    expect(shortest).toBeLessThan(50);
  });

  it('stops immediately when aborted, and continues with the next call', { timeout: 240_000, retry: 2 }, async () => {
    const provider = provide({ model: bundledFolder });
    const [before] = await embed(provider, ['again']);
    const reason = new Error('enough');
    const controller = new AbortController();
    const many = Array.from({ length: 8000 }, (_, index) => `text ${index} `.repeat(10));
    const start = process.cpuUsage();
    const running = provider.embed(many, { role: 'document', signal: controller.signal });
    setTimeout(() => controller.abort(reason), 20);
    await expect(running).rejects.toBe(reason);
    expect((await embed(provider, ['again']))[0]).toEqual(before);
    const stopped = process.cpuUsage(start).user;
    // CPU time, which does not depend on other processes: most of the work is not done.
    const again = process.cpuUsage();
    await provider.embed(many, { role: 'document' });
    expect(stopped).toBeLessThan(process.cpuUsage(again).user / 2);
  });

  it('rejects pending and later calls when closed', async () => {
    const provider = provide({ model: tiny.folder });
    await embed(provider, ['red']);
    const running = fail(provider);
    const closing = provider.close?.();
    expect((await running).code).toBe('CLOSED');
    await closing;
    expect((await fail(provider)).code).toBe('CLOSED');
    await provider.close?.();
    await transformersProvider({ model: tiny.folder, cacheDir }).close?.();
  });

  it('starts and ends many times', async () => {
    for (let round = 0; round < 5; round++) {
      const provider = provide({ model: tiny.folder });
      expect(await embed(provider, ['red', 'the cat'])).toHaveLength(2);
      await provider.close?.();
    }
  });

  it('does not leak memory over thousands of calls', async () => {
    const provider = provide({ model: tiny.folder });
    const resident = async (calls: number): Promise<number> => {
      for (let call = 0; call < calls; call++) await embed(provider, texts.slice(call % 3, 3 + (call % 4)));
      return process.memoryUsage.rss() / 2 ** 20;
    };
    const before = await resident(1500);
    // `npx tsx bench/embedding.ts --transformers` makes 10,000 calls with a larger model.
    expect((await resident(3000)) - before).toBeLessThan(40);
  }, 240_000);

  it('works in a process with flags that workers refuse', async () => {
    const program = `
      import { transformersProvider } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
      const provider = transformersProvider({ model: ${JSON.stringify(tiny.folder)} });
      const { vectors } = await provider.embed(['red'], { role: 'document' });
      console.log(vectors[0].length);
      await provider.close();`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
    expect(stdout.trim()).toBe('8');
  });

  it('loads a model again after every provider was closed', async () => {
    const program = `
      import { transformersProvider } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
      for (let round = 0; round < 4; round++) {
        const provider = transformersProvider({ model: ${JSON.stringify(tiny.folder)} });
        const { vectors } = await provider.embed(['red'], { role: 'document' });
        console.log(vectors[0].length);
        await provider.close();
      }`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { timeout: 60_000 });
    expect(stdout.trim().split('\n')).toEqual(['8', '8', '8', '8']);
  });

  it('does not keep an idle process alive', async () => {
    const program = `
      import { transformersProvider } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
      await transformersProvider({ model: ${JSON.stringify(tiny.folder)} }).embed(['red'], { role: 'query' });
      console.log('done');`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { timeout: 60_000 });
    expect(stdout.trim()).toBe('done');
  });

  it('writes nothing to the cache for a model in a directory', () => {
    expect(readdirSync(cacheDir)).toEqual([]);
  });
});

describe('errors of transformersProvider', () => {
  it('reports invalid options', () => {
    const bad: object[] = [
      {},
      { model: 3 },
      { model: 'a', pooling: 'max' },
      { model: 'a', maxTokens: 0 },
      { model: 'a', dimensions: 1.5 },
      { model: 'a', batchSize: -1 },
    ];
    for (const options of bad) {
      expect(() => transformersProvider(options as { model: string })).toThrow(
        /transformersProvider: (?:\w+ must be|expected )/,
      );
    }
    expect(() => transformersProvider({ model: 'a', cache: 'x' } as { model: string })).toThrow(
      'unknown option "cache"',
    );
  });

  it('reports a missing directory or file', async () => {
    expect(() => transformersProvider({ model: './no-such-model' })).toThrow(SemanticIndexError);
    for (const file of ['tokenizer.json', 'onnx']) {
      const { folder } = tinyTransformer();
      const provider = provide({ model: folder });
      rmSync(join(folder, file), { recursive: true });
      expect((await fail(provider)).code).toBe('MODEL_NOT_FOUND');
    }
  });

  it('reports a hub model that is not cached while offline', async () => {
    const error = await fail(provide({ model: 'owner/model' }));
    expect(error.code).toBe('MODEL_NOT_FOUND');
    expect(error.message).toContain('owner/model');
    expect(error.hint).toContain(cacheDir);
  });

  it('reports an unreachable host', async () => {
    const error = await fail(provide({ model: 'owner/model', offline: false, remoteHost: 'http://127.0.0.1:9/' }));
    expect(error.code).toBe('PROVIDER_FAILED');
    expect(error.hint).toContain('offline: true');
  });

  it('reports a missing package', async () => {
    const error = await fail(provide({ model: tiny.folder, package: 'no-such-transformers' }));
    expect(error.code).toBe('MISSING_PEER');
    expect(error.hint).toBe('Run: npm install no-such-transformers');
  });

  it('reports an unsupported dtype, and a model without token states', async () => {
    expect((await fail(provide({ model: tiny.folder, dtype: 'q4', package: '@xenova/transformers' }))).code).toBe(
      'UNSUPPORTED',
    );
    const error = await fail(provide({ model: tinyTransformer({ outputName: 'pictures' }).folder }));
    expect(error.code).toBe('UNSUPPORTED');
    expect(error.message).toContain('pictures');
  });
});
