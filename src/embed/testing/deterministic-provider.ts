import { setTimeout as sleep } from 'node:timers/promises';
import { resolveOptions } from '../../options.js';
import type { EmbeddingProvider, EmbeddingRole } from '../../types.js';
import { unitVector } from '../check-vectors.js';
import { addRandomVector, hashText } from '../pseudo-random.js';

/** Options for `deterministicProvider`. */
export interface DeterministicProviderOptions {
  /** Length of the vectors. Default 64. */
  dimensions?: number | undefined;
  /** Each seed is a different model, with its own vectors and id. Default 0. */
  seed?: number | undefined;
  /** Delay of each call in milliseconds. Default 0. */
  delay?: number | undefined;
  /** Max. texts per call. Default 256. */
  maxBatchSize?: number | undefined;
  /** Max. concurrent calls. Default 1. */
  maxParallelCalls?: number | undefined;
  /** Whether the same text has different vectors as query and as document. Default false. */
  distinguishRoles?: boolean | undefined;
  /** Called before every call; may throw or reject to make the call fail. */
  onCall?: ((texts: readonly string[], role: EmbeddingRole) => void | Promise<void>) | undefined;
  /** As in `EmbeddingProvider`. Default: no retries. */
  retryAfter?: ((error: unknown, attempt: number) => number | undefined) | undefined;
}

/** A provider for tests that counts its calls. */
export interface DeterministicProvider extends EmbeddingProvider {
  readonly dimensions: number;
  /** Totals of the successful calls so far. */
  readonly answered: { calls: number; texts: number; tokens: number };
}

/**
 * A provider that needs no model: every word has a pseudo-random vector, and the vector of a text is their sum. Texts
 * that share words are similar, and the same text has the same vector on every machine and in every version.
 */
export function deterministicProvider(options?: DeterministicProviderOptions): DeterministicProvider {
  const settings = resolveOptions('deterministicProvider', options, {
    dimensions: 64,
    seed: 0,
    delay: 0,
    maxBatchSize: 256,
    maxParallelCalls: 1,
    distinguishRoles: false,
    onCall: undefined,
    retryAfter: undefined,
  });
  const dimensions = settings.dimensions as number;
  const answered = { calls: 0, texts: 0, tokens: 0 };

  const vectorOf = (text: string, role: EmbeddingRole): Float32Array => {
    const sums = new Float64Array(dimensions);
    for (const word of wordsOf(text)) addRandomVector(sums, hashText(word, settings.seed));
    if (settings.distinguishRoles === true && role === 'query')
      addRandomVector(sums, hashText('query:', settings.seed));
    const unit = unitVector(sums);
    if (typeof unit !== 'string') return unit;
    addRandomVector(sums, hashText(text, settings.seed));
    return unitVector(sums) as Float32Array;
  };

  return {
    id: `deterministic:${settings.seed}:${dimensions}${settings.distinguishRoles === true ? ':roles' : ''}`,
    dimensions,
    maxBatchSize: settings.maxBatchSize as number,
    maxParallelCalls: settings.maxParallelCalls as number,
    answered,
    ...(settings.retryAfter === undefined ? {} : { retryAfter: settings.retryAfter }),
    countTokens: (text) => wordsOf(text).length,
    async embed(texts, { role, signal }) {
      signal?.throwIfAborted();
      await settings.onCall?.(texts, role);
      if (settings.delay !== undefined && settings.delay > 0) {
        await sleep(settings.delay, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
          signal?.throwIfAborted();
          throw error;
        });
      }
      signal?.throwIfAborted();
      const tokens = texts.reduce((total, text) => total + wordsOf(text).length, 0);
      answered.calls++;
      answered.texts += texts.length;
      answered.tokens += tokens;
      return { vectors: texts.map((text) => vectorOf(text, role)), usage: { tokens } };
    },
    close: async () => {},
  };
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text];
}
