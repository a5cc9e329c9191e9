/** A factor that follows from a value: see `RankBoost`. */
export type ValueFactor =
  | { readonly by: 'decay'; readonly halfLife: number; readonly now: number }
  | { readonly by: 'saturation'; readonly scale: number; readonly factor: number };

/** Products of factors lie between 2^-512 and 2^512, as in native/kernel/factors/item_factors.h. */
export function boundedFactor(product: number): number {
  return Math.min(2 ** 512, Math.max(2 ** -512, product));
}

/** The factor of a document with this value, NaN for none. */
export function factorOf(boost: ValueFactor, value: number): number {
  if (Number.isNaN(value)) return 1;
  if (boost.by === 'decay') return 2 ** (-Math.max(0, boost.now - value) / boost.halfLife);
  return value > 0 ? 1 + (boost.factor - 1) * (value / (value + boost.scale)) : 1;
}
