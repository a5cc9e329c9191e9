import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { type EmbeddedBatch, embedTexts } from '../../../src/embed/embed-texts.js';
import { openaiProvider } from '../../../src/embed/openai/openai-provider.js';
import { SemanticIndexError } from '../../../src/errors.js';
import { testProvider } from '../../../src/testing.js';
import {
  type Fault,
  type MisbehavingServer,
  misbehavingServer,
  type ServerOptions,
  vectorFor,
} from './misbehaving-server.js';

const key = 'sk-test-0123456789';
const model = 'test-model';
const role = { role: 'document' } as const;
const servers: MisbehavingServer[] = [];
const start = async (options: ServerOptions = {}): Promise<MisbehavingServer> => {
  const server = await misbehavingServer(options);
  servers.push(server);
  return server;
};
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const unit = (vector: Float32Array): number[] => {
  const length = Math.hypot(...vector);
  return [...vector].map((value) => value / length);
};
async function collect(
  batches: AsyncGenerator<EmbeddedBatch>,
): Promise<{ vectors: Float32Array[]; tokens: number; error: SemanticIndexError | undefined }> {
  const vectors: Float32Array[] = [];
  let tokens = 0;
  try {
    for await (const batch of batches) {
      tokens += batch.tokens;
      batch.indices.forEach((index, row) => {
        expect(vectors[index]).toBeUndefined();
        vectors[index] = batch.vectors[row]!;
      });
    }
    return { vectors, tokens, error: undefined };
  } catch (error) {
    return { vectors, tokens, error: error as SemanticIndexError };
  }
}
const expectRight = (vectors: Float32Array[], texts: readonly string[], dimensions: number): void => {
  expect(vectors.length).toBe(texts.length);
  texts.forEach((text, index) => {
    const expected = unit(vectorFor(text, dimensions));
    const worst = Math.max(...expected.map((value, column) => Math.abs(value - vectors[index]![column]!)));
    if (!(worst < 1e-6)) expect.fail(`text ${index} has another vector`);
  });
};

describe('openaiProvider', () => {
  it('keeps the provider contract', async () => {
    const { baseURL, complaints } = await start({ dimensions: 32 });
    const provider = openaiProvider({ apiKey: key, baseURL, model });
    expect((await testProvider(provider, { tolerance: 1e-6 })).valid).toBe(true);
    expect(complaints).toEqual([]);
  });

  it('embeds thousands of texts exactly once, within the limits of the service', async () => {
    const server = await start({ delay: 50 });
    const provider = openaiProvider({ apiKey: key, baseURL: server.baseURL, dimensions: 96 });
    expect(provider).toMatchObject({
      dimensions: 96,
      maxBatchSize: 2048,
      maxBatchTokens: 300_000,
      maxInputTokens: 8192,
    });
    const texts = Array.from({ length: 5000 }, (_, index) => `text ${index} ${'word '.repeat(index % 250)}`);
    const { vectors, tokens, error } = await collect(embedTexts(provider, texts, role));
    expect(error).toBeUndefined();
    expectRight(vectors, texts, 96);
    expect(server.complaints).toEqual([]);
    expect([...server.billed.values()].every((times) => times === 1)).toBe(true);
    expect(server.billed.size).toBe(5000);
    expect(tokens).toBe(server.requests.reduce((sum, request) => sum + request.tokens, 0));
    // 645,000 tokens in requests of at most 300,000, spread over four parallel calls.
    expect(server.requests.length).toBeLessThanOrEqual(5);
    expect(server.maxAtOnce).toBeGreaterThan(1);
  });

  it('loses no text and embeds none twice while the service misbehaves', async () => {
    const faults: Fault[] = [
      'busy',
      'busy silent',
      'broken',
      'cut',
      'cut late',
      'slow',
      'garbage',
      'too few',
      'dimension',
      'nan',
      'numbers',
      'shuffled',
    ];
    // Batch n meets three faults in a row, two batches of three begin with the next fault of the list.
    const met = new Map<string, number>();
    const server = await start({
      fault: (_, first) => {
        const times = met.get(first) ?? 0;
        met.set(first, times + 1);
        const batch = Number(first.split(' ')[1]) / 100;
        return batch % 3 === 2 || times === 3 ? undefined : faults[(batch + times * 5) % faults.length];
      },
    });
    const provider = openaiProvider({
      apiKey: key,
      baseURL: server.baseURL,
      model,
      // Long enough for all but what never answers: what is answered too late is billed twice.
      timeout: 3_000,
      maxBatchSize: 100,
      maxRetries: 15,
    });
    const texts = Array.from({ length: 3000 }, (_, index) => `text ${index}`);
    const { vectors, error } = await collect(embedTexts(provider, texts, role));
    expect(error).toBeUndefined();
    expectRight(vectors, texts, 8);
    expect(server.complaints).toEqual([]);
    expect(server.billed.size).toBe(3000);
    expect([...server.billed.values()].every((times) => times === 1)).toBe(true);
    expect(new Set(server.requests.map(({ fault }) => fault)).size).toBe(faults.length + 1);
    expect(server.maxAtOnce).toBeLessThanOrEqual(5);
  }, 240_000);

  it.each<[Fault, number, number]>([
    ['busy', 40, 400],
    ['busy seconds', 1000, 1500],
    ['busy silent', 250, 900],
    ['broken', 250, 900],
    ['cut', 250, 900],
  ])('waits for retry-after, otherwise with exponential backoff: %s', async (fault, least, most) => {
    const server = await start({ fault: (request) => (request === 0 ? fault : undefined) });
    const provider = openaiProvider({ apiKey: key, baseURL: server.baseURL, model });
    const waits: (number | undefined)[] = [];
    const retryAfter: typeof provider.retryAfter = (...failure) => {
      waits.push(provider.retryAfter?.(...failure));
      return waits.at(-1);
    };
    const { error } = await collect(embedTexts({ ...provider, retryAfter }, ['a'], role));
    expect(error).toBeUndefined();
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThanOrEqual(least);
    expect(waits[0]).toBeLessThanOrEqual(most);
    expect(server.requests[1]!.at - server.requests[0]!.at).toBeGreaterThanOrEqual(least - 5);
  });

  it('backs off exponentially with jitter, and gives up after `maxRetries`', async () => {
    const provider = openaiProvider({ apiKey: key, maxRetries: 3 });
    const error = new SemanticIndexError('PROVIDER_FAILED', 'x', { details: { retryable: true } });
    const waits = [1, 2, 3].map((attempt) => provider.retryAfter?.(error, attempt) ?? -1);
    waits.forEach((wait, retry) => {
      expect(wait).toBeGreaterThanOrEqual(250 * 2 ** retry);
      expect(wait).toBeLessThanOrEqual(500 * 2 ** retry);
    });
    expect(provider.retryAfter?.(error, 4)).toBeUndefined();
    expect(new Set(Array.from({ length: 10 }, () => provider.retryAfter?.(error, 3))).size).toBeGreaterThan(5);
    const told = (retryAfter: number) =>
      new SemanticIndexError('PROVIDER_FAILED', 'x', { details: { retryable: true, retryAfter } });
    expect(provider.retryAfter?.(told(7000), 1)).toBe(7000);
    expect(provider.retryAfter?.(told(3_600_000), 1)).toBeUndefined();
    expect(provider.retryAfter?.(new SemanticIndexError('INPUT_TOO_LONG', 'x'), 1)).toBeUndefined();
  });

  it.each<Fault>(['too few', 'dimension', 'nan', 'garbage'])(
    'gives up on a service that keeps returning invalid responses: %s',
    async (fault) => {
      const server = await start({ fault: () => fault });
      const provider = openaiProvider({ apiKey: key, baseURL: server.baseURL, model, dimensions: 8, maxRetries: 2 });
      const { error } = await collect(embedTexts(provider, ['a', 'b'], role));
      expect(['PROVIDER_INVALID', 'PROVIDER_FAILED']).toContain(error?.code);
      expect(server.requests.length).toBe(3);
    },
  );

  it('does not retry permanent failures', async () => {
    const server = await start();
    const attempts: unknown[] = [
      { status: 400 },
      { status: 401 },
      { status: 404 },
      { status: 429, code: 'insufficient_quota' },
      { status: 500, headers: new Headers({ 'x-should-retry': 'false' }) },
    ];
    for (const attempt of attempts) {
      let calls = 0;
      const client = {
        embeddings: {
          create: async () => {
            calls++;
            throw Object.assign(new Error('no'), attempt);
          },
        },
      };
      const { error } = await collect(embedTexts(openaiProvider({ client, model }), ['a'], role));
      expect(error?.code).toBe('PROVIDER_FAILED');
      // A refused request is sent once more: the server may take numbers only.
      expect(calls).toBe('status' in (attempt as object) && (attempt as { status?: number }).status === 400 ? 2 : 1);
    }
    const wrongKey = await collect(
      embedTexts(openaiProvider({ apiKey: 'sk-wrong-key-123', baseURL: server.baseURL, model }), ['a'], role),
    );
    expect(wrongKey.error?.details).toMatchObject({ status: 401, code: 'invalid_api_key', requestId: 'request-0' });
    expect(server.requests.length).toBe(1);
  });

  it('never reveals the API key', async () => {
    const secret = 'my-very-own-secret-key';
    const server = await start();
    const seen: unknown[] = [];
    for (const options of [
      { apiKey: secret, baseURL: server.baseURL, model },
      { apiKey: secret, baseURL: `http://127.0.0.1:9/${secret}`, model, maxRetries: 0 },
      { apiKey: `sk-${secret}`, baseURL: server.baseURL, model },
    ]) {
      const provider = openaiProvider(options);
      const { error } = await collect(embedTexts(provider, ['a'], role));
      expect(error?.code).toBe('PROVIDER_FAILED');
      seen.push(provider, provider.id, error, error?.stack, error?.cause, JSON.stringify(error?.details));
    }
    const leaking = {
      apiKey: secret,
      embeddings: { create: () => Promise.reject(new Error(`Authorization: Bearer ${secret}`)) },
    };
    const { error } = await collect(embedTexts(openaiProvider({ client: leaking, model }), ['a'], role));
    seen.push(error, error?.cause, error?.stack);
    expect(inspect(seen, { depth: 20, showHidden: true })).not.toContain(secret);
    expect(error?.message).toContain('[key]');
  });

  it('reads the API key from the environment for OpenAI only, and reports a missing key', async () => {
    const before = process.env.OPENAI_API_KEY;
    try {
      process.env.OPENAI_API_KEY = key;
      const server = await start();
      openaiProvider();
      const { error } = await collect(
        embedTexts(openaiProvider({ baseURL: server.baseURL, model, maxRetries: 0 }), ['a'], role),
      );
      expect(error?.message).not.toContain(key);
      expect(error?.details).toMatchObject({ status: 401 });
      delete process.env.OPENAI_API_KEY;
      expect(() => openaiProvider()).toThrow('there is no API key');
    } finally {
      if (before === undefined) delete process.env.OPENAI_API_KEY;
      else process.env.OPENAI_API_KEY = before;
    }
  });

  it('requests the configured dimensions', async () => {
    const server = await start();
    const provider = openaiProvider({
      apiKey: key,
      baseURL: server.baseURL,
      model: 'text-embedding-3-large',
      dimensions: 5,
    });
    const { vectors } = await collect(embedTexts(provider, ['a'], role));
    expect(vectors[0]).toHaveLength(5);
    expect(server.requests[0]?.dimensions).toBe(5);
    await collect(embedTexts(openaiProvider({ apiKey: key, baseURL: server.baseURL, model }), ['a'], role));
    expect(server.requests[1]?.dimensions).toBeUndefined();
    expect(openaiProvider({ apiKey: key, model: 'text-embedding-ada-002' }).dimensions).toBe(1536);
  });

  it('includes everything that changes vectors in its id', () => {
    const ids = [
      {},
      { model: 'text-embedding-3-large' },
      { dimensions: 256 },
      { overLong: 'truncate' },
      { overLong: 'average' },
      { overLong: 'average', maxInputTokens: 100 },
      { queryPrefix: 'q' },
      { documentPrefix: 'd' },
      { model: 'nomic-embed-text' },
    ].map((options) => openaiProvider({ apiKey: key, ...(options as object) }).id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(openaiProvider({ apiKey: 'other', timeout: 5, maxParallelCalls: 1, baseURL: 'http://localhost' }).id).toBe(
      ids[0],
    );
  });

  it('prepends the prefixes of known model families', async () => {
    const server = await start();
    const provider = openaiProvider({ apiKey: key, baseURL: server.baseURL, model: 'nomic-embed-text' });
    await provider.embed(['a'], { role: 'query' });
    await provider.embed(['a'], { role: 'document' });
    expect([...server.billed.keys()]).toEqual(['search_query: a', 'search_document: a']);
  });

  it('aborts a pending request', async () => {
    const server = await start({ fault: () => 'slow' });
    const reason = new Error('enough');
    const controller = new AbortController();
    const running = openaiProvider({ apiKey: key, baseURL: server.baseURL, model }).embed(['a'], {
      ...role,
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(reason), 30);
    await expect(running).rejects.toBe(reason);
  });

  it.each([
    { dimensions: 0 },
    { timeout: -1 },
    { maxRetries: 1.5 },
    { maxParallelCalls: 0 },
    { maxBatchSize: 0 },
    { overLong: 'cut' },
    { model: '' },
    { client: {} },
    { maxInputTokens: Number.NaN },
  ])('refuses wrong options: %o', (options) => {
    expect(() => openaiProvider({ apiKey: key, ...(options as object) })).toThrow(
      /openaiProvider: (?:\w+ must be|expected a number as maxInputTokens)/,
    );
  });
});

describe('over-long texts', () => {
  const long = Array.from({ length: 9000 }, (_, index) => `word${index % 10}`).join(' ');
  const options = { apiKey: key, model: 'text-embedding-3-small', dimensions: 8 };

  it('are refused before any request by default', async () => {
    const server = await start();
    const provider = openaiProvider({ ...options, baseURL: server.baseURL });
    const { error, vectors } = await collect(embedTexts(provider, ['short', long], role));
    expect(error?.code).toBe('INPUT_TOO_LONG');
    expect(error?.details).toMatchObject({ index: 1, maxInputTokens: 8192 });
    expect(vectors).toEqual([]);
    await expect(provider.embed([long], role)).rejects.toMatchObject({ code: 'INPUT_TOO_LONG' });
    expect(server.requests).toEqual([]);
  });

  it('are truncated with overLong: truncate', async () => {
    const server = await start();
    const provider = openaiProvider({ ...options, baseURL: server.baseURL, overLong: 'truncate' });
    const { error, vectors } = await collect(embedTexts(provider, ['short', long], role));
    expect(error).toBeUndefined();
    expect(server.complaints).toEqual([]);
    const [short, cut] = [...server.billed.keys()];
    expect(short).toBe('short');
    expect(long.startsWith(cut!)).toBe(true);
    expect(server.requests[0]!.tokens).toBeGreaterThan(8150);
    expectRight(vectors, ['short', cut!], 8);
  });

  it('are embedded in parts and averaged with overLong: average, within all limits', async () => {
    const server = await start();
    const provider = openaiProvider({ ...options, baseURL: server.baseURL, overLong: 'average' });
    const huge = long.repeat(30);
    const { error, vectors } = await collect(embedTexts(provider, ['short', long, huge, 'end'], role));
    expect(error).toBeUndefined();
    expect(server.complaints).toEqual([]);
    expect(server.requests.length).toBeGreaterThan(1);
    // The first text is in one part, the second in the next three.
    const parts = [...server.billed.keys()].slice(1, 4);
    expect(parts.join('') === long).toBe(true);
    const { countTokens } = await import('gpt-tokenizer/encoding/cl100k_base');
    const sums = new Float64Array(8);
    for (const part of parts) {
      unit(vectorFor(part, 8)).forEach((value, column) => {
        sums[column]! += value * countTokens(part);
      });
    }
    const expected = unit(Float32Array.from(sums));
    expected.forEach((value, column) => {
      expect(vectors[1]![column]).toBeCloseTo(value, 5);
    });
    expectRight([vectors[0]!, vectors[3]!], ['short', 'end'], 8);
  });
});
