/** Limits of one provider call. */
export interface BatchLimits {
  /** Max. texts per call; at least 1. */
  readonly size: number;
  /** Max. tokens per call, summed over its texts. Default: no limit. */
  readonly tokens?: number | undefined;
}

/** The texts of one call: from `start` up to, but not including, `end`. */
export interface BatchRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Splits `count` texts into consecutive ranges within the limits, each as full as possible. A single text over the
 * token limit gets its own range: the provider decides whether to accept it.
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
