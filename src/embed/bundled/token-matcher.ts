import { addon } from '../../addon/addon.js';
import type { TimeSlice } from '../../time-slice.js';
import type { StaticModel } from './static-model.js';

/** Similarities and nearness of the tokens of a query in passages; one row per passage, one column per token of the query. */
export interface TokenMatches {
  /** Highest cosine with a token of the passage. */
  readonly similarities: Float32Array;
  /** 1 / the least distance to an occurrence of the token before it in the query, in tokens; 0 where one does not occur. */
  readonly closeness: Float32Array;
}

/** Tokens of passages that are remembered: those of about 20 MB of text. Results do not depend on it. */
const maxKnownTokens = 2 ** 22;

/** Compares the tokens of a query with those of passages, by the token rows of a static model. */
export class TokenMatcher {
  readonly #model: StaticModel;
  readonly #table: Uint8Array;
  readonly #scales: Float32Array;
  readonly #lengths: Float32Array;
  /** Tokens of passages that were compared lately: looking them up is faster than tokenizing. */
  readonly #known = new Map<string, Int32Array>();
  #knownTokens = 0;

  /** @param model with 4-bit rows that native code reads, such as the packaged one. */
  constructor(model: StaticModel) {
    const rows = model.table.nativeRows();
    if (rows?.isInt4 !== true) throw new TypeError('expected a table of 4-bit rows');
    this.#model = model;
    this.#table = rows.table;
    this.#scales = rows.scales;
    this.#lengths = new Float32Array(rows.scales.length);
  }

  /** The known tokens at the beginning of a text, about `max` at most. */
  tokensOf(text: string, max: number): number[] {
    const { tokenizer } = this.#model;
    const ids: number[] = [];
    for (let position = 0; position < text.length && ids.length < max; ) position = tokenizer.step(text, position, ids);
    return ids.filter((id) => id !== tokenizer.unknown);
  }

  /** The same for a passage, which other queries are likely to be compared with as well; in slices, never more than `max`. */
  async passageTokensOf(
    text: string,
    max: number,
    slice: TimeSlice,
    signal: AbortSignal | undefined,
  ): Promise<Int32Array> {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const { tokenizer } = this.#model;
    const ids: number[] = [];
    for (let position = 0; position < text.length && ids.length < max; ) {
      position = tokenizer.step(text, position, ids);
      if (slice.due()) await slice.yieldIfDue(signal);
    }
    const tokens = Int32Array.from(ids.filter((id) => id !== tokenizer.unknown).slice(0, max));
    if (this.#knownTokens + tokens.length > maxKnownTokens) {
      this.#known.clear();
      this.#knownTokens = 0;
    }
    // Another search may have read the same text meanwhile.
    if (!this.#known.has(text)) this.#knownTokens += tokens.length;
    this.#known.set(text, tokens);
    return tokens;
  }

  match(query: readonly number[], passages: readonly Int32Array[]): TokenMatches {
    const pairs = query.length * passages.length;
    const [similarities, closeness] = [new Float32Array(pairs), new Float32Array(pairs)];
    const ends = new Uint32Array(passages.length);
    let total = 0;
    for (const [place, tokens] of passages.entries()) {
      total += tokens.length;
      ends[place] = total;
    }
    const tokens = new Int32Array(total);
    for (const [place, own] of passages.entries()) tokens.set(own, place === 0 ? 0 : ends[place - 1]);
    const asked = Int32Array.from(query);
    addon().matchTokens(this.#table, this.#scales, this.#lengths, asked, tokens, ends, similarities, closeness);
    return { similarities, closeness };
  }
}
