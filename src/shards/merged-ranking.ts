import type { RankedDocument, RankedDocuments, RankQuery, RankSearch } from '../backend/read-snapshot.js';
import { greatestFactorOf, rankCandidates } from '../ranking/fused-candidates.js';
import type { Metric } from '../types.js';
import { distanceSign } from '../vectors/metric.js';

/** What all queries of a search are ranked by. */
export interface RankingSpace {
  readonly metric: Metric;
  readonly dimensions: number;
}

/** What each shard has to be asked for, so that all candidates of the whole index are among its hits. */
export function hitsOfShards({ queries, k, depth, boosts }: Omit<RankSearch, 'within'>): number {
  const isDeep = queries.some((query) => query.vector !== undefined && (isByText(query) || boosts !== undefined));
  return isDeep ? Math.max(k, 2 * depth) : k;
}

/**
 * The ranking of a query from those of all shards, which have the statistics of the whole index. The candidates of one index are chosen
 * among the candidates of the shards, which are scored by both sides, and fused as there.
 */
export function mergedRanking(
  query: RankQuery,
  lists: readonly RankedDocuments[],
  { k, depth: wanted, vectorWeight = 1 / 3, boosts }: Omit<RankSearch, 'queries' | 'within'>,
  { metric, dimensions }: RankingSpace,
): RankedDocuments {
  const maxTextScore = Math.max(...lists.map((list) => list.maxTextScore));
  const missingTerms = Math.max(...lists.map((list) => list.missingTerms));
  // A shard with the best document by text has the greatest; a given one is that of all shards.
  const evidence = Math.max(...lists.map((list) => list.evidence));
  if (lists.some(({ isSkipped }) => isSkipped === true)) {
    const skipped = { ranked: [], similarityScale: 1, isSkipped: true, isComplete: false };
    return { ...skipped, maxTextScore, missingTerms, evidence };
  }
  const all = lists.flatMap(({ ranked }) => ranked);
  const [isByVector, hasTerms] = [query.vector !== undefined, isByText(query)];
  const depth = isByVector && (hasTerms || boosts !== undefined) ? wanted : k;
  const near = isByVector ? nearest(all, metric).slice(0, depth) : [];
  const hits = hasTerms ? bestByText(all).slice(0, depth) : [];
  const candidates = new Map([...near, ...hits].map((candidate) => [candidate.key, candidate]));
  const found = rankCandidates([...candidates.values()], {
    metric,
    dimensions,
    k,
    depth,
    isByVector,
    isByText: hasTerms,
    vectorWeight,
    maxTextScore,
    evidence,
    greatestFactor: boosts && greatestFactorOf(boosts),
    near,
    hits,
  });
  return { ...found, maxTextScore, missingTerms, evidence };
}

function isByText({ text, terms }: RankQuery): boolean {
  return text !== undefined || terms !== undefined;
}

function nearest(documents: readonly RankedDocument[], metric: Metric): RankedDocument[] {
  const sign = distanceSign(metric);
  const near = documents.filter(({ distance }) => !Number.isNaN(distance));
  return near.sort((a, b) => sign * (a.distance - b.distance) || a.key - b.key);
}

function bestByText(documents: readonly RankedDocument[]): RankedDocument[] {
  const hits = documents.filter(({ textScore }) => textScore > 0);
  return hits.sort((a, b) => b.textScore * b.factor - a.textScore * a.factor || a.key - b.key);
}
