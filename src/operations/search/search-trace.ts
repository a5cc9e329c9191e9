import type { SearchedSegment } from '../../store/snapshot/snapshot.js';

/** Stages of a search, in their order. */
export type SearchStage = 'embed' | 'filter' | 'vectors' | 'words' | 'lookup' | 'rerank';

/** Takes notes of a search for `explain`. */
export class SearchTrace {
  readonly parts: SearchedSegment[] = [];
  readonly milliseconds: Record<SearchStage, number> = {
    embed: 0,
    filter: 0,
    vectors: 0,
    words: 0,
    lookup: 0,
    rerank: 0,
  };
  /** Documents that share a word with the query, as far as the ranking was looked into. */
  matchingWords = 0;

  /** Adds the duration of some work to its stage. */
  async time<T>(stage: SearchStage, work: () => T | Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.milliseconds[stage] += performance.now() - began;
    }
  }
}
