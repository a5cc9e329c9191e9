import type { ComparedWords } from '../analysis/likeness/compared-words.js';
import { DuplicateScorer } from '../analysis/likeness/duplicate-scorer.js';
import { loadWordKnowledge } from '../embed/bundled/bundled-provider.js';
import type { DistinctTexts } from './distinct-texts.js';

/** The words of many texts, by number, in two growing columns. */
export class WordStore {
  readonly scorer: DuplicateScorer;
  #ids = new Int32Array(4096);
  #occurrences = new Uint8Array(4096);
  #length = 0;
  readonly #starts: number[] = [0];
  readonly #asksFor: number[] = [];
  readonly #focus: (readonly number[])[] = [];

  private constructor(scorer: DuplicateScorer) {
    this.scorer = scorer;
  }

  /** @throws MODEL_NOT_FOUND, INVALID_FILE when the model of the package cannot be read. */
  static async create(): Promise<WordStore> {
    return new WordStore(new DuplicateScorer(await loadWordKnowledge()));
  }

  /** Appends a text. */
  add(text: string): void {
    const { ids, occurrences, asksFor, focus } = this.scorer.read(text);
    const end = this.#length + ids.length;
    if (end > this.#ids.length) {
      const capacity = Math.max(end, 2 * this.#ids.length);
      const [known, bits] = [this.#ids, this.#occurrences];
      this.#ids = new Int32Array(capacity);
      this.#ids.set(known);
      this.#occurrences = new Uint8Array(capacity);
      this.#occurrences.set(bits);
    }
    this.#ids.set(ids, this.#length);
    this.#occurrences.set(occurrences, this.#length);
    this.#length = end;
    this.#starts.push(end);
    this.#asksFor.push(asksFor);
    this.#focus.push(focus);
  }

  of(text: number): ComparedWords {
    const [start, end] = [this.#starts[text] as number, this.#starts[text + 1] as number];
    return {
      ids: this.#ids.subarray(start, end),
      occurrences: this.#occurrences.subarray(start, end),
      asksFor: this.#asksFor[text] as number,
      focus: this.#focus[text] as readonly number[],
    };
  }
}

/** Neighbors so similar that others like them may lie beyond the last one. */
const crowded = 0.97;

/** Decides on pairs of texts of one list whose words differ. */
export interface PairMeasure {
  /** What the threshold is compared with; undefined for a pair that is not a duplicate at any threshold. */
  valueOf(from: number, to: number, similarity: number): number | undefined;
  /**
   * Value at or above which duplicates of a text may lie beyond the neighbors that were searched, by the similarity of the last one and
   * the values of all, nearest first. Infinity: more are likely; -Infinity: none.
   */
  reachOf(last: number, values: readonly (number | undefined)[], lowest: number): number;
  /** The reach from which neighbors of a representative are searched without bound. */
  endless(threshold: number): number;
}

/** Compares the vectors, as far as they decide. */
export class SimilarityMeasure implements PairMeasure {
  readonly #texts: DistinctTexts;

  constructor(texts: DistinctTexts) {
    this.#texts = texts;
  }

  valueOf(from: number, to: number, similarity: number): number | undefined {
    return this.#texts.isDecidedByVectors(from, to, similarity) ? similarity : undefined;
  }

  reachOf(last: number): number {
    return last;
  }

  endless(threshold: number): number {
    return threshold;
  }
}

/** Pairs whose probability is kept, at most: a pair is met from both sides, and again among more neighbors. */
const maxKept = 2 ** 20;
const keptPerText = 8;

/** Compares the words. */
export class ProbabilityMeasure implements PairMeasure {
  readonly #words: WordStore;
  readonly #texts: number;
  /** The last pair of each place, and its probability. Results do not depend on what is kept. */
  readonly #pairs: Float64Array;
  readonly #values: Float64Array;

  constructor(words: WordStore, texts: number) {
    this.#words = words;
    this.#texts = texts;
    const places = Math.min(maxKept, 2 ** Math.ceil(Math.log2(keptPerText * (texts + 1))));
    this.#pairs = new Float64Array(places).fill(-1);
    this.#values = new Float64Array(places);
  }

  valueOf(from: number, to: number): number {
    const [one, other] = from < to ? [from, to] : [to, from];
    const pair = one * this.#texts + other;
    const place = (Math.imul(one, 0x9e3779b1) ^ Math.imul(other, 0x85ebca6b)) & (this.#pairs.length - 1);
    if (this.#pairs[place] === pair) return this.#values[place] as number;
    const value = this.#words.scorer.probability(this.#words.of(one), this.#words.of(other));
    this.#pairs[place] = pair;
    this.#values[place] = value;
    return value;
  }

  reachOf(last: number, values: readonly (number | undefined)[], lowest: number): number {
    // Only copies of the text were found.
    if (values.length === 0) return Number.POSITIVE_INFINITY;
    const lastHalf = values.slice(values.length >> 1);
    if (lastHalf.some((value) => value !== undefined && value >= lowest)) return Number.POSITIVE_INFINITY;
    return last >= crowded ? 1 : Number.NEGATIVE_INFINITY;
  }

  endless(): number {
    return Number.POSITIVE_INFINITY;
  }
}
