import type { PieceTable } from '../../analysis/piece-table.js';
import type { EmbeddedText, StaticModel } from './static-model.js';
import { charactersPerStep, wordsPerStep } from './word-tokenizer.js';

/** Number of words of a piece whose tokens depend on the text around it: more than a step has. */
const dependent = wordsPerStep + 1;
/** Not looked at yet. */
const unknown = 0xffff;

/**
 * Embeds texts with a static model as `StaticModel.embed` does, to the bit, and remembers the tokens of pieces of text: most words of a
 * text are not looked at again. For one thread.
 */
export class PieceEmbedder {
  readonly #model: StaticModel;
  readonly #table: PieceTable;
  readonly #isApplicable: boolean;
  #generation = -1;
  /** By the numbers of the table: words, and where the tokens begin and end in `#tokens`. */
  #words = new Uint16Array(0);
  #starts = new Uint32Array(0);
  #ends = new Uint32Array(0);
  #tokens = new Int32Array(4096);
  #used = 0;
  /** The tokens of the current text. */
  readonly #ids = new Int32Array(charactersPerStep);

  constructor(model: StaticModel, table: PieceTable) {
    this.#model = model;
    this.#table = table;
    this.#isApplicable = model.tokenizer.splitsPunctuation;
  }

  /** Embeds the text that the table has just scanned; `count` is the number of its pieces. */
  embed(text: string, count: number): EmbeddedText {
    const isOneStep = this.#isApplicable && count <= wordsPerStep && text.length <= charactersPerStep;
    const tokens = isOneStep ? this.#gather(count) : -1;
    return tokens < 0 ? this.#model.embed(text) : this.#model.embedTokens(text, this.#ids, tokens);
  }

  /** Gathers the tokens of the scanned text; returns their number, -1 if they are not those of one step of the tokenizer. */
  #gather(count: number): number {
    if (this.#generation !== this.#table.generation) this.#clear();
    const { found } = this.#table;
    const ids = this.#ids;
    let length = 0;
    let words = 0;
    for (let place = 0; place < count; place++) {
      const piece = found[place] as number;
      if (!this.#table.isRemembered(piece)) return -1;
      if (piece >= this.#words.length || this.#words[piece] === unknown) this.#tokenize(piece);
      words += this.#words[piece] as number;
      const end = this.#ends[piece] as number;
      let start = this.#starts[piece] as number;
      if (words > wordsPerStep || length + end - start > ids.length) return -1;
      for (; start < end; start++) ids[length++] = this.#tokens[start] as number;
    }
    return length;
  }

  #tokenize(piece: number): void {
    if (piece >= this.#words.length) this.#grow(piece + 1);
    const found = this.#model.tokenizer.pieceIds(this.#table.pieceOf(piece));
    const ids = found?.ids ?? [];
    if (this.#used + ids.length > this.#tokens.length) this.#tokens = grown(this.#tokens, Int32Array, ids.length);
    this.#tokens.set(ids, this.#used);
    this.#starts[piece] = this.#used;
    this.#used += ids.length;
    this.#ends[piece] = this.#used;
    this.#words[piece] = found?.words ?? dependent;
  }

  #grow(size: number): void {
    const before = this.#words.length;
    const more = size - before;
    this.#words = grown(this.#words, Uint16Array, more).fill(unknown, before);
    this.#starts = grown(this.#starts, Uint32Array, more);
    this.#ends = grown(this.#ends, Uint32Array, more);
  }

  #clear(): void {
    this.#generation = this.#table.generation;
    this.#words.fill(unknown);
    this.#used = 0;
  }
}

type Numbers = Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/** The same numbers with room for at least so many more. */
function grown<T extends Numbers>(numbers: T, type: new (length: number) => T, more: number): T {
  const larger = new type(2 * numbers.length + more);
  larger.set(numbers);
  return larger;
}
