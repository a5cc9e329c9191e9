import type { WordKnowledge } from '../../analysis/likeness/compared-words.js';
import type { StaticModel } from './static-model.js';

/** Words of the vocabulary stand behind the numbers and signs, the most frequent first. */
const commonest = 2.5;
const range = 7.5;
const unknownRarity = 1.1;
const maxKnown = 16_384;

/** Rarity (by rank) and similarity of English words by the model of the package. */
export class TableKnowledge implements WordKnowledge {
  readonly #model: StaticModel;
  readonly #firstWord: number;
  readonly #rows = new Map<string, Float32Array | undefined>();

  constructor(model: StaticModel) {
    this.#model = model;
    const ids = ['the', 'of', 'and'].map((word) => this.#idOf(word)).filter((id) => id !== undefined);
    this.#firstWord = Math.min(...ids);
  }

  rarity(word: string): number {
    const id = this.#idOf(word);
    if (id === undefined || id >= this.#model.wordRows) return unknownRarity;
    if (id < this.#firstWord) return /^[ai]$/.test(word) ? 0 : word.length === 1 ? 0.6 : 0.9;
    return Math.max(0, Math.min(unknownRarity, (Math.log(1 + id - this.#firstWord) - commonest) / range));
  }

  similarity(a: string, b: string): number {
    const [u, v] = [this.#rowOf(a), this.#rowOf(b)];
    if (u === undefined || v === undefined) return 0;
    let sum = 0;
    for (let at = 0; at < u.length; at++) sum += (u[at] as number) * (v[at] as number);
    return sum;
  }

  #idOf(word: string): number | undefined {
    const ids: number[] = [];
    const { tokenizer } = this.#model;
    const whole = tokenizer.step(word, 0, ids) === word.length;
    return whole && ids.length === 1 && ids[0] !== tokenizer.unknown ? ids[0] : undefined;
  }

  #rowOf(word: string): Float32Array | undefined {
    if (this.#rows.has(word)) return this.#rows.get(word);
    const row = this.#idOf(word) === undefined ? undefined : this.#model.embed(word).vector;
    if (this.#rows.size >= maxKnown) this.#rows.clear();
    this.#rows.set(word, row);
    return row;
  }
}
