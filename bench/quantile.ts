/** The value below which a share of the values lies; NaN of none. */
export function quantile(values: Iterable<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Milliseconds in words, such as `p50 0.31 p99 1.20 ms`. */
export function quantiles(milliseconds: readonly number[], shares = [0.5, 0.9, 0.99]): string {
  const parts = shares.map((share) => `p${share * 100} ${quantile(milliseconds, share).toFixed(2)}`);
  return `${parts.join(' ')} ms`;
}
