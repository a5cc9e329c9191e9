import { composed, foldCase, plainSigns, withoutInvisible, withoutMarks } from '../characters.js';
import { stemOf } from '../stem.js';

/**
 * The rest of a word, and what is between it and the next one: nothing inside identifiers, such as `addDocuments`. A longer word is
 * indexed as a hash. No text takes more than its length times this bound.
 */
const gap = '[\\p{L}\\p{N}\\p{M}_]{0,64}(?:[^\\p{L}\\p{N}\\p{M}_][^\\p{L}\\p{N}]*)?';
const plain = /^(?:[a-z]+|[0-9]+)$/;
const words = /[\p{L}\p{N}\p{M}_]*[\p{L}\p{N}][\p{L}\p{N}\p{M}_]*/gu;
/** Where words may have parts. */
const parts = /[\p{Ll}\p{N}\p{M}]\p{Lu}|\p{Lu}\p{Lu}\p{Ll}|\p{L}\p{N}|\p{N}\p{L}|[_\p{Lo}\p{Lm}\p{Lt}]/u;

/**
 * Decides fast which texts do not have some English words one after the other; of the others, their analysis decides.
 */
export class PhrasePattern {
  readonly #stems: readonly string[];
  /** Each pair of neighbors, by what the words with their stems begin with. */
  readonly #pairs: readonly RegExp[];

  private constructor(stems: readonly string[]) {
    this.#stems = stems;
    const pairs = stems.slice(1).map((stem, place) => [stems[place] as string, stem].map(beginOfWords).join(gap));
    this.#pairs = [...new Set(pairs)].map((pair) => new RegExp(pair, 'u'));
  }

  /** Undefined for fewer than two words, and for words that are not of plain letters or digits. */
  static of(stems: readonly string[]): PhrasePattern | undefined {
    return stems.length > 1 && stems.every((stem) => plain.test(stem)) ? new PhrasePattern(stems) : undefined;
  }

  /** False only for a text without the words. */
  mayBeIn(text: string): boolean {
    const whole = composed(text);
    // Whether it joins words or separates them, the analysis decides.
    if (withoutInvisible(whole) !== whole) return true;
    const cased = plainSigns(withoutMarks(whole));
    const folded = foldCase(cased);
    if (!this.#pairs.every((pair) => pair.test(folded))) return false;
    if (parts.test(cased)) return true;
    const found = folded.match(words) ?? [];
    const begin = beginOfWords(this.#stems[0] as string);
    for (let start = 0; start + this.#stems.length <= found.length; start++) {
      if (!(found[start] as string).startsWith(begin)) continue;
      if (this.#stems.every((stem, place) => stemOf(found[start + place] as string) === stem)) return true;
    }
    return false;
  }
}

/**
 * What all words with a stem of Porter's algorithm begin with: it removes endings, except that a last y becomes an i, an e is added,
 * and -bility becomes -ble, which loses its e.
 */
export function beginOfWords(stem: string): string {
  return /(?:.i|..e|bl)$/.test(stem) ? stem.slice(0, -1) : stem;
}
