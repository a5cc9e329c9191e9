import { types } from 'node:util';
import { SemanticIndexError } from '../../errors.js';
import { describe, resolveOptions } from '../../options.js';
import type { Check, EmbeddingProvider, EmbeddingRole, ValidationReport } from '../../types.js';
import { cosine } from '../../vectors/metric.js';

/** Options for `testProvider`. */
export interface TestProviderOptions {
  /** Texts to embed, at least three different ones. Default: a dozen short and long texts in several languages. */
  texts?: readonly string[] | undefined;
  /** Max. cosine distance between two vectors of the same text. Default 1e-4, which remote services keep. */
  tolerance?: number | undefined;
  /** Timeout of a call in milliseconds. Default 60,000. */
  timeout?: number | undefined;
  /** Throw when a check fails; otherwise read `valid` of the report. Default true. */
  throws?: boolean | undefined;
}

const defaultTexts = [
  'The cat sleeps on the warm windowsill.',
  'How do I reset a forgotten password?',
  'x',
  'Der Zug nach München fährt um halb neun.',
  '今天天气很好，我们去公园散步吧。',
  'const total = items.reduce((sum, item) => sum + item.price, 0);',
  'naïve café: déjà vu — “quoted”, 3.14 % 🎉',
  'line one\nline two\tand a tab\r\n',
  'مرحبا بالعالم',
  'The mitochondrion is the powerhouse of the cell. '.repeat(12).trim(),
  '\ud800 a lone surrogate and a zero \u0000 byte',
  '?!',
];

/**
 * Checks that a provider keeps its contract (see `EmbeddingProvider`), in any test runner: order, count, dimensions,
 * finite numbers, the same vector alone and in a batch, both roles, repeatability, empty calls, abort. Makes a few
 * dozen calls and does not close the provider.
 *
 * @throws PROVIDER_INVALID with the failed checks (the report is in `details.report`), unless `throws` is false.
 */
export async function testProvider(
  provider: EmbeddingProvider,
  options?: TestProviderOptions,
): Promise<ValidationReport> {
  const settings = resolveOptions('testProvider', options, {
    texts: defaultTexts as readonly string[],
    tolerance: 1e-4,
    timeout: 60_000,
    throws: true,
  });
  const suite = new ConformanceSuite(provider, settings);
  const checks = await suite.run();
  const failed = checks.filter(({ passed, severity }) => !passed && severity === 'error');
  const report = { valid: failed.length === 0, checks };
  if (!report.valid && settings.throws) {
    const list = failed.map(({ check, message }) => `${check}: ${message}`).join('; ');
    throw new SemanticIndexError('PROVIDER_INVALID', `The provider "${provider.id}" breaks its contract: ${list}`, {
      hint: 'Each check reports what was expected and what was returned.',
      details: { report },
    });
  }
  return report;
}

interface Settings {
  texts: readonly string[];
  tolerance: number;
  timeout: number;
}

class ConformanceSuite {
  readonly #provider: EmbeddingProvider;
  readonly #settings: Settings;
  readonly #texts: readonly string[];
  readonly #checks: Check[] = [];

  constructor(provider: EmbeddingProvider, settings: Settings) {
    this.#provider = provider;
    this.#settings = settings;
    this.#texts = Object.freeze([...new Set(settings.texts)]);
    if (this.#texts.length < 3) {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'testProvider: texts must hold at least three that differ');
    }
  }

  async run(): Promise<Check[]> {
    await this.#check('facts', 'error', () => this.#facts());
    if (this.#checks[0]?.passed !== true) return this.#checks;
    const alone: Float32Array[] = [];
    await this.#check('vectors', 'error', async () => {
      for (const text of this.#texts) alone.push(...(await this.#embed([text], 'document')));
      const dimensions = new Set(alone.map((vector) => vector.length));
      expect(dimensions.size === 1, `vectors have different dimensions: ${[...dimensions].join(', ')}`);
    });
    // The following checks compare with these vectors.
    if (alone.length !== this.#texts.length) return this.#checks;

    await this.#check('distinct', 'error', async () => {
      const [first, second] = alone as [Float32Array, Float32Array];
      expect(cosine(first, second) < 1 - 1e-6, 'two different texts have the same vector');
    });
    await this.#check('repeatable', 'error', async () => {
      const first = this.#texts[0] as string;
      const [again] = await this.#embed([first], 'document');
      this.#same(again, alone[0], 'the same call twice');
      again?.fill(0);
      const [third] = await this.#embed([first], 'document');
      this.#same(third, alone[0], 'after the caller changed a returned vector');
    });
    await this.#check('order', 'error', async () => {
      const order = this.#texts.map((_, index) => index);
      await this.#compareBatch(order, alone, 'in one call');
      await this.#compareBatch([...order].reverse(), alone, 'in one call, reversed');
    });
    await this.#check('padding', 'error', async () => {
      const lengths = this.#texts.map((text, index) => ({ index, length: text.length }));
      lengths.sort((a, b) => a.length - b.length);
      const shortest = lengths[0]?.index as number;
      const longest = lengths.at(-1)?.index as number;
      await this.#compareBatch([shortest, longest], alone, 'beside a longer text');
    });
    await this.#check('repeated texts', 'error', () => this.#compareBatch([1, 1, 0, 1], alone, 'beside itself'));
    await this.#check('roles', 'error', () => this.#roles(alone));
    await this.#check('parallel calls', 'error', async () => {
      const calls = Math.min(this.#provider.maxParallelCalls ?? 1, 4);
      const answers = await Promise.all(
        Array.from({ length: calls }, (_, call) => this.#embed([this.#texts[call % 3] as string], 'document')),
      );
      answers.forEach(([vector], call) => {
        this.#same(vector, alone[call % 3], `call ${call + 1} of ${calls} at the same time`);
      });
    });
    await this.#check('empty call', 'error', async () => {
      const vectors = await this.#embed([], 'document');
      expect(vectors.length === 0, `${vectors.length} vectors for no text`);
    });
    await this.#check('abort', 'error', () => this.#abort());
    await this.#check('token counts', 'warning', async () => this.#tokenCounts());
    return this.#checks;
  }

  async #facts(): Promise<void> {
    const { id } = this.#provider;
    expect(typeof id === 'string' && id !== '', `id must be a non-empty string, got ${describe(id)}`);
    expect(this.#provider.id === id, 'id changes');
    for (const name of [
      'dimensions',
      'maxBatchSize',
      'maxBatchTokens',
      'maxInputTokens',
      'maxParallelCalls',
    ] as const) {
      const value = this.#provider[name];
      expect(
        value === undefined || (Number.isSafeInteger(value) && value > 0),
        `${name} must be a positive integer or absent, got ${describe(value)}`,
      );
    }
  }

  async #roles(alone: readonly Float32Array[]): Promise<void> {
    const text = this.#texts[1] as string;
    const [query] = await this.#embed([text], 'query');
    expect(query?.length === alone[1]?.length, 'a query vector has another dimension than a document vector');
    const [document] = await this.#embed([text], 'document');
    this.#same(document, alone[1], 'as document after it was embedded as query');
    const [again] = await this.#embed([text], 'query');
    this.#same(again, query, 'as query twice');
  }

  async #abort(): Promise<void> {
    const reason = new Error('stopped by testProvider');
    const outcome = await this.#within(
      this.#provider.embed([this.#texts[0] as string], { role: 'document', signal: AbortSignal.abort(reason) }).then(
        () => 'resolved',
        (error: unknown) => error,
      ),
    );
    expect(outcome === reason, `an aborted call must reject with signal.reason, but: ${describe(outcome)}`);
    // A call aborted half-way may resolve or reject with the reason; hanging or another error is a fault.
    const controller = new AbortController();
    const running = this.#provider.embed(this.#batch(), { role: 'document', signal: controller.signal }).then(
      () => reason,
      (error: unknown) => error,
    );
    controller.abort(reason);
    const ending = await this.#within(running);
    expect(ending === reason, `a call aborted half-way must reject with signal.reason, but: ${describe(ending)}`);
    await this.#embed([this.#texts[0] as string], 'document');
  }

  #tokenCounts(): void {
    const provider = this.#provider;
    if (provider.countTokens === undefined) {
      expect(
        provider.maxInputTokens === undefined && provider.maxBatchTokens === undefined,
        'limits in tokens are declared, but no countTokens: they can only be guessed',
      );
      return;
    }
    for (const text of this.#texts) {
      const tokens = provider.countTokens(text);
      expect(Number.isFinite(tokens) && tokens >= 0, `countTokens(${describe(text)}) is ${describe(tokens)}`);
    }
  }

  /** As many of the texts as fit into one call. */
  #batch(): readonly string[] {
    return this.#texts.slice(0, this.#provider.maxBatchSize ?? this.#texts.length);
  }

  async #compareBatch(order: readonly number[], alone: readonly Float32Array[], where: string): Promise<void> {
    const size = this.#provider.maxBatchSize ?? order.length;
    for (let start = 0; start < order.length; start += size) {
      const part = order.slice(start, start + size);
      const vectors = await this.#embed(
        part.map((index) => this.#texts[index] as string),
        'document',
      );
      vectors.forEach((vector, position) => {
        const index = part[position] as number;
        this.#same(vector, alone[index], `text ${index} alone and ${where}`);
      });
    }
  }

  async #embed(texts: readonly string[], role: EmbeddingRole): Promise<Float32Array[]> {
    const { vectors, usage } = await this.#within(this.#provider.embed(Object.freeze(texts.slice()), { role }));
    expect(Array.isArray(vectors), `vectors must be an array, got ${describe(vectors)}`);
    expect(vectors.length === texts.length, `${vectors.length} vectors for ${texts.length} texts`);
    for (const [index, vector] of vectors.entries()) {
      const name = `the vector of ${describe(texts[index])}`;
      expect(types.isFloat32Array(vector), `${name} must be a Float32Array, got ${describe(vector)}`);
      const declared = this.#provider.dimensions ?? vector.length;
      expect(vector.length === declared && declared > 0, `${name} has ${vector.length} dimensions, not ${declared}`);
      expect(vector.every(Number.isFinite), `${name} is not finite`);
      expect(
        vector.some((value) => value !== 0),
        `${name} is all zero`,
      );
    }
    const tokens = usage?.tokens ?? 0;
    expect(Number.isFinite(tokens) && tokens >= 0, `usage.tokens is ${describe(tokens)}`);
    return vectors;
  }

  #same(actual: Float32Array | undefined, expected: Float32Array | undefined, when: string): void {
    const distance = actual === undefined || expected === undefined ? Number.NaN : 1 - cosine(actual, expected);
    expect(distance <= this.#settings.tolerance, `the vectors differ (${when}): 1 - cosine = ${distance}`);
  }

  async #within<T>(work: Promise<T>): Promise<T> {
    const { timeout } = this.#settings;
    let timer: NodeJS.Timeout | undefined;
    const hanging = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${timeout} ms`)), timeout);
    });
    return Promise.race([work, hanging]).finally(() => clearTimeout(timer));
  }

  async #check(check: string, severity: Check['severity'], work: () => void | Promise<void>): Promise<void> {
    try {
      await work();
      this.#checks.push({ check, passed: true, severity, message: 'ok' });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#checks.push({ check, passed: false, severity, message });
    }
  }
}

function expect(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}
