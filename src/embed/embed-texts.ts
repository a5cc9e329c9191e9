import { SemanticIndexError } from '../errors.js';
import { describe } from '../options.js';
import { TimeSlice } from '../time-slice.js';
import type { EmbeddingProvider, EmbeddingRole, Progress } from '../types.js';
import { ConcurrencyLimiter } from './concurrency-limiter.js';
import { type BatchRange, planBatches } from './plan-batches.js';
import { type Embedded, ProviderCalls } from './provider-calls.js';
import { type RefusedText, refusal } from './refused-text.js';

/** Texts per call when neither the provider nor the caller sets a limit. */
export const defaultBatchSize = 256;
/** Fewer texts than this are not spread over several calls. */
const minTextsPerCall = 32;
const progressInterval = 40;

/** Options for `embedTexts`. */
export interface EmbedTextsOptions {
  role: EmbeddingRole;
  /** Aborting ends the iteration with `signal.reason`, after the batches that have already returned are yielded. */
  signal?: AbortSignal | undefined;
  /** Stage `embed`; at most 25 times a second, and at the end. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Max. concurrent calls, capped by what the provider declares. Default: the declared value, else 1. */
  concurrency?: number | undefined;
  /**
   * Max. texts per call, capped by what the provider declares. Default: the declared value, else 256. Calls are smaller
   * when the texts can be spread over parallel calls.
   */
  batchSize?: number | undefined;
  /**
   * Limiter shared with other iterations over the same provider. A batch counts as persisted when the next one is
   * requested. Default: a limiter of this iteration.
   */
  limiter?: ConcurrencyLimiter | undefined;
  /** Required dimensions of the vectors. Default: the declared value, else those of the first vector. */
  dimensions?: number | undefined;
  /**
   * Called for each text that the provider refuses while it embeds others: the text is too long, or its vector is
   * unusable. The other texts are embedded. Default: the iteration fails with the error of that text.
   */
  onRefused?: ((refused: RefusedText) => void) | undefined;
}

/** The vectors of one call: `vectors[i]` belongs to `texts[indices[i]]`. */
export interface EmbeddedBatch {
  readonly indices: number[];
  /** Of length 1; each has its own buffer. */
  readonly vectors: Float32Array[];
  /** Tokens reported by the provider for the call; else counted with `countTokens`; else 0. */
  readonly tokens: number;
}

/**
 * Embeds texts through a provider. This is the only place that batches by count and tokens, runs calls in parallel,
 * retries what the provider marks as retryable, validates every vector and scales it to length 1.
 *
 * A call that the service refuses (HTTP 400, 413, 422) is bisected until the faulty text is isolated; its error has
 * `details.index`, and the other texts of the call are embedded.
 *
 * Yields each batch when it arrives, in any order. When a call fails permanently, no further call starts; pending calls
 * are awaited and yielded before the error is thrown, so a caller that commits each batch loses nothing that was paid
 * for. Leaving the loop early aborts pending calls.
 *
 * @throws INVALID_TEXT and INPUT_TOO_LONG before the first call; PROVIDER_FAILED (with `cause`), PROVIDER_INVALID, any
 * SemanticIndexError of the provider, or `signal.reason`.
 */
export async function* embedTexts(
  provider: EmbeddingProvider,
  texts: readonly string[],
  options: EmbedTextsOptions,
): AsyncGenerator<EmbeddedBatch, void, undefined> {
  const { role, signal } = options;
  signal?.throwIfAborted();
  checkTexts(texts);
  const { tokensOf, places } = await countTokens(provider, texts, options);
  const concurrency = atLeastOne(
    Math.min(options.concurrency ?? Number.POSITIVE_INFINITY, provider.maxParallelCalls ?? 1),
  );
  const most = atLeastOne(
    Math.min(options.batchSize ?? Number.POSITIVE_INFINITY, provider.maxBatchSize ?? defaultBatchSize),
  );
  // Spread the texts over all parallel calls.
  const share = Math.max(minTextsPerCall, Math.ceil(places.length / concurrency));
  const size = concurrency === 1 ? most : Math.min(most, share);
  const ranges = planBatches(places.length, { size, tokens: provider.maxBatchTokens }, tokensOf);

  // One call that ends within a millisecond needs neither a limiter nor a signal of its own.
  if (provider.fast === true && ranges.length === 1 && options.limiter === undefined) {
    const { batch, refused } = await embedAtOnce(provider, texts, places, options);
    for (const one of refused) {
      if (options.onRefused === undefined) throw one.error;
      options.onRefused(one);
    }
    throttledProgress(options.onProgress, places.length)(batch.indices.length);
    if (batch.indices.length > 0) yield { ...batch, tokens: batch.tokens ?? sum(tokensOf, 0, places.length) };
    return;
  }

  const leaving = new AbortController();
  const givingUp = new AbortController();
  const stop = signal === undefined ? leaving.signal : AbortSignal.any([signal, leaving.signal]);
  const landed: EmbeddedBatch[] = [];
  let failure: { error: unknown } | undefined;
  // Bounds results that wait for the consumer, and still lets calls run while the consumer handles one batch.
  const limiter = options.limiter ?? new ConcurrencyLimiter(concurrency, 2 * concurrency);
  let next = 0;
  let running = 0;
  let left = false;
  let wake = (): void => {};
  const fail = (error: unknown): void => {
    failure ??= { error };
    givingUp.abort(error);
  };

  const calls = new ProviderCalls(provider, {
    role,
    stop,
    givingUp: givingUp.signal,
    dimensions: options.dimensions,
    // A text that was sent alone need not be isolated.
    isolate: options.onRefused !== undefined || texts.length > 1,
  });
  /** Embeds one range; resolves to whether it returned vectors. */
  const embedRange = async ({ start, end }: BatchRange): Promise<boolean> => {
    const own = places.slice(start, end);
    const answer = await calls.embed(own.map((place) => texts[place] as string));
    for (const refused of refusedOf(answer, own)) {
      if (options.onRefused === undefined) fail(refused.error);
      else options.onRefused(refused);
    }
    const batch = batchOf(answer, own);
    // After the iteration has ended, the slots of all results are released already.
    if (left || batch.indices.length === 0) return false;
    landed.push({ ...batch, tokens: batch.tokens ?? sum(tokensOf, start, end) });
    return true;
  };
  const startCalls = (): void => {
    while (running < concurrency && failure === undefined && !stop.aborted) {
      const range = ranges[next];
      if (range === undefined || !limiter.tryAcquire()) return;
      next++;
      running++;
      embedRange(range)
        .catch((error: unknown) => {
          if (!stop.aborted) fail(error);
          return false;
        })
        .then((hasVectors) => {
          running--;
          limiter.ended();
          if (!hasVectors) limiter.saved();
          startCalls();
          wake();
        });
    }
  };

  const report = throttledProgress(options.onProgress, places.length);
  const onAbort = (): void => wake();
  stop.addEventListener('abort', onAbort);
  limiter.wait(startCalls);
  let yielded = false;
  try {
    for (;;) {
      startCalls();
      const batch = landed.shift();
      if (batch !== undefined) {
        report(batch.indices.length);
        yielded = true;
        yield batch;
        yielded = false;
        limiter.saved();
        continue;
      }
      if (stop.aborted || (running === 0 && (failure !== undefined || next === ranges.length))) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    signal?.throwIfAborted();
    if (failure !== undefined) throw failure.error;
  } finally {
    stop.removeEventListener('abort', onAbort);
    limiter.leave(startCalls);
    // Aborting costs more than embedding a query.
    if (running > 0) leaving.abort();
    left = true;
    if (yielded) limiter.saved();
    for (const _ of landed.splice(0)) limiter.saved();
  }
}

/** Embeds texts in a single call. */
async function embedAtOnce(
  provider: EmbeddingProvider,
  texts: readonly string[],
  places: readonly number[],
  { role, signal, dimensions, onRefused }: EmbedTextsOptions,
): Promise<{ batch: Omit<EmbeddedBatch, 'tokens'> & { tokens: number | undefined }; refused: RefusedText[] }> {
  const stop = signal ?? new AbortController().signal;
  const isolate = onRefused !== undefined || texts.length > 1;
  const calls = new ProviderCalls(provider, { role, stop, givingUp: stop, dimensions, isolate });
  const answer = await calls.embed(places.map((place) => texts[place] as string));
  stop.throwIfAborted();
  return { batch: batchOf(answer, places), refused: refusedOf(answer, places) };
}

/** The vectors of an answer, by the positions of their texts. */
function batchOf({ vectors, tokens }: Embedded, places: readonly number[]) {
  const kept = vectors.flatMap((vector, position) => (vector === undefined ? [] : [{ vector, position }]));
  return {
    indices: kept.map(({ position }) => places[position] as number),
    vectors: kept.map(({ vector }) => vector),
    tokens,
  };
}

function refusedOf({ refused }: Embedded, places: readonly number[]): RefusedText[] {
  return refused.map(({ index: position, error }) => {
    const index = places[position] as number;
    return { index, error: refusal(index, error) };
  });
}

/** Embeds one text; as `embedTexts` with a single text. */
export async function embedText(
  provider: EmbeddingProvider,
  text: string,
  options: EmbedTextsOptions,
): Promise<{ vector: Float32Array; tokens: number }> {
  for await (const { vectors, tokens } of embedTexts(provider, [text], options)) {
    const vector = vectors[0];
    if (vector !== undefined) return { vector, tokens };
  }
  throw new SemanticIndexError('INTERNAL', 'embedTexts ended without a vector for its text');
}

function checkTexts(texts: readonly string[]): void {
  for (let index = 0; index < texts.length; index++) {
    const text: unknown = texts[index];
    if (typeof text !== 'string' || !/\S/.test(text)) {
      throw new SemanticIndexError('INVALID_TEXT', `Text ${index} cannot be embedded: ${describe(text)}`, {
        details: { index },
      });
    }
  }
}

/**
 * The positions of the texts to embed, with token counts where the provider has token limits. Yields to the event loop
 * while it counts. Texts that are too long go to `onRefused`, if set.
 */
async function countTokens(
  provider: EmbeddingProvider,
  texts: readonly string[],
  { signal, onRefused }: EmbedTextsOptions,
): Promise<{ tokensOf: number[] | undefined; places: number[] }> {
  if (provider.maxBatchTokens === undefined && provider.maxInputTokens === undefined) {
    return { tokensOf: undefined, places: Array.from(texts, (_, index) => index) };
  }
  await provider.ready?.();
  const [tokensOf, places]: [number[], number[]] = [[], []];
  const slice = new TimeSlice();
  for (let index = 0; index < texts.length; index++) {
    const text = texts[index] as string;
    // Without a counter one token per byte is assumed, which no tokenizer in use exceeds.
    const tokens = provider.countTokens?.(text) ?? Buffer.byteLength(text);
    if (
      provider.maxInputTokens !== undefined &&
      provider.countTokens !== undefined &&
      tokens > provider.maxInputTokens
    ) {
      const error = new SemanticIndexError(
        'INPUT_TOO_LONG',
        `Text ${index} has ${tokens} tokens, more than the limit of the provider "${provider.id}" (${provider.maxInputTokens})`,
        { details: { index, tokens, maxInputTokens: provider.maxInputTokens } },
      );
      if (onRefused === undefined) throw error;
      onRefused({ index, error });
    } else {
      tokensOf.push(tokens);
      places.push(index);
    }
    if (slice.due()) await slice.yieldIfDue(signal);
  }
  return { tokensOf, places };
}

function throttledProgress(onProgress: EmbedTextsOptions['onProgress'], total: number): (more: number) => void {
  let done = 0;
  let last = Number.NEGATIVE_INFINITY;
  return (more) => {
    done += more;
    const now = performance.now();
    if (onProgress === undefined || (done < total && now - last < progressInterval)) return;
    last = now;
    onProgress({ stage: 'embed', done, total });
  };
}

function sum(values: readonly number[] | undefined, start: number, end: number): number {
  let total = 0;
  for (let index = start; values !== undefined && index < end; index++) total += values[index] ?? 0;
  return total;
}

function atLeastOne(value: number): number {
  return Number.isFinite(value) && value >= 1 ? Math.floor(value) : 1;
}
