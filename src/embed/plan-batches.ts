/** What one call of a provider may carry. */
export interface BatchLimits {
  /** Most texts per call; at least 1. */
  readonly size: number;
  /** Most tokens per call over all its texts. Absent: no limit. */
  readonly tokens?: number | undefined;
}

/** Texts `start` up to but without `end` go into one call. */
export interface BatchRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts `count` texts into consecutive ranges that respect the limits, each as full as it can be. A single text over
 * the token limit gets a range of its own: whether it is acceptable is for the provider to say.
 */
export function planBatches(count: number, limits: BatchLimits, tokensOf?: ArrayLike<number>): BatchRange[] {
  const ranges: BatchRange[] = [];
  const maxTokens = limits.tokens ?? Number.POSITIVE_INFINITY;
  let start = 0;
  let tokens = 0;
  for (let index = 0; index < count; index++) {
    const own = tokensOf?.[index] ?? 0;
    if (index > start && (index - start >= limits.size || tokens + own > maxTokens)) {
      ranges.push({ start, end: index });
      start = index;
      tokens = 0;
    }
    tokens += own;
  }
  if (count > start) ranges.push({ start, end: count });
  return ranges;
}
