import { wordOfTerm } from '../../../analysis/exact-forms.js';
import type { RankBoost, RankedDocument, RankQuery, ReadSnapshot } from '../../../backend/read-snapshot.js';
import { instantOf } from '../../../columns/instant.js';
import type { ResolvedSearchOptions } from '../../../options.js';
import { factorOf } from '../../../ranking/boost-factor.js';
import { termsOfText } from '../../../ranking/query-terms.js';
import type { HitExplanation, Metric } from '../../../types.js';
import { scoreOf } from '../../../vectors/metric.js';
import { defaultVectorWeight } from '../stored-weights.js';

/** A document as it was ranked, with what its score was made of. */
export interface RankedFacts {
  readonly document: RankedDocument;
  readonly maxTextScore: number;
  readonly evidence: number;
  readonly similarityScale: number;
}

/** What hits are explained by. */
export interface ExplainRequest {
  readonly query: RankQuery;
  readonly options: Pick<ResolvedSearchOptions, 'exact' | 'searchK' | 'vectorWeight' | 'signal'>;
  readonly boosts: readonly RankBoost[] | undefined;
  readonly metric: Metric;
  /** Scores by words alone are shares of their upper bound. */
  readonly isDegraded: boolean;
}

/** Places of a ranking that are looked at. */
const readPlaces = 100;

/** The parts of the scores of documents, by key. Reads the snapshot again: for explanations, not for every search. */
export async function explainHits(
  snapshot: ReadSnapshot,
  facts: ReadonlyMap<number, RankedFacts>,
  keys: readonly number[],
  { query, options, boosts, metric, isDegraded }: ExplainRequest,
): Promise<Map<number, HitExplanation>> {
  const { text, vector } = query;
  const words = text === undefined ? undefined : termsOfText(text, snapshot.languages);
  const wordScores = words && (await snapshot.termScores(words, keys));
  const isBoth = text !== undefined && vector !== undefined;
  const placesOf = async (alone: RankQuery): Promise<Map<number, number>> => {
    const { exact, searchK, signal } = options;
    const search = { queries: [alone], k: readPlaces, depth: readPlaces, exact, searchK, signal };
    const [list] = await snapshot.rank(search);
    return new Map(list?.ranked.map(({ key }, place) => [key, place + 1]));
  };
  const byVector = vector === undefined ? undefined : await placesOf({ vector });
  const byWords = text === undefined ? undefined : await placesOf({ text });
  const factors = await Promise.all((boosts ?? []).map((boost) => factorsOf(boost, snapshot, keys)));
  const weight = isBoth ? (options.vectorWeight ?? defaultVectorWeight) : vector === undefined ? 0 : 1;
  const explained = new Map<number, HitExplanation>();
  for (const [place, key] of keys.entries()) {
    const known = facts.get(key);
    if (known === undefined) continue;
    const { document, maxTextScore, evidence, similarityScale } = known;
    const hasVector = vector !== undefined && !Number.isNaN(document.distance);
    const similarity = hasVector ? scoreOf(metric, document.distance, snapshot.space.dimensions) : undefined;
    const share = maxTextScore > 0 ? document.textScore / maxTextScore : 0;
    const [ofVector, ofWords] = [byVector?.get(key), byWords?.get(key)];
    const found = words?.flatMap(({ forms: [term] }, number) => {
      const score = wordScores?.[number]?.[place] as number;
      return score > 0 ? [{ word: wordOfTerm(term as string), score }] : [];
    });
    const rest = document.textScore - (found?.reduce((sum, { score }) => sum + score, 0) ?? 0);
    if (Math.abs(rest) > 1e-6 * Math.max(1, document.textScore)) found?.push({ word: '', score: rest });
    explained.set(key, {
      ...(similarity !== undefined && { similarity }),
      similarityPart: ((similarity ?? 0) * weight) / (isBoth ? similarityScale : 1),
      ...(text !== undefined && { bm25: document.textScore, words: found ?? [] }),
      ...(isBoth && { evidence }),
      wordsPart: isBoth ? (1 - weight) * evidence * share : isDegraded ? Math.min(1, share) : document.textScore,
      ranks: { ...(ofVector !== undefined && { vector: ofVector }), ...(ofWords !== undefined && { words: ofWords }) },
      boost: document.factor,
      ...(boosts !== undefined && { boosts: factors.map((ofKeys) => ofKeys[place] as number) }),
    });
  }
  return explained;
}

async function factorsOf(boost: RankBoost, snapshot: ReadSnapshot, keys: readonly number[]): Promise<number[]> {
  if (boost.by === 'filter') {
    const matches = await snapshot.whichMatch(boost.filter, keys);
    return matches.map((isMatch) => (isMatch ? boost.factor : 1));
  }
  const groups = await snapshot.field(boost.field).groupsOf(keys);
  return groups.map((group) => {
    const values = group === undefined ? [] : (JSON.parse(group) as (string | number | boolean)[]);
    const instants = values.map(instantOf).filter((value) => !Number.isNaN(value));
    return factorOf(boost, instants.length === 0 ? Number.NaN : Math.max(...instants));
  });
}
