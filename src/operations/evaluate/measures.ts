import type { DocumentId, RankingMeasure } from '../../types.js';

/** All measures, in the order of tables. */
export const rankingMeasures = ['ndcg', 'recall', 'mrr', 'hitRate', 'precision', 'map'] as const;

/** Grades of the judged documents of a question; those that are absent have grade 0. */
export type Grades = ReadonlyMap<DocumentId, number>;

/**
 * The measures of one result list, cut off after `k` documents, as trec_eval defines them: `ndcg_cut`, `recall`, `recip_rank` of
 * the first `k`, `success`, `P` and `map_cut`. A grade above 0 is relevant; gains of nDCG are the grades, discounts 1 / log2(rank + 1)
 * (Järvelin, Kekäläinen 2002).
 *
 * @param found ids, best first, without repetition.
 */
export function measuresOf(found: readonly DocumentId[], grades: Grades, k: number): Record<RankingMeasure, number> {
  const ideal = [...grades.values()].filter((grade) => grade > 0).sort((a, b) => b - a);
  const relevant = ideal.length;
  let [gain, hits, precisions, first] = [0, 0, 0, 0];
  for (const [place, id] of found.slice(0, k).entries()) {
    const grade = grades.get(id) ?? 0;
    if (grade <= 0) continue;
    const rank = place + 1;
    gain += grade / Math.log2(rank + 1);
    hits++;
    precisions += hits / rank;
    if (first === 0) first = rank;
  }
  const idealGain = ideal.slice(0, k).reduce((sum, grade, place) => sum + grade / Math.log2(place + 2), 0);
  const share = (value: number, of: number): number => (of === 0 ? 0 : value / of);
  return {
    ndcg: share(gain, idealGain),
    recall: share(hits, relevant),
    mrr: share(1, first),
    hitRate: hits > 0 ? 1 : 0,
    precision: hits / k,
    map: share(precisions, relevant),
  };
}
