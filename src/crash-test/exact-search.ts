import type { DocumentId } from '../types.js';
import { cosine } from '../vectors/metric.js';

/** A document and how near it is to a query; large is near. */
export interface Scored {
  readonly id: DocumentId;
  readonly score: number;
}

/** How near two vectors are, large is near: what `Hit.score` promises for a metric. */
export type ScoreFunction = (a: Float32Array, b: Float32Array) => number;

/** Every document with its score, best first: the oracle of all searches. */
export function scoreAll(
  documents: Iterable<{ readonly id: DocumentId; readonly vector: Float32Array }>,
  query: Float32Array,
  scoreOf: ScoreFunction = cosine,
): Scored[] {
  const scored: Scored[] = [];
  for (const { id, vector } of documents) scored.push({ id, score: scoreOf(query, vector) });
  return scored.sort((a, b) => b.score - a.score);
}

const tolerance = 1e-5;

/**
 * What is wrong, in words, with the hits of a search over these documents; undefined when nothing is. An approximate one may
 * miss neighbours, but must return min(k, documents) different ones, best first, each with its true score.
 */
export function searchFault(
  hits: readonly Scored[],
  scored: readonly Scored[],
  k: number,
  exact: boolean,
): string | undefined {
  const wanted = Math.min(k, scored.length);
  if (hits.length !== wanted) return `${hits.length} hits instead of ${wanted}`;
  const scores = new Map(scored.map(({ id, score }) => [id, score]));
  if (new Set(hits.map(({ id }) => id)).size !== hits.length) return 'a document is found twice';
  for (const [rank, { id, score }] of hits.entries()) {
    const known = scores.get(id);
    if (known === undefined) return `hit ${rank} is ${describeId(id)}, which should not be found`;
    if (!near(score, known)) return `hit ${rank} (${describeId(id)}) has score ${score} instead of ${known}`;
    const before = hits[rank - 1];
    if (before !== undefined && before.score < score) return `hit ${rank} is better than the one before`;
    const best = scored[rank] as Scored;
    if (exact && !near(score, best.score)) return `hit ${rank} has score ${score}, but ${best.score} is there`;
  }
  return undefined;
}

/** How many of the hits are as good as the true ones: recall that does not care how equals are ordered. */
export function goodHits(hits: readonly Scored[], scored: readonly Scored[], k: number): number {
  const worst = scored[Math.min(k, scored.length) - 1]?.score ?? Number.NEGATIVE_INFINITY;
  return hits.filter(({ score }) => score >= worst - tolerance * Math.max(1, Math.abs(worst))).length;
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
}

function describeId(id: DocumentId): string {
  return JSON.stringify(id);
}
