import { SemanticIndexError } from '../errors.js';
import { describe } from '../options.js';
import { TimeSlice } from '../time-slice.js';
import type { EmbeddingProvider, EmbeddingRole, Progress } from '../types.js';
import { ConcurrencyLimiter } from './concurrency-limiter.js';
import { type BatchRange, planBatches } from './plan-batches.js';
import { ProviderCalls } from './provider-calls.js';
import { type RefusedText, refusal } from './refused-text.js';

/** Texts per call when neither the provider nor the caller says. */
export const defaultBatchSize = 256;
/** Fewer texts than this are not spread over several calls. */
const smallestShare = 32;
const progressInterval = 40;

/** How `embedTexts` works through its texts. */
export interface EmbedTextsOptions {
  role: EmbeddingRole;
  /** Aborting ends the iteration with `signal.reason`; batches that had landed are still yielded before. */
  signal?: AbortSignal | undefined;
  /** Stage `embed`; at most 25 times a second, and at the end. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Most calls at the same time. Default: what the provider declares, else 1. Never more than it declares. */
  concurrency?: number | undefined;
  /**
   * Most texts per call. Default: what the provider declares, else 256. Never more than it declares. Fewer go into one
   * call where the texts can be spread over parallel calls.
   */
  batchSize?: number | undefined;
  /**
   * Room for calls that is shared with other iterations over the same provider. A batch counts as safe when the next one
   * is asked for. Default: room of its own.
   */
  slots?: ConcurrencyLimiter | undefined;
  /** Dimensions that the vectors must have. Default: what the provider declares, else those of the first vector. */
  dimensions?: number | undefined;
  /**
   * Called for each text that the provider refuses while it embeds others: one that is too long for it, or one for which it
   * returns no usable vector. The rest is embedded all the same. Default: the iteration fails with that text's error.
   */
  onRefused?: ((refused: RefusedText) => void) | undefined;
}

/** One call's worth of vectors: `vectors[i]` belongs to `texts[indices[i]]`. */
export interface EmbeddedBatch {
  readonly indices: number[];
  /** Of length 1 each, in their own memory. */
  readonly vectors: Float32Array[];
  /** What the provider says that the call used; else what it counts; else 0. */
  readonly tokens: number;
}

/**
 * Embeds texts through a provider: the one place that splits by count and tokens, runs calls in parallel, tries again
 * what the provider says may be tried again, checks every vector and scales it to length 1.
 *
 * A call that the service refuses (HTTP 400, 413, 422) is sent again in halves until the text at fault stands alone, and its
 * error names that text by `details.index`: the other texts of the call are embedded.
 *
 * Yields each batch as it lands, in any order. When a call fails for good, no further call starts, what was under way
 * is awaited and yielded, and only then the error is thrown: a caller who commits each batch loses nothing paid for.
 * Leaving the loop early aborts what is under way.
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
  // All parallel calls get something to do, rather than one of them everything.
  const share = Math.max(smallestShare, Math.ceil(places.length / concurrency));
  const size = concurrency === 1 ? most : Math.min(most, share);
  const ranges = planBatches(places.length, { size, tokens: provider.maxBatchTokens }, tokensOf);

  const leaving = new AbortController();
  const givingUp = new AbortController();
  const stop = signal === undefined ? leaving.signal : AbortSignal.any([signal, leaving.signal]);
  const landed: EmbeddedBatch[] = [];
  let failure: { error: unknown } | undefined;
  // What has landed but is not fetched is bounded, and yet a consumer who is busy with one batch holds up nobody.
  const slots = options.slots ?? new ConcurrencyLimiter(concurrency, 2 * concurrency);
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
    // A text that was sent alone needs no search.
    isolate: options.onRefused !== undefined || texts.length > 1,
  });
  /** Whether the range brought vectors. */
  const embedRange = async ({ start, end }: BatchRange): Promise<boolean> => {
    const own = places.slice(start, end);
    const answer = await calls.embed(own.map((place) => texts[place] as string));
    for (const { index: position, error } of answer.refused) {
      const index = own[position] as number;
      const refused = { index, error: refusal(index, error) };
      if (options.onRefused === undefined) fail(refused.error);
      else options.onRefused(refused);
    }
    const kept = answer.vectors.flatMap((vector, position) => (vector === undefined ? [] : [{ vector, position }]));
    // After the end of the iteration the room of all that had landed has been given back.
    if (left || kept.length === 0) return false;
    landed.push({
      indices: kept.map(({ position }) => own[position] as number),
      vectors: kept.map(({ vector }) => vector),
      tokens: answer.tokens ?? sum(tokensOf, start, end),
    });
    return true;
  };
  const startCalls = (): void => {
    while (running < concurrency && failure === undefined && !stop.aborted) {
      const range = ranges[next];
      if (range === undefined || !slots.take()) return;
      next++;
      running++;
      embedRange(range)
        .catch((error: unknown) => {
          if (!stop.aborted) fail(error);
          return false;
        })
        .then((brought) => {
          running--;
          slots.ended();
          if (!brought) slots.saved();
          startCalls();
          wake();
        });
    }
  };

  const report = throttledProgress(options.onProgress, places.length);
  const onAbort = (): void => wake();
  stop.addEventListener('abort', onAbort);
  slots.wait(startCalls);
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
        slots.saved();
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
    slots.leave(startCalls);
    leaving.abort();
    left = true;
    if (yielded) slots.saved();
    for (const _ of landed.splice(0)) slots.saved();
  }
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
 * The places of the texts to embed, with their tokens as far as the provider's limits make them matter. Counting is done in
 * slices of time. Texts that are too long for the provider are left out where `onRefused` takes them.
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
        `Text ${index} has ${tokens} tokens; the provider "${provider.id}" takes ${provider.maxInputTokens}`,
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
