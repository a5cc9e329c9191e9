/** A document by its key, with a score of which large is good. */
export interface Ranked {
  readonly key: number;
  readonly score: number;
}

/** Best first; equal scores by key, so that the order never depends on chance. */
export function byRank(a: Ranked, b: Ranked): number {
  return b.score - a.score || a.key - b.key;
}
