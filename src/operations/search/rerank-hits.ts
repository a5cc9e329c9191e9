import { SemanticIndexError } from '../../errors.js';
import { describe } from '../../options.js';
import { byRank, type Ranked } from '../../ranking/ranked.js';
import type { Hit, Metadata, Query, Rerank } from '../../types.js';

/**
 * Gives hits the scores that the caller's model has for them, best first.
 *
 * @throws PROVIDER_FAILED when the hook fails, PROVIDER_INVALID when it does not answer with one finite number for each hit.
 */
export async function rerankHits<M extends Metadata>(
  rerank: Rerank<M>,
  query: Query,
  ranked: readonly Ranked[],
  hits: readonly Hit<M>[],
  signal: AbortSignal | undefined,
): Promise<Ranked[]> {
  if (hits.length === 0) return [];
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
  return ranked.map(({ key }, position) => ({ key, score: scores[position] as number })).sort(byRank);
}
