import { setImmediate } from 'node:timers/promises';
import type { StoredDocument } from '../../backend/documents.js';
import type { KeyedNeighbor, RankBoost, RankedDocuments, RankQuery } from '../../backend/read-snapshot.js';
import { type Candidate, evidenceOf, rankCandidates } from '../../ranking/fused-candidates.js';
import type { BoostFactors } from './boosts.js';
import type { Selection } from './selection.js';
import type { TextHit } from './term-scores.js';
import type { WeightedTerms } from './text-query.js';
import type { ScoredQuery, TextSearch } from './text-search.js';
import type { DocumentComparison, VectorEffort, VectorMetric, VectorSearch } from './vector-search.js';

/** What rankings of one search share. */
export interface RankingContext {
  readonly text: TextSearch;
  readonly vectors: VectorSearch;
  readonly metric: VectorMetric;
  readonly dimensions: number;
  readonly selection: Selection;
  readonly boosts: readonly RankBoost[] | undefined;
  readonly factors: BoostFactors | undefined;
  readonly k: number;
  readonly depth: number;
  /** Documents that will be read. */
  readonly reads: number;
  /** Whether a query with terms that no document has is skipped. */
  readonly skipsMissing: boolean;
  readonly effort: VectorEffort;
  /** Share of the similarity in a fused score. */
  readonly vectorWeight: number;
  /** What another search found. */
  readonly evidence: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What was found for a query. */
export interface RankedQuery extends RankedDocuments {
  /** Whether every vector was compared; undefined where none was. */
  readonly isExact: boolean | undefined;
  /** Documents that were read along the way. */
  readonly documents: readonly StoredDocument[];
}

/** Most documents to be read that are read along the way. */
const maxReads = 64;

/** A candidate of which not everything is known yet. */
type OpenCandidate = { -readonly [Name in keyof Candidate]: Candidate[Name] };

/**
 * The best documents of one query, by the rules of native/kernel/search/block_search.cpp: by vector in the order of distances, by text in
 * that of BM25; by both, the `depth` best candidates of either side, each scored by both sides and fused. While the server looks for the
 * nearest vectors, this process reads and ranks the terms, and has what they found compared, too.
 *
 * @param weigh reads the terms of the query.
 */
export async function rankQuery(
  context: RankingContext,
  { vector, text, terms }: RankQuery,
  weigh: () => Promise<ScoredQuery>,
): Promise<RankedQuery> {
  const { k, factors, selection, effort } = context;
  const isByText = text !== undefined || terms !== undefined;
  const isFused = vector !== undefined && isByText;
  const depth = isFused || (vector !== undefined && factors !== undefined) ? context.depth : k;
  const reads = factors === undefined && context.reads <= maxReads ? context.reads : 0;
  const comparing = vector && context.vectors.nearest({ vector, limit: depth, selection, effort, reads });
  // Its error is thrown below.
  comparing?.catch(() => {});
  // The statement is on its way before this thread is busy.
  if (isFused) await setImmediate();
  const query = isByText ? await weigh() : undefined;
  const weighted = query?.weighted;
  if (context.skipsMissing && weighted !== undefined && weighted.missingTerms > 0) return skipped(weighted);
  const { hits, best } = query === undefined ? noHits : await textHits(context, query, depth);
  const evidence = weighted && isFused ? (context.evidence ?? evidenceOf(best, weighted.squaredWeight)) : 1;
  const comparingHits =
    weighted && isFused && hits.length > 0
      ? context.vectors.compare(vector, comparisonOf(context, hits, weighted, evidence, reads))
      : undefined;
  const [near, compared] = await Promise.all([comparing, comparingHits]);
  const list = candidatesOf(near?.neighbors ?? [], hits, compared?.distances);
  // Where the terms found fewer documents than they were asked for, no other one has any.
  if (query && isFused && hits.length >= depth) await scoreByText(context, list, query);
  if (factors !== undefined) {
    const own = await factors.of(list.map(({ key }) => key));
    for (const [place, candidate] of list.entries()) candidate.factor = own[place] as number;
  }
  const factorOf = new Map(list.map(({ key, factor }) => [key, factor]));
  const found = rankCandidates(list, {
    metric: context.metric,
    dimensions: context.dimensions,
    k,
    depth,
    isByVector: vector !== undefined,
    isByText,
    vectorWeight: context.vectorWeight,
    maxTextScore: weighted?.maxScore ?? 0,
    evidence,
    greatestFactor: factors?.greatest,
    near: near?.neighbors ?? [],
    hits: hits.map(({ key, score }) => ({ textScore: score, factor: factorOf.get(key) ?? 1 })),
  });
  return {
    ...found,
    maxTextScore: weighted?.maxScore ?? 0,
    missingTerms: weighted?.missingTerms ?? 0,
    evidence,
    isExact: near?.isExact,
    documents: [...(near?.documents ?? []), ...(compared?.documents ?? [])],
  };
}

function skipped({ maxScore, missingTerms }: WeightedTerms): RankedQuery {
  return {
    ranked: [],
    maxTextScore: maxScore,
    missingTerms,
    evidence: 1,
    isSkipped: true,
    similarityScale: 1,
    isComplete: false,
    isExact: undefined,
    documents: [],
  };
}

function candidatesOf(
  neighbors: readonly KeyedNeighbor[],
  hits: readonly TextHit[],
  distances: ReadonlyMap<number, number> | undefined,
): OpenCandidate[] {
  const candidates = new Map<number, OpenCandidate>();
  for (const { key, distance } of neighbors) candidates.set(key, { key, distance, textScore: 0, factor: 1 });
  for (const { key, score } of hits) {
    const known = candidates.get(key);
    if (known !== undefined) known.textScore = score;
    else candidates.set(key, { key, distance: distances?.get(key) ?? Number.NaN, textScore: score, factor: 1 });
  }
  return [...candidates.values()];
}

/** Documents that the terms found, best first, and the highest BM25 that any document has. */
interface TextHits {
  readonly hits: readonly TextHit[];
  readonly best: number;
}

const noHits: TextHits = { hits: [], best: 0 };

/** The best documents by text, by their score times their factor. */
async function textHits(
  { text, selection, factors, signal }: RankingContext,
  scored: ScoredQuery,
  limit: number,
): Promise<TextHits> {
  const query = { ...scored, selection, signal };
  if (factors === undefined) {
    const hits = await text.best(query, limit);
    return { hits, best: hits[0]?.score ?? 0 };
  }
  const all = await text.all(query);
  const own = await factors.of(all.map(({ key }) => key));
  const hits = all
    .map((hit, place) => ({ hit, score: hit.score * (own[place] as number) }))
    .sort((a, b) => b.score - a.score || a.hit.key - b.hit.key)
    .slice(0, limit)
    .map(({ hit }) => hit);
  return { hits, best: all.reduce((most, { score }) => Math.max(most, score), 0) };
}

/** Gives the candidates that the terms did not find their BM25. */
async function scoreByText(
  { text }: RankingContext,
  candidates: readonly OpenCandidate[],
  query: ScoredQuery,
): Promise<void> {
  const unscored = candidates.filter(({ textScore }) => textScore === 0).map(({ key }) => key);
  if (unscored.length === 0) return;
  const scores = await text.scores(query, unscored);
  for (const candidate of candidates) candidate.textScore = scores.get(candidate.key) ?? candidate.textScore;
}

/** What the terms found, with what it has of its scores before it is compared. */
function comparisonOf(
  { vectorWeight }: RankingContext,
  hits: readonly TextHit[],
  { maxScore }: WeightedTerms,
  evidence: number,
  reads: number,
): DocumentComparison {
  const share = maxScore > 0 ? ((1 - vectorWeight) * evidence) / maxScore : 0;
  return {
    keys: hits.map(({ key }) => key),
    parts: hits.map(({ score }) => Number((score * share).toFixed(6))),
    weight: vectorWeight,
    reads,
  };
}
