import type { CorrectedWord, SearchExplanation, SearchedPrefix, SearchedSegment } from '../../types.js';

/** Stages of a search, in their order. */
export type SearchStage = 'embed' | 'filter' | 'vectors' | 'words' | 'lookup' | 'rerank' | 'snippet';

/** Records how a search was done, if that is asked for: most searches are not timed. */
export class SearchTrace {
  readonly #isTimed: boolean;
  readonly segments: SearchedSegment[] = [];
  readonly milliseconds: Record<SearchStage, number> = {
    embed: 0,
    filter: 0,
    vectors: 0,
    words: 0,
    lookup: 0,
    rerank: 0,
    snippet: 0,
  };
  /** Documents that share a term with the query, as far as the ranking was read. */
  matchingWords = 0;
  /** Words that were replaced by similar ones. */
  readonly corrected: CorrectedWord[] = [];
  /** Prefixes, and what they were expanded to. */
  readonly prefixes: SearchedPrefix[] = [];

  constructor(isTimed: boolean) {
    this.#isTimed = isTimed;
  }

  explanation(): SearchExplanation {
    const { segments, matchingWords, milliseconds, corrected, prefixes } = this;
    return {
      exact: segments.every(({ exact }) => exact),
      segments,
      matchingWords,
      milliseconds,
      ...(corrected.length > 0 && { corrected }),
      ...(prefixes.length > 0 && { prefixes }),
    };
  }

  /** Forgets what was found, but not how long it took: it is searched for again. */
  restart(): void {
    this.matchingWords = 0;
    for (const list of [this.segments, this.corrected, this.prefixes]) list.length = 0;
  }

  /** Adds the duration of some work to its stage. */
  time<T>(stage: SearchStage, work: () => T | Promise<T>): T | Promise<T> {
    if (!this.#isTimed) return work();
    const began = performance.now();
    const result = work();
    if (result instanceof Promise) return this.#settled(stage, began, result);
    this.milliseconds[stage] += performance.now() - began;
    return result;
  }

  async #settled<T>(stage: SearchStage, began: number, result: Promise<T>): Promise<T> {
    try {
      return await result;
    } finally {
      this.milliseconds[stage] += performance.now() - began;
    }
  }
}
