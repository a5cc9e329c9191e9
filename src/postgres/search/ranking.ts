import type { RankBoost, RankedDocument, RankedDocuments, RankQuery } from '../../backend/read-snapshot.js';
import { scoreOf } from '../../vectors/metric.js';
import type { BoostFactors } from './boosts.js';
import type { Selection } from './selection.js';
import type { TextHit } from './term-scores.js';
import { type Bm25, bm25Of, type TermStatistics, type TextQuery, type WeightedTerms } from './text-query.js';
import type { TextSearch } from './text-search.js';
import type { FoundNeighbors, VectorEffort, VectorMetric, VectorSearch } from './vector-search.js';

/** What rankings of one search share. */
export interface RankingContext {
  readonly text: TextSearch;
  readonly vectors: VectorSearch;
  readonly statistics: TermStatistics;
  readonly metric: VectorMetric;
  readonly dimensions: number;
  readonly selection: Selection;
  readonly boosts: readonly RankBoost[] | undefined;
  readonly factors: BoostFactors | undefined;
  readonly k: number;
  readonly depth: number;
  readonly effort: VectorEffort;
  /** Share of the similarity in a fused score. */
  readonly vectorWeight: number;
}

/** A document that one side has found. */
interface Candidate {
  readonly key: number;
  distance: number;
  textScore: number;
  factor: number;
  score: number;
}

/** More than what a product and a quotient lose by rounding. */
const rounding = 1e-9;

/**
 * The best documents of one query, by the rules of native/kernel/search/block_search.cpp: by vector in the order of distances, by text in
 * that of BM25; by both, the `depth` best candidates of either side, each scored by both sides and fused.
 */
export async function rankQuery(
  context: RankingContext,
  query: RankQuery,
  terms: TextQuery | undefined,
): Promise<RankedDocuments & { readonly isExact: boolean | undefined }> {
  const { k, factors } = context;
  const weighted = terms?.weigh(context.statistics);
  const isDeep = query.vector !== undefined && (weighted !== undefined || factors !== undefined);
  const depth = isDeep ? Math.max(context.depth, k) : k;
  const near = query.vector && (await context.vectors.nearest(query.vector, depth, context.selection, context.effort));
  const bm25 = weighted && bm25Of(context.statistics, weighted.total);
  const hits = weighted && bm25 ? await textHits(context, weighted, bm25, depth) : [];
  const candidates = new Map<number, Candidate>();
  for (const { key, distance } of near?.neighbors ?? []) candidates.set(key, newCandidate(key, distance));
  for (const { key, score } of hits) {
    const known = candidates.get(key) ?? newCandidate(key, Number.NaN);
    known.textScore = score;
    candidates.set(key, known);
  }
  const list = [...candidates.values()];
  if (query.vector !== undefined && weighted !== undefined && bm25 !== undefined) {
    await complete(context, list, query.vector, weighted, bm25, hits.length >= depth);
  }
  if (factors !== undefined) {
    const own = await factors.of(list.map(({ key }) => key));
    for (const [place, candidate] of list.entries()) candidate.factor = own[place] as number;
  }
  return ranked(context, query, list, weighted, near, hits, depth);
}

function newCandidate(key: number, distance: number): Candidate {
  return { key, distance, textScore: 0, factor: 1, score: 0 };
}

/** The best documents by text, by their score times their factor. */
async function textHits(
  { text, selection, factors }: RankingContext,
  weighted: WeightedTerms,
  bm25: Bm25,
  limit: number,
): Promise<TextHit[]> {
  if (factors === undefined) return text.best(weighted, bm25, selection, limit);
  const all = await text.all(weighted, bm25, selection);
  const own = await factors.of(all.map(({ key }) => key));
  return all
    .map((hit, place) => ({ hit, score: hit.score * (own[place] as number) }))
    .sort((a, b) => b.score - a.score || a.hit.key - b.hit.key)
    .slice(0, limit)
    .map(({ hit }) => hit);
}

/** Gives each candidate the score of the side that did not find it. */
async function complete(
  { vectors, text }: RankingContext,
  candidates: readonly Candidate[],
  vector: Float32Array,
  weighted: WeightedTerms,
  bm25: Bm25,
  hasMoreTerms: boolean,
): Promise<void> {
  const far = candidates.filter(({ distance }) => Number.isNaN(distance)).map(({ key }) => key);
  // Where the terms found fewer documents than they were asked for, no other one has any.
  const unscored = hasMoreTerms ? candidates.filter(({ textScore }) => textScore === 0).map(({ key }) => key) : [];
  const distances = await vectors.distances(vector, far);
  const scores = unscored.length === 0 ? new Map() : await text.scores(weighted, bm25, unscored);
  for (const candidate of candidates) {
    candidate.distance = distances.get(candidate.key) ?? candidate.distance;
    candidate.textScore = scores.get(candidate.key) ?? candidate.textScore;
  }
}

function ranked(
  context: RankingContext,
  query: RankQuery,
  list: Candidate[],
  weighted: WeightedTerms | undefined,
  near: FoundNeighbors | undefined,
  hits: readonly TextHit[],
  depth: number,
): RankedDocuments & { readonly isExact: boolean | undefined } {
  const { metric, dimensions, k, vectorWeight, factors } = context;
  const maxTextScore = weighted?.maxScore ?? 0;
  const similarity = (distance: number): number => (Number.isNaN(distance) ? 0 : scoreOf(metric, distance, dimensions));
  const isFused = query.vector !== undefined && weighted !== undefined;
  let best = 1;
  if (isFused) for (const { distance } of list) best = Math.max(best, similarity(distance));
  const fused = (textScore: number, distance: number): number =>
    (1 - vectorWeight) * (maxTextScore > 0 ? textScore / maxTextScore : 0) +
    (vectorWeight * similarity(distance)) / best;
  let least = 0;
  if (isFused || factors !== undefined || query.vector === undefined) {
    for (const candidate of list) {
      const { textScore, distance, factor } = candidate;
      if (isFused) candidate.score = boosted(fused(textScore, distance), factor);
      else candidate.score = query.vector === undefined ? textScore * factor : boosted(similarity(distance), factor);
    }
    list.sort((a, b) => b.score - a.score || a.key - b.key);
  } else {
    // Ordered by distance: scores of great distances may be equal.
    for (const candidate of list) candidate.score = similarity(candidate.distance);
  }
  const kept = list.slice(0, k);
  least = kept.at(-1)?.score ?? 0;
  const isComplete = (): boolean => {
    if (query.vector === undefined || (weighted === undefined && factors === undefined)) return true;
    const neighbors = near?.neighbors ?? [];
    const hasMoreNeighbors = neighbors.length >= depth;
    const hasMoreTerms = weighted !== undefined && hits.length >= depth && hits.length > 0;
    if (!hasMoreNeighbors && !hasMoreTerms) return true;
    if (kept.length < k) return false;
    const last = hasMoreNeighbors ? (neighbors.at(-1)?.distance ?? Number.NaN) : Number.NaN;
    const near0 = weighted !== undefined ? fused(0, last) : hasMoreNeighbors ? similarity(last) : 0;
    const worstText = hits.at(-1);
    const lastText =
      worstText === undefined ? 0 : worstText.score * (list.find(({ key }) => key === worstText.key)?.factor ?? 1);
    const byTerms = hasMoreTerms ? fused(lastText, Number.NaN) : 0;
    return least > (byTerms + Math.max(0, near0) * (factors?.greatest ?? 1)) * (1 + rounding);
  };
  const result: RankedDocument[] = kept.map(({ key, score, textScore, distance, factor }) => ({
    key,
    // Fused scores are from 0 to 1.
    score: isFused ? Math.min(factor, Math.max(0, score)) : score,
    textScore,
    distance,
    factor,
  }));
  return {
    ranked: result,
    maxTextScore,
    missingTerms: weighted?.missingTerms ?? 0,
    similarityScale: best,
    isComplete: isComplete(),
    isExact: near?.isExact,
  };
}

/** A score with a factor: a negative one is divided, so that a larger factor always is better. */
function boosted(score: number, factor: number): number {
  return score >= 0 ? score * factor : score / factor;
}
