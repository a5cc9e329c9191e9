/**
 * How much a token counts that a text repeats: BM25's saturation (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009),
 * with a fixed number of tokens instead of the mean length of a collection. A token that occurs c times in a text of n known tokens
 * has the weight c / (c + k1 * (1 - b + b * n / averageTokens)).
 */
export interface Saturation {
  /** 0: repeated tokens count once. The larger, the more they count. */
  readonly k1: number;
  /** How much a long text is held against its tokens, from 0 to 1. */
  readonly b: number;
  readonly averageTokens: number;
}

const maxK1 = 1000;

/** Reads `saturation` of a config.json: the parameters, or what is wrong with them. */
export function readSaturation(value: unknown): Saturation | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'saturation must be an object';
  const { k1, b, average_tokens: averageTokens, ...others } = value as Record<string, unknown>;
  const [other] = Object.keys(others);
  if (other !== undefined) return `saturation must not have "${other}"`;
  if (!isFrom(0, k1, maxK1)) return `saturation.k1 must be a number from 0 to ${maxK1}`;
  if (!isFrom(0, b, 1)) return 'saturation.b must be a number from 0 to 1';
  if (!isFrom(1, averageTokens, Number.MAX_SAFE_INTEGER)) return 'saturation.average_tokens must be a number from 1';
  return { k1, b, averageTokens };
}

/** The three parameters, as native code takes them and as they are hashed. */
export function saturationNumbers({ k1, b, averageTokens }: Saturation): Float64Array<ArrayBuffer> {
  return Float64Array.of(k1, b, averageTokens);
}

/** What is added to the occurrences of a token in the denominator. The order of the operations is that of native code (saturation.h). */
export function saturationStart({ k1, b, averageTokens }: Saturation, tokens: number): number {
  return k1 * (1 - b + (b * tokens) / averageTokens);
}

function isFrom(least: number, value: unknown, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}
