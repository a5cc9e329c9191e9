import { once } from 'node:events';
import { SemanticIndexError } from '../../errors.js';
import { describe } from '../../options.js';
import { byRank, type Ranked } from '../../ranking/ranked.js';
import type { Hit, Metadata, Query, Rerank } from '../../types.js';
import { BatchesWithin } from './rerank-budget.js';

/** Limits of a reranking. */
export interface RerankLimits {
  /** Milliseconds; undefined passes all hits in one call. */
  readonly budget: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Gives hits the scores that the caller's model has for them, best first. Within a budget the hits are passed in batches, see
 * `BatchesWithin`, and one that is late is given up: hits that were not judged follow in their order, with the lowest score of those that were.
 *
 * @param weight share of the new scores. Below 1 they are scaled to 0 for the lowest and 1 for the highest, that of a hit that was not
 *   judged is 0, and the rest is the score of the search; scores without a bound, such as BM25, count as shares of the best one.
 *
 * @throws PROVIDER_FAILED when the hook fails, PROVIDER_INVALID when it does not answer with one finite number for each hit.
 */
export async function rerankHits<M extends Metadata>(
  rerank: Rerank<M>,
  query: Query,
  ranked: readonly Ranked[],
  hits: readonly Hit<M>[],
  weight: number,
  { budget, signal }: RerankLimits,
): Promise<{ readonly ranked: Ranked[]; readonly judged: number }> {
  const scores: number[] = [];
  const batches = new BatchesWithin(hits, budget);
  for (const batch of batches) {
    const found = await beforeDeadline(batches.deadline, signal, (stop) => scoresOf(rerank, query, batch, stop));
    if (found === undefined) break;
    scores.push(...found);
  }
  const lowest = scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY);
  if (weight < 1) return { ranked: fused(ranked, scores, lowest, weight), judged: scores.length };
  const judged = scores.map((score, place) => ({ key: (ranked[place] as Ranked).key, score })).sort(byRank);
  const others = ranked.slice(scores.length).map(({ key }) => ({ key, score: lowest }));
  return { ranked: [...judged, ...others], judged: scores.length };
}

function fused(ranked: readonly Ranked[], scores: readonly number[], lowest: number, weight: number): Ranked[] {
  const top = ranked.reduce((best, { score }) => Math.max(best, score), 1);
  const range = scores.reduce((best, score) => Math.max(best, score), lowest) - lowest;
  return ranked
    .map(({ key, score }, place) => {
      const own = scores[place];
      const scaled = own === undefined || !(range > 0) ? 0 : (own - lowest) / range;
      return { key, score: (1 - weight) * (score / top) + weight * scaled };
    })
    .sort(byRank);
}

/** What a call resolves to; undefined if it has not by the deadline. It is aborted then, and not waited for. */
async function beforeDeadline<T>(
  deadline: number | undefined,
  signal: AbortSignal | undefined,
  call: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T | undefined> {
  if (deadline === undefined) return call(signal);
  const late = AbortSignal.timeout(Math.max(0, Math.ceil(deadline - performance.now())));
  const work = call(signal === undefined ? late : AbortSignal.any([signal, late]));
  try {
    return await Promise.race([work, once(late, 'abort').then(() => undefined)]);
  } catch (error) {
    if (late.aborted && signal?.aborted !== true) return undefined;
    throw error;
  }
}

async function scoresOf<M extends Metadata>(
  rerank: Rerank<M>,
  query: Query,
  hits: readonly Hit<M>[],
  signal: AbortSignal | undefined,
): Promise<number[]> {
  let scores: ArrayLike<number>;
  try {
    scores = await rerank(query, hits, signal === undefined ? {} : { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    if (SemanticIndexError.is(cause)) throw cause;
    throw new SemanticIndexError('PROVIDER_FAILED', 'search: rerank failed', {
      cause,
      hint: 'See `cause` for what the rerank function threw.',
    });
  }
  signal?.throwIfAborted();
  const valid = scores?.length === hits.length && Array.from(scores).every((score) => Number.isFinite(score));
  if (!valid) {
    throw new SemanticIndexError('PROVIDER_INVALID', `search: rerank returned ${describe(scores)}`, {
      hint: `Return one finite number for each of the ${hits.length} hits, in their order; large is good.`,
    });
  }
  return Array.from(scores);
}
