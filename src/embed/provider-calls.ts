import { setTimeout as sleep } from 'node:timers/promises';
import { SemanticIndexError } from '../errors.js';
import type { EmbeddingProvider, EmbeddingRole } from '../types.js';
import { checkVectors, sharedMemory } from './check-vectors.js';
import { isVectorFault, mayBeOneText, namedText, type RefusedText } from './refused-text.js';

type EmbeddingBatch = Awaited<ReturnType<EmbeddingProvider['embed']>>;

/** Max. retries of one call, whatever `retryAfter` returns. */
export const maxRetries = 20;
/** Embedded to find out whether a provider that refuses a text refuses everything. */
const probe = 'text';

/** The vectors of some texts, in their order, of length 1 each; undefined for those that the provider refused. */
export interface Embedded {
  readonly vectors: readonly (Float32Array | undefined)[];
  readonly refused: readonly RefusedText[];
  /** Tokens that the provider reports to have used; undefined where it reports none. */
  readonly tokens: number | undefined;
}

/** Settings shared by the calls of one iteration. */
export interface CallSettings {
  readonly role: EmbeddingRole;
  /** Aborts all calls. */
  readonly stop: AbortSignal;
  /** Aborted with the error of a call that failed permanently: retry delays of other calls end. */
  readonly givingUp: AbortSignal;
  /** Required length of vectors. Default: the declared value, else the length of the first vector. */
  readonly dimensions: number | undefined;
  /** Whether to isolate the faulty texts of a refused call. */
  readonly isolate: boolean;
}

/** Calls a provider: retries, validates every vector, and isolates faulty texts. */
export class ProviderCalls {
  readonly #provider: EmbeddingProvider;
  readonly #settings: CallSettings;
  #dimensions: number | undefined;
  #works = false;

  constructor(provider: EmbeddingProvider, settings: CallSettings) {
    this.#provider = provider;
    this.#settings = settings;
    this.#dimensions = settings.dimensions ?? provider.dimensions;
  }

  /**
   * Embeds texts in one call. If the service refuses it (HTTP 400, 413, 422), the texts are bisected until each faulty
   * text is isolated. A text counts as faulty only if the provider embeds another text; otherwise the error is thrown.
   *
   * @throws PROVIDER_FAILED, PROVIDER_INVALID, any SemanticIndexError of the provider, or the reason of `stop`.
   */
  async embed(texts: readonly string[]): Promise<Embedded> {
    try {
      const embedded = await this.#call(texts);
      this.#works = true;
      return embedded;
    } catch (error) {
      this.#settings.stop.throwIfAborted();
      if (!this.#settings.isolate || !SemanticIndexError.is(error) || !mayBeOneText(error)) throw error;
      const named = namedText(error, texts.length);
      if (texts.length === 1) {
        if (named === undefined && !(await this.#embedsOthers())) throw error;
        return { vectors: [undefined], refused: [{ index: 0, error }], tokens: undefined };
      }
      const cuts = named === undefined ? [texts.length >> 1] : [named, named + 1];
      const parts: Embedded[] = [];
      for (const [place, start] of [0, ...cuts].entries()) {
        const end = cuts[place] ?? texts.length;
        if (start === named) parts.push({ vectors: [undefined], refused: [{ index: 0, error }], tokens: undefined });
        else if (start < end) parts.push(await this.embed(texts.slice(start, end)));
      }
      return joined(parts);
    }
  }

  /** One call, with the retries that `retryAfter` asks for. */
  async #call(texts: readonly string[]): Promise<Embedded> {
    const { role, stop, givingUp } = this.#settings;
    const failures = new Map<unknown, number>();
    for (let attempt = 1; ; attempt++) {
      let answer: EmbeddingBatch | undefined;
      try {
        // A fresh signal for each call, because libraries leave listeners on the signals that they receive; a fast provider is
        // done before that pays.
        const signal = this.#provider.fast === true ? stop : AbortSignal.any([stop]);
        answer = await this.#provider.embed(texts, { role, signal });
        const vectors = await checkVectors(this.#provider.id, answer, texts, this.#dimensions);
        // A parallel call may have fixed the dimensions meanwhile; then this throws.
        if (this.#dimensions !== undefined && vectors[0]?.length !== this.#dimensions) {
          await checkVectors(this.#provider.id, answer, texts, this.#dimensions);
        }
        this.#dimensions ??= vectors[0]?.length;
        return { vectors, refused: [], tokens: answer.usage?.tokens };
      } catch (error) {
        stop.throwIfAborted();
        const kind = SemanticIndexError.is(error) ? error.code : undefined;
        const times = (failures.get(kind) ?? 0) + 1;
        failures.set(kind, times);
        const delay = attempt > maxRetries ? undefined : this.#provider.retryAfter?.(error, times);
        if (delay === undefined) {
          const usable = answer === undefined ? undefined : await this.#usable(answer, texts);
          if (usable === undefined) throw this.#typed(error, texts.length);
          return usable;
        }
        // After a permanent failure of another call, waiting for a retry would only delay the error.
        await sleep(delay, undefined, { signal: AbortSignal.any([stop, givingUp]) }).catch(() => {});
        stop.throwIfAborted();
        givingUp.throwIfAborted();
      }
    }
  }

  /** The usable vectors of a response that also has invalid ones; undefined when none is usable. */
  async #usable(answer: EmbeddingBatch, texts: readonly string[]): Promise<Embedded | undefined> {
    if (!Array.isArray(answer.vectors) || answer.vectors.length !== texts.length) return undefined;
    if (sharedMemory(answer.vectors, texts) !== undefined) return undefined;
    const refused: RefusedText[] = [];
    const vectors: (Float32Array | undefined)[] = [];
    for (const [index, vector] of answer.vectors.entries()) {
      try {
        const [unit] = await checkVectors(
          this.#provider.id,
          { vectors: [vector] },
          [texts[index] as string],
          this.#dimensions,
        );
        this.#dimensions ??= unit?.length;
        vectors.push(unit);
      } catch (error) {
        if (!SemanticIndexError.is(error) || !isVectorFault(error)) return undefined;
        refused.push({ index, error });
        vectors.push(undefined);
      }
    }
    return refused.length === texts.length ? undefined : { vectors, refused, tokens: answer.usage?.tokens };
  }

  /** Whether the provider embeds anything. If not, the model or an option is at fault, not a text. */
  async #embedsOthers(): Promise<boolean> {
    const { role, stop } = this.#settings;
    this.#works ||= await this.#provider
      .embed([probe], { role, signal: AbortSignal.any([stop]) })
      .then((answer) => checkVectors(this.#provider.id, answer, [probe], this.#dimensions))
      .then(
        () => true,
        () => false,
      );
    stop.throwIfAborted();
    return this.#works;
  }

  #typed(error: unknown, texts: number): unknown {
    if (SemanticIndexError.is(error)) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new SemanticIndexError(
      'PROVIDER_FAILED',
      `The provider "${this.#provider.id}" failed on ${texts} ${texts === 1 ? 'text' : 'texts'}: ${message}`,
      { cause: error },
    );
  }
}

function joined(parts: readonly Embedded[]): Embedded {
  const vectors: (Float32Array | undefined)[] = [];
  const refused: RefusedText[] = [];
  let tokens: number | undefined;
  for (const part of parts) {
    for (const { index, error } of part.refused) refused.push({ index: vectors.length + index, error });
    vectors.push(...part.vectors);
    if (part.tokens !== undefined) tokens = (tokens ?? 0) + part.tokens;
  }
  return { vectors, refused, tokens };
}
