import type { Ranked } from './ranked.js';

/**
 * Picks `k` of the candidates by maximal marginal relevance (Carbonell, Goldstein 1998): each next one is relevant and
 * unlike those already picked. `diversity` 0 looks at relevance alone, 1 at unlikeness alone.
 *
 * @param similarity of two candidates by their positions, from -1 to 1.
 */
export function diversify(
  candidates: readonly Ranked[],
  k: number,
  diversity: number,
  similarity: (a: number, b: number) => number,
): Ranked[] {
  const best = Math.max(...candidates.map(({ score }) => score), 1e-9);
  const nearest = new Float64Array(candidates.length).fill(-1);
  const left = new Set(candidates.keys());
  const picked: Ranked[] = [];
  while (picked.length < k && left.size > 0) {
    let next = -1;
    let value = Number.NEGATIVE_INFINITY;
    for (const position of left) {
      const relevance = (candidates[position] as Ranked).score / best;
      const unlikeness = picked.length === 0 ? 0 : (nearest[position] as number);
      const marginal = (1 - diversity) * relevance - diversity * unlikeness;
      if (marginal > value) {
        value = marginal;
        next = position;
      }
    }
    left.delete(next);
    picked.push(candidates[next] as Ranked);
    for (const position of left) nearest[position] = Math.max(nearest[position] as number, similarity(next, position));
  }
  return picked;
}
