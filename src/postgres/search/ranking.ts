import type { StoredDocument } from '../../backend/documents.js';
import type { RankBoost, RankedDocuments, RankQuery, TermStatistics } from '../../backend/read-snapshot.js';
import { type Candidate, evidenceOf, rankCandidates } from '../../ranking/fused-candidates.js';
import type { BoostFactors } from './boosts.js';
import type { Selection } from './selection.js';
import type { TextHit } from './term-scores.js';
import type { TextQuery, WeightedTerms } from './text-query.js';
import type { TextSearch } from './text-search.js';
import type { LikelyDocuments, VectorEffort, VectorMetric, VectorSearch } from './vector-search.js';

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
const maxLikelyReads = 64;
/**
 * Documents that are read along the way for each one that is to be read, documents of which the part of the text is known before for each
 * candidate, and what others have of the part of the last one. With these, 9 of 10 questions about 100,000 paragraphs need no further reading.
 */
const [likelyPerRead, knownPerCandidate, laterShare] = [1.4, 4, 0.75];

/** A candidate of which not everything is known yet. */
type OpenCandidate = { -readonly [Name in keyof Candidate]: Candidate[Name] };

/**
 * The best documents of one query, by the rules of native/kernel/search/block_search.cpp: by vector in the order of distances, by text in
 * that of BM25; by both, the `depth` best candidates of either side, each scored by both sides and fused.
 */
export async function rankQuery(
  context: RankingContext,
  query: RankQuery,
  terms: TextQuery | undefined,
): Promise<RankedQuery> {
  const { k, factors } = context;
  const weighted = terms?.weigh(context.statistics);
  if (context.skipsMissing && weighted !== undefined && weighted.missingTerms > 0) return skipped(weighted);
  const isDeep = query.vector !== undefined && (weighted !== undefined || factors !== undefined);
  const depth = isDeep ? context.depth : k;
  const isFused = query.vector !== undefined && weighted !== undefined;
  const isReadLikely = context.reads > 0 && context.reads <= maxLikelyReads && factors === undefined;
  const known = isFused && isReadLikely && !context.selection.needsDocuments ? knownPerCandidate * depth : depth;
  const { hits: knownHits, best } = weighted === undefined ? noHits : await textHits(context, weighted, known);
  const hits = knownHits.slice(0, depth);
  const evidence = isFused ? (context.evidence ?? evidenceOf(best, weighted.squaredWeight)) : 1;
  const likely = isReadLikely
    ? likelyDocuments(context, weighted, knownHits, { evidence, isFull: knownHits.length === known })
    : undefined;
  const near =
    query.vector &&
    (await context.vectors.nearest(query.vector, depth, context.selection, context.effort, {
      asked: hits.map(({ key }) => key),
      likely,
    }));
  const candidates = new Map<number, OpenCandidate>();
  for (const { key, distance } of near?.neighbors ?? []) candidates.set(key, newCandidate(key, distance));
  for (const { key, score } of hits) {
    const known = candidates.get(key) ?? newCandidate(key, Number.NaN);
    known.textScore = score;
    candidates.set(key, known);
  }
  const list = [...candidates.values()];
  if (near !== undefined && weighted !== undefined) {
    await complete(context, list, near.distances, weighted, hits.length >= depth);
  }
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
    isByVector: query.vector !== undefined,
    isByText: weighted !== undefined,
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
    documents: near?.documents ?? [],
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

/**
 * What shows which documents are likely to be among the best before distances are known: the part of the text in their scores. A document that
 * the terms rank later has less than the last one.
 */
function likelyDocuments(
  { reads, vectorWeight }: RankingContext,
  weighted: WeightedTerms | undefined,
  hits: readonly TextHit[],
  { evidence, isFull }: { readonly evidence: number; readonly isFull: boolean },
): LikelyDocuments {
  if (weighted === undefined) return { count: reads, weight: 1, keys: [], parts: [], otherPart: 0 };
  const share = weighted.maxScore > 0 ? ((1 - vectorWeight) * evidence) / weighted.maxScore : 0;
  const parts = hits.map(({ score }) => Number((score * share).toFixed(4)));
  return {
    count: Math.ceil(likelyPerRead * reads),
    weight: vectorWeight,
    keys: hits.map(({ key }) => key),
    parts,
    otherPart: isFull ? laterShare * (parts.at(-1) ?? 0) : 0,
  };
}

function newCandidate(key: number, distance: number): OpenCandidate {
  return { key, distance, textScore: 0, factor: 1 };
}

/** Documents that the terms found, best first, and the highest BM25 that any document has. */
interface TextHits {
  readonly hits: readonly TextHit[];
  readonly best: number;
}

const noHits: TextHits = { hits: [], best: 0 };

/** The best documents by text, by their score times their factor. */
async function textHits(
  { text, statistics, selection, factors, signal }: RankingContext,
  weighted: WeightedTerms,
  limit: number,
): Promise<TextHits> {
  const query = { weighted, sizes: statistics, selection, signal };
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

/** Gives each candidate the score of the side that did not find it. */
async function complete(
  { text, statistics }: RankingContext,
  candidates: readonly OpenCandidate[],
  distances: ReadonlyMap<number, number>,
  weighted: WeightedTerms,
  hasMoreTerms: boolean,
): Promise<void> {
  // Where the terms found fewer documents than they were asked for, no other one has any.
  const unscored = hasMoreTerms ? candidates.filter(({ textScore }) => textScore === 0).map(({ key }) => key) : [];
  const scores = unscored.length === 0 ? new Map() : await text.scores({ weighted, sizes: statistics }, unscored);
  for (const candidate of candidates) {
    if (Number.isNaN(candidate.distance)) candidate.distance = distances.get(candidate.key) ?? Number.NaN;
    candidate.textScore = scores.get(candidate.key) ?? candidate.textScore;
  }
}
