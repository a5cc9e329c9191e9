import { TimeSlice } from '../time-slice.js';
import { dotProduct } from '../vectors/metric.js';
import { CandidateQueue } from './candidate-queue.js';
import type { Ranked } from './ranked.js';

/** Vectors of candidates, one after the other. */
export interface CandidateVectors {
  readonly data: Float32Array;
  readonly dimensions: number;
}

/** Similarities between two looks at the clock. */
const perLook = 64;

/**
 * Picks `k` of the candidates by maximal marginal relevance (Carbonell, Goldstein 1998): each next one is relevant and
 * unlike those already picked, by the cosine of their vectors. `diversity` 0 looks at relevance alone, 1 at unlikeness alone.
 *
 * The marginal relevance of a candidate only falls while others are picked. So what was computed earlier is an upper bound, and
 * only the candidate with the highest bound is compared with the picks that it has not been compared with yet (lazy greedy
 * selection; Minoux 1978): the picks are the same, most comparisons are left out. Works in slices of about a millisecond.
 *
 * @throws what the signal aborts with.
 */
export async function diversify(
  candidates: readonly Ranked[],
  k: number,
  diversity: number,
  { data, dimensions }: CandidateVectors,
  signal?: AbortSignal,
): Promise<Ranked[]> {
  const count = candidates.length;
  const wanted = Math.min(k, count);
  const best = candidates.reduce((most, { score }) => Math.max(most, score), 1e-9);
  const relevance = Float64Array.from(candidates, ({ score }) => ((1 - diversity) * score) / best);
  const slice = new TimeSlice();
  const lengths = new Float64Array(count);
  for (let position = 0; position < count; position++) {
    if (position % perLook === perLook - 1 && slice.due()) await slice.yieldIfDue(signal);
    lengths[position] = Math.sqrt(dotProduct(data, data, dimensions, position * dimensions, position * dimensions));
  }
  const cosine = (a: number, b: number): number => {
    const product = (lengths[a] as number) * (lengths[b] as number);
    return product === 0 ? 0 : dotProduct(data, data, dimensions, a * dimensions, b * dimensions) / product;
  };
  /** Similarity to the most similar of the first `compared` picks. */
  const nearest = new Float64Array(count).fill(-1);
  const compared = new Uint32Array(count);
  const marginal = (position: number): number =>
    (relevance[position] as number) - diversity * (nearest[position] as number);

  const picked: number[] = [];
  // Without a pick only relevance counts.
  const queue = new CandidateQueue(Float64Array.from(relevance));
  let sinceLook = 0;
  while (picked.length < wanted) {
    const next = queue.first();
    if (picked.length > 0 && (compared[next] as number) < picked.length) {
      for (let pick = compared[next] as number; pick < picked.length; pick++) {
        if (++sinceLook >= perLook) {
          sinceLook = 0;
          if (slice.due()) await slice.yieldIfDue(signal);
        }
        const similarity = cosine(next, picked[pick] as number);
        if (similarity > (nearest[next] as number)) nearest[next] = similarity;
      }
      compared[next] = picked.length;
      queue.lower(marginal(next));
      continue;
    }
    queue.remove();
    picked.push(next);
    // From now on the bounds are those of candidates that nothing is like.
    if (picked.length === 1) queue.replaceValues(marginal);
  }
  return picked.map((position) => candidates[position] as Ranked);
}
