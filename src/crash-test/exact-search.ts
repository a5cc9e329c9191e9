import type { DocumentId } from '../types.js';
import { cosine } from '../vectors/metric.js';

/** A document and its score for a query. */
export interface Scored {
  readonly id: DocumentId;
  readonly score: number;
}

/** Score of two vectors, as `Hit.score` defines it for a metric: larger is nearer. */
export type ScoreFunction = (a: Float32Array, b: Float32Array) => number;

/** Scores every document, best first: the reference for all searches. */
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
 * Describes what is wrong with the hits of a search over these documents, or returns undefined. An approximate search may miss
 * neighbors, but must return min(k, documents) different documents, best first, each with its exact score.
 */
export function searchFault(
  hits: readonly Scored[],
  scored: readonly Scored[],
  k: number,
  exact: boolean,
): string | undefined {
  const wanted = Math.min(k, scored.length);
  if (hits.length !== wanted) return `expected ${wanted} hits, got ${hits.length}`;
  const scores = new Map(scored.map(({ id, score }) => [id, score]));
  if (new Set(hits.map(({ id }) => id)).size !== hits.length) return 'a document occurs twice in the hits';
  for (const [rank, { id, score }] of hits.entries()) {
    const known = scores.get(id);
    if (known === undefined) return `hit ${rank} is ${describeId(id)}, which does not match`;
    if (!near(score, known)) return `hit ${rank} (${describeId(id)}) has score ${score}, expected ${known}`;
    const before = hits[rank - 1];
    if (before !== undefined && before.score < score) return `hit ${rank} has a higher score than the hit before it`;
    const best = scored[rank] as Scored;
    if (exact && !near(score, best.score)) return `hit ${rank} has score ${score}, expected ${best.score}`;
  }
  return undefined;
}

/** Counts the hits that score as high as the exact ones: recall that ignores the order of ties. */
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
