import { type CountTokens, type Metadata, SemanticIndexError } from '../../index.js';
import type { Json } from '../../types.js';

/** The most tokens of an answer: clients refuse larger ones. */
export const largestBudget = 25_000;
/** The fewest: below, an id and a few words would not fit. */
export const smallestBudget = 300;

/** Characters of a text value of metadata that an answer repeats. */
const longestValue = 300;

/** How large one answer may be, as JSON. */
export class AnswerBudget {
  readonly maxTokens: number;
  readonly #countTokens: CountTokens;

  constructor(maxTokens: number, countTokens: CountTokens) {
    this.maxTokens = maxTokens;
    this.#countTokens = countTokens;
  }

  /** Tokens of a value as JSON. */
  tokensOf(value: unknown): number {
    return this.#countTokens(JSON.stringify(value));
  }

  /** Tokens of a text within JSON: quotes, line ends and backslashes are escaped there. */
  readonly tokensOfText = (text: string): number => this.#countTokens(JSON.stringify(text));

  holds(answer: unknown): boolean {
    return this.tokensOf(answer) <= this.maxTokens;
  }

  /** As many of the first items as fit beside the rest of an answer. */
  firstThatFit<T>(items: readonly T[], rest: unknown): T[] {
    let free = this.maxTokens - this.tokensOf(rest);
    const end = items.findIndex((item) => {
      free -= this.tokensOf(item) + 1;
      return free < 0;
    });
    return end < 0 ? [...items] : items.slice(0, end);
  }

  /** Metadata within a number of tokens: long values are shortened, and what does not fit is named in `omitted`. */
  metadata(metadata: Metadata, maxTokens: number): { readonly metadata: Metadata; readonly omitted?: string[] } {
    const kept: Record<string, Json> = {};
    const omitted: string[] = [];
    let free = maxTokens;
    for (const [name, value] of Object.entries(metadata)) {
      const isLong = typeof value === 'string' && value.length > longestValue;
      const short = isLong ? `${value.slice(0, longestValue)}…` : value;
      // Counting a large object would take longer than leaving it out.
      const cost = isLarge(short, maxTokens * 16) ? Number.POSITIVE_INFINITY : this.tokensOf({ [name]: short });
      if (cost > free) {
        omitted.push(name.slice(0, longestValue));
        continue;
      }
      free -= cost;
      kept[name] = short as Json;
    }
    if (omitted.length === 0) return { metadata: kept };
    const more = omitted.length - 10;
    return { metadata: kept, omitted: more > 0 ? [...omitted.slice(0, 10), `${more} more`] : omitted };
  }

  /** @throws TOO_LARGE: an answer with the least content exceeds the budget. */
  refuse(what: string): never {
    throw new SemanticIndexError('TOO_LARGE', `${what} does not fit into ${this.maxTokens} tokens`, {
      hint: `Pass a larger maxTokens, at most ${largestBudget}.`,
    });
  }
}

/** Whether a value has more than so many characters and members; stops as soon as it has. */
function isLarge(value: unknown, limit: number): boolean {
  let size = 0;
  const measure = (one: unknown): boolean => {
    size += typeof one === 'string' ? one.length + 2 : 8;
    if (size > limit) return true;
    return (
      typeof one === 'object' &&
      one !== null &&
      Object.entries(one).some(([name, inner]) => {
        size += name.length;
        return measure(inner);
      })
    );
  };
  return measure(value);
}
