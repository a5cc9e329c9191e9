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

  private constructor(scorer: DuplicateScorer) {
    this.scorer = scorer;
  }

  /** @throws MODEL_NOT_FOUND, INVALID_FILE when the model of the package cannot be read. */
  static async create(): Promise<WordStore> {
    return new WordStore(new DuplicateScorer(await loadWordKnowledge()));
  }

  /** Appends a text. */
  add(text: string): void {
    const { ids, occurrences, asksFor } = this.scorer.read(text);
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
  }

  of(text: number): ComparedWords {
    const [start, end] = [this.#starts[text] as number, this.#starts[text + 1] as number];
    return {
      ids: this.#ids.subarray(start, end),
      occurrences: this.#occurrences.subarray(start, end),
      asksFor: this.#asksFor[text] as number,
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

/** Compares the words. */
export class ProbabilityMeasure implements PairMeasure {
  readonly #words: WordStore;

  constructor(words: WordStore) {
    this.#words = words;
  }

  valueOf(from: number, to: number): number {
    return this.#words.scorer.probability(this.#words.of(from), this.#words.of(to));
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
