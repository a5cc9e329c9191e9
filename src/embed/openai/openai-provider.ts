import { SemanticIndexError } from '../../errors.js';
import {
  type EmbeddingsClient,
  type OpenAIProviderOptions,
  openaiKey,
  openaiProviderDefaults,
} from '../../options/providers.js';
import { describe, resolveOptions } from '../../options.js';
import type { EmbeddingProvider } from '../../types.js';
import { unitVector } from '../check-vectors.js';
import { fingerprintOf } from '../fingerprint.js';
import { familyOf } from '../model-families.js';
import { planBatches } from '../plan-batches.js';
import {
  answerError,
  maxRetryDelay,
  mayRefuseForm,
  type RequestFailure,
  requestError,
  scrub,
} from './openai-errors.js';
import { fetchWithMessage } from './openai-fetch.js';
import { serviceMessage } from './service-message.js';
import { loadTokenCounter, type TokenCounter, tokenCounterOf } from './token-counter.js';

interface ServiceLimits {
  readonly dimensions?: number;
  readonly maxInputTokens?: number;
  readonly maxBatchTokens?: number;
  readonly maxBatchSize: number;
}

/** Limits of the service (API reference, "Create embeddings"). */
const openaiLimits = { maxInputTokens: 8192, maxBatchTokens: 300_000, maxBatchSize: 2048 };
const knownModels: Readonly<Record<string, ServiceLimits>> = {
  'text-embedding-3-small': { ...openaiLimits, dimensions: 1536 },
  'text-embedding-3-large': { ...openaiLimits, dimensions: 3072 },
  'text-embedding-ada-002': { ...openaiLimits, dimensions: 1536 },
};
/** For other models: servers differ, and all accept small batches. */
const unknownModel: ServiceLimits = { maxBatchSize: 64 };

/** Values of `encoding_format`; `unstated` omits it. */
type VectorForm = 'base64' | 'float' | 'unstated';
const otherForms: Readonly<Partial<Record<VectorForm, VectorForm>>> = { base64: 'float', float: 'unstated' };

const firstWait = 500;
const maxBackoff = 20_000;
const maxBadAnswers = 2;

/**
 * A provider for the OpenAI embeddings API and compatible servers (`baseURL`), based on the package `openai` (an
 * optional peer, imported at the first call). For OpenAI models, tokens are counted with `gpt-tokenizer` (an optional
 * peer) to keep every request within 2,048 inputs, 8,192 tokens per input and 300,000 tokens per request.
 *
 * The batching engine retries; the retries of the package are off. Delays follow `retry-after-ms` or `retry-after`,
 * otherwise exponential backoff with jitter. `insufficient_quota` is not retried. Errors never contain the API key.
 *
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION; calls throw MISSING_PEER, INPUT_TOO_LONG, PROVIDER_FAILED,
 * PROVIDER_INVALID.
 */
export function openaiProvider(options?: OpenAIProviderOptions): EmbeddingProvider {
  const settings = resolveOptions('openaiProvider', options, openaiProviderDefaults);
  checkSettings(settings);
  const { model, dimensions, overLong, timeout } = settings;
  const known = Object.hasOwn(knownModels, model) ? knownModels[model] : undefined;
  const limits = known ?? unknownModel;
  const maxInputTokens = settings.maxInputTokens ?? limits.maxInputTokens;
  const maxBatchTokens = settings.maxBatchTokens ?? limits.maxBatchTokens;
  const maxBatchSize = settings.maxBatchSize ?? limits.maxBatchSize;
  const width = dimensions ?? known?.dimensions;
  const family = familyOf(model);
  const queryPrefix = settings.queryPrefix ?? family.queryPrefix;
  const documentPrefix = settings.documentPrefix ?? family.documentPrefix;
  const longestPrefix = queryPrefix.length > documentPrefix.length ? queryPrefix : documentPrefix;
  const apiKey = settings.client === undefined ? openaiKey(settings.apiKey, settings.baseURL) : undefined;
  const secrets = [apiKey, settings.client?.apiKey].filter((secret) => typeof secret === 'string');

  let client: Promise<EmbeddingsClient> | undefined;
  let counter: TokenCounter | undefined;
  let form: VectorForm = 'base64';
  // Keep the format that the service accepted once.
  let settled = false;
  const ready = async (): Promise<void> => {
    if (counter !== undefined || (maxInputTokens === undefined && maxBatchTokens === undefined)) return;
    counter = settings.countTokens === undefined ? await loadTokenCounter() : tokenCounterOf(settings.countTokens);
  };
  const countWhole = (text: string): number => counter?.count(text) ?? Buffer.byteLength(text);

  /** The inputs to send for a text: the text, its truncated form, or its parts. */
  const inputsOf = (text: string, index: number): string[] => {
    if (maxInputTokens === undefined || counter === undefined) return [text];
    // Every token is at least one byte long.
    if (Buffer.byteLength(text) <= maxInputTokens) return [text];
    if (overLong === 'truncate') return [counter.truncate(text, maxInputTokens)];
    if (overLong === 'average') return counter.split(text, maxInputTokens);
    const tokens = counter.count(text);
    if (tokens <= maxInputTokens) return [text];
    throw new SemanticIndexError(
      'INPUT_TOO_LONG',
      `Text ${index} has ${tokens} tokens, more than the limit of "${model}" (${maxInputTokens})`,
      {
        details: { index, tokens, maxInputTokens },
        hint: 'Split the text, or set `overLong` to "truncate" or "average".',
      },
    );
  };

  const request = async (
    inputs: string[],
    signal: AbortSignal | undefined,
  ): Promise<{ vectors: Float32Array[]; tokens: number }> => {
    client ??=
      settings.client === undefined
        ? createClient(apiKey as string, settings.baseURL)
        : Promise.resolve(settings.client);
    const connected = await client.catch((error: unknown) => {
      client = undefined;
      throw error;
    });
    const { post } = connected;
    const body = { model, input: inputs, ...(dimensions === undefined ? {} : { dimensions }) };
    const transport = { maxRetries: 0, timeout, ...(signal === undefined ? {} : { signal }) };
    const send = async (form: VectorForm): Promise<unknown> =>
      form === 'unstated'
        ? post?.call(connected, '/embeddings', { body, ...transport })
        : connected.embeddings.create({ ...body, encoding_format: form }, transport);
    try {
      let answer: unknown;
      for (;;) {
        try {
          answer = await send(form);
          break;
        } catch (error) {
          signal?.throwIfAborted();
          // Base64 is a third of the size, but some servers support only numbers, or no `encoding_format` at all.
          const next = otherForms[form];
          if (settled || next === undefined || !mayRefuseForm(error)) throw error;
          if (next === 'unstated' && post === undefined) throw error;
          form = next;
        }
      }
      const read = readAnswer(answer, inputs.length, model, secrets);
      settled = true;
      return read;
    } catch (error) {
      signal?.throwIfAborted();
      throw SemanticIndexError.is(error) ? error : requestError(error, inputs.length, secrets);
    }
  };

  return {
    id: fingerprintOf('openai', {
      model,
      dimensions,
      query: queryPrefix,
      document: documentPrefix,
      ...(overLong === 'error' ? {} : { overLong, maxInputTokens }),
    }),
    ...(width === undefined ? {} : { dimensions: width }),
    maxBatchSize,
    maxParallelCalls: settings.maxParallelCalls,
    ...(maxBatchTokens === undefined ? {} : { maxBatchTokens }),
    // A provider that truncates or splits accepts inputs of any length.
    ...(maxInputTokens === undefined || overLong !== 'error' ? {} : { maxInputTokens }),
    ready,
    countTokens(text) {
      const tokens = countWhole(longestPrefix + text);
      return overLong === 'truncate' && maxInputTokens !== undefined ? Math.min(tokens, maxInputTokens) : tokens;
    },
    retryAfter(error, attempt) {
      if (SemanticIndexError.is(error, 'PROVIDER_INVALID'))
        return attempt <= maxBadAnswers ? backoff(attempt) : undefined;
      if (!SemanticIndexError.is(error, 'PROVIDER_FAILED') || attempt > settings.maxRetries) return undefined;
      const { retryable, retryAfter } = error.details as unknown as Partial<RequestFailure>;
      if (retryable !== true || (retryAfter ?? 0) > maxRetryDelay) return undefined;
      return retryAfter ?? backoff(attempt);
    },
    async embed(texts, { role, signal }) {
      signal?.throwIfAborted();
      await ready();
      const prefix = role === 'query' ? queryPrefix : documentPrefix;
      const pieces = texts.map((text, index) => inputsOf(prefix + text, index));
      const inputs = pieces.flat();
      const tokensOf = maxBatchTokens === undefined ? undefined : inputs.map(countWhole);
      const vectors: Float32Array[] = [];
      let tokens = 0;
      // One request, unless the texts have so many parts that they exceed its limits.
      for (const { start, end } of planBatches(
        inputs.length,
        { size: maxBatchSize, tokens: maxBatchTokens },
        tokensOf,
      )) {
        const answer = await request(inputs.slice(start, end), signal);
        vectors.push(...answer.vectors);
        tokens += answer.tokens;
      }
      let next = 0;
      return {
        vectors: pieces.map((parts) => {
          const own = vectors.slice(next, next + parts.length);
          next += parts.length;
          return own.length === 1 ? (own[0] as Float32Array) : weightedMean(own, parts.map(countWhole));
        }),
        usage: { tokens },
      };
    },
    async close() {
      client = undefined;
    },
  };
}

async function createClient(apiKey: string, baseURL: string | undefined): Promise<EmbeddingsClient> {
  let library: typeof import('openai');
  try {
    library = await import('openai');
  } catch (cause) {
    throw new SemanticIndexError('MISSING_PEER', 'openaiProvider needs the package openai', {
      hint: 'Run: npm install openai (or pass your own `client`).',
      cause,
    });
  }
  return new library.default({
    apiKey,
    // Its log would contain requests, and its retries would multiply with ours.
    logLevel: 'off',
    maxRetries: 0,
    fetch: fetchWithMessage,
    ...(baseURL === undefined ? {} : { baseURL }),
  });
}

function readAnswer(
  answer: unknown,
  count: number,
  model: string,
  secrets: readonly string[],
): { vectors: Float32Array[]; tokens: number } {
  const refuse = (what: string): SemanticIndexError =>
    new SemanticIndexError('PROVIDER_INVALID', `The service returned ${what} for ${count} inputs to "${model}"`);
  const { data, usage } = (answer ?? {}) as {
    data?: unknown;
    usage?: { prompt_tokens?: unknown; total_tokens?: unknown };
  };
  if (!Array.isArray(data)) {
    const refused = answerError(answer, count, secrets);
    if (refused !== undefined) throw refused;
    throw refuse(`${scrub(serviceMessage(answer) ?? describe(answer), secrets)} without data`);
  }
  if (data.length !== count) throw refuse(`${data.length} vectors`);
  const vectors = new Array<Float32Array | undefined>(count).fill(undefined);
  data.forEach((entry: { index?: unknown; embedding?: unknown } | null, position) => {
    const index = typeof entry?.index === 'number' ? entry.index : position;
    if (!(index in vectors) || vectors[index] !== undefined) throw refuse(`index ${index} twice or out of range`);
    vectors[index] = decode(entry?.embedding) ?? undefined;
    if (vectors[index] === undefined) throw refuse(`${describe(entry?.embedding)} as a vector`);
  });
  const tokens = Number(usage?.prompt_tokens ?? usage?.total_tokens ?? 0);
  return { vectors: vectors as Float32Array[], tokens: Number.isFinite(tokens) && tokens > 0 ? tokens : 0 };
}

/** Base64 of little-endian float32; some servers send plain numbers regardless of `encoding_format`. */
function decode(embedding: unknown): Float32Array | undefined {
  if (Array.isArray(embedding))
    return embedding.every((value) => typeof value === 'number') ? Float32Array.from(embedding) : undefined;
  if (typeof embedding !== 'string') return undefined;
  const bytes = Buffer.from(embedding, 'base64');
  if (bytes.length === 0 || bytes.length % 4 !== 0) return undefined;
  // All supported platforms are little-endian.
  const vector = new Float32Array(bytes.length / 4);
  new Uint8Array(vector.buffer).set(bytes);
  return vector;
}

/** The mean direction of the parts, weighted by length; the first part if they cancel out. */
function weightedMean(vectors: readonly Float32Array[], weights: readonly number[]): Float32Array {
  const sums = new Float64Array(vectors[0]?.length ?? 0);
  vectors.forEach((vector, part) => {
    const unit = unitVector(vector);
    if (typeof unit === 'string') return;
    unit.forEach((value, column) => {
      sums[column] = (sums[column] as number) + value * (weights[part] as number);
    });
  });
  const mean = unitVector(sums);
  return typeof mean === 'string' ? (vectors[0] as Float32Array) : mean;
}

/** Exponential backoff with jitter, so that parallel calls do not retry at the same time. */
function backoff(attempt: number): number {
  const wait = Math.min(maxBackoff, firstWait * 2 ** (attempt - 1));
  return wait * (0.5 + Math.random() / 2);
}

function checkSettings(settings: typeof openaiProviderDefaults): void {
  const refuse = (name: string, rule: string, value: unknown): SemanticIndexError =>
    new SemanticIndexError('INVALID_ARGUMENT', `openaiProvider: ${name} must be ${rule}, got ${describe(value)}`);
  if (typeof settings.model !== 'string' || settings.model === '') throw refuse('model', 'a name', settings.model);
  for (const name of [
    'dimensions',
    'maxInputTokens',
    'maxBatchTokens',
    'maxBatchSize',
    'maxParallelCalls',
    'timeout',
  ] as const) {
    const value = settings[name];
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1))
      throw refuse(name, 'a positive integer', value);
  }
  if (!Number.isSafeInteger(settings.maxRetries) || settings.maxRetries < 0) {
    throw refuse('maxRetries', 'a non-negative integer', settings.maxRetries);
  }
  if (!['error', 'truncate', 'average'].includes(settings.overLong)) {
    throw refuse('overLong', '"error", "truncate" or "average"', settings.overLong);
  }
  if (settings.client !== undefined && typeof settings.client?.embeddings?.create !== 'function') {
    throw refuse('client', 'a client of the package openai', settings.client);
  }
}
