import { TimeSlice } from '../time-slice.js';

/** The vector of a text, and how many tokens it was made of. */
export interface TextEmbedding {
  readonly vector: Float32Array;
  readonly tokens: number;
}

/**
 * Embeds texts one after the other on this thread, and leaves it to others in between.
 *
 * @param stepsOf the work for a text in steps of a fraction of a millisecond.
 * @throws the reason of `signal`.
 */
export async function embedInSlices(
  texts: readonly string[],
  stepsOf: (text: string) => Generator<void, TextEmbedding, void>,
  signal: AbortSignal | undefined,
): Promise<{ vectors: Float32Array[]; usage: { tokens: number } }> {
  const slice = new TimeSlice();
  const vectors: Float32Array[] = [];
  let tokens = 0;
  for (const text of texts) {
    const steps = stepsOf(text);
    for (;;) {
      if (slice.due()) await slice.yieldIfDue(signal);
      const { done, value } = steps.next();
      if (done !== true) continue;
      vectors.push(value.vector);
      tokens += value.tokens;
      break;
    }
  }
  return { vectors, usage: { tokens } };
}
