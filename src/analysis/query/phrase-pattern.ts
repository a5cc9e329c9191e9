import { composed, foldCase, isAscii, plainSigns, withoutInvisible, withoutMarks } from '../characters.js';
import { stemOf } from '../stem.js';

/** Characters of words, and what a text is searched with. */
interface Characters {
  /** The inside of a character class: those of words, and letters and digits among them. */
  readonly word: string;
  readonly letter: string;
  readonly flags: string;
}

/** The same for texts in ASCII, which are searched much faster. */
const ascii: Characters = { word: 'a-z0-9_', letter: 'a-z0-9', flags: 'g' };
const folded: Characters = { word: '\\p{L}\\p{N}\\p{M}_', letter: '\\p{L}\\p{N}', flags: 'gu' };

/**
 * The inside of a character class: all beyond ASCII but spaces, quotation marks, dashes and other signs that are never part of a word.
 * Normalization makes letters of some of them, and removes some.
 */
const foreign =
  '\\x80-\\x9f\\xa2\\xa4-\\xa6\\xa8\\xaa\\xac\\xad\\xaf\\xb1-\\xb6\\xb8-\\xba\\xbc-\\xbe\\xc0-\\u2008\\u200a-\\u200f\\u2016\\u2017\\u2023-\\u2025\\u2027-\\u2031\\u2034-\\u20ab\\u20ad-\\u2211\\u2213-\\uffff';

/** Code units of a part of a long text. */
const partLength = 16_384;
const plain = /^(?:[a-z]+|[0-9]+)$/;
const words = /[\p{L}\p{N}\p{M}_]*[\p{L}\p{N}][\p{L}\p{N}\p{M}_]*/gu;
const wordCharacter = /[\p{L}\p{N}\p{M}_]/u;
/** Where words may have parts. */
const parts = /[\p{Ll}\p{N}\p{M}]\p{Lu}|\p{Lu}\p{Lu}\p{Ll}|\p{L}\p{N}|\p{N}\p{L}|[_\p{Lo}\p{Lm}\p{Lt}]/u;

/**
 * Decides fast which texts do not have some English words one after the other; of the others, their analysis decides.
 */
export class PhrasePattern {
  readonly #stems: readonly string[];
  readonly #ascii: readonly RegExp[];
  readonly #raw: readonly RegExp[];
  readonly #folded: readonly RegExp[];

  private constructor(stems: readonly string[]) {
    this.#stems = stems;
    this.#ascii = pairsOf(stems, ascii);
    this.#raw = rawPairsOf(stems);
    this.#folded = pairsOf(stems, folded);
  }

  /** Undefined for fewer than two words, and for words that are not of plain letters or digits. */
  static of(stems: readonly string[]): PhrasePattern | undefined {
    return stems.length > 1 && stems.every((stem) => plain.test(stem)) ? new PhrasePattern(stems) : undefined;
  }

  /** Parts of a long text, at spaces: the words are in the text only if they are in one of them. */
  *partsOf(text: string): Generator<string> {
    for (let first = 0; first < text.length; ) {
      const space = text.indexOf(' ', first + partLength);
      const next = space < 0 ? text.length : space;
      // The words may begin in this part and end in the next one.
      words.lastIndex = next;
      let end = next;
      for (let word = 1; word < this.#stems.length && end < text.length; word++) {
        end = words.exec(text) === null ? text.length : words.lastIndex;
      }
      yield text.slice(first, end);
      first = next;
    }
  }

  /** False only for a text without the words. */
  mayBeIn(text: string): boolean {
    if (isAscii(text)) return this.#mayBeIn(text, text.toLowerCase(), this.#ascii);
    if (!areAllIn(this.#raw, text)) return false;
    const whole = composed(text);
    // Whether it joins words or separates them, the analysis decides.
    if (withoutInvisible(whole) !== whole) return true;
    const cased = plainSigns(withoutMarks(whole));
    return this.#mayBeIn(cased, foldCase(cased), this.#folded);
  }

  /** @param pairs one for each pair of neighbors, the first one first. */
  #mayBeIn(cased: string, text: string, pairs: readonly RegExp[]): boolean {
    const [first, ...others] = pairs as [RegExp, ...RegExp[]];
    if (!areAllIn(others, text)) return false;
    // Where folding made letters more, words of the text and of the folded one are in other places.
    const isSame = cased.length === text.length;
    first.lastIndex = 0;
    for (let found = first.exec(text); found !== null; found = first.exec(text)) {
      if (!isSame || this.#mayBeAt(cased, text, found.index)) return true;
      first.lastIndex = found.index + 1;
    }
    return false;
  }

  /** Whether the words may begin in the word at an index. */
  #mayBeAt(cased: string, text: string, at: number): boolean {
    let start = at;
    while (start > 0 && wordCharacter.test(text[start - 1] as string)) start--;
    words.lastIndex = start;
    for (const stem of this.#stems) {
      const found = words.exec(text);
      if (found === null) return false;
      const end = found.index + found[0].length;
      if (parts.test(cased.slice(found.index, end))) return true;
      if (stemOf(found[0]) !== stem) return false;
    }
    return true;
  }
}

/**
 * Each pair of neighbors, by what the words with their stems begin with. Between them are the rest of a word, and what is between it and
 * the next one: nothing inside identifiers, such as `addDocuments`. A longer word is indexed as a hash. No text takes more than its length
 * times this bound.
 */
function pairsOf(stems: readonly string[], { word, letter, flags }: Characters): RegExp[] {
  const gap = `[${word}]{0,64}(?:[^${word}][^${letter}]*)?`;
  return stems
    .slice(1)
    .map((stem, place) => new RegExp([stems[place] as string, stem].map(beginOfWords).join(gap), flags));
}

/**
 * The same for texts that are not normalized, which takes most of the time of looking into them: in place of a letter there may be one
 * beyond ASCII.
 */
function rawPairsOf(stems: readonly string[]): RegExp[] {
  const gap = `[a-z0-9_${foreign}]{0,64}(?:[^a-z0-9_${foreign}][^a-z0-9${foreign}]*)?`;
  const begins = stems.map((stem) =>
    Array.from(beginOfWords(stem)).reduceRight((rest, letter) => `(?:[${foreign}]|${letter}${rest})`, ''),
  );
  return begins.slice(1).map((begin, place) => new RegExp(`${begins[place]}${gap}${begin}`, 'gi'));
}

function areAllIn(pairs: readonly RegExp[], text: string): boolean {
  for (const pair of pairs) {
    pair.lastIndex = 0;
    if (!pair.test(text)) return false;
  }
  return true;
}

/**
 * What all words with a stem of Porter's algorithm begin with: it removes endings, except that a last y becomes an i, an e is added,
 * and -bility becomes -ble, which loses its e.
 */
export function beginOfWords(stem: string): string {
  return /(?:.i|..e|bl)$/.test(stem) ? stem.slice(0, -1) : stem;
}
