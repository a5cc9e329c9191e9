import { Tokenizer } from '@huggingface/tokenizers';
import { ownCopy } from '../../analysis/own-copy.js';
import { SemanticIndexError } from '../../errors.js';
import { parseTokenizerFile, type TokenizerFile } from './tokenizer-file.js';
import { WordPieces } from './word-pieces.js';
import { type WordRules, wordRulesOf } from './word-rules.js';

/** Max. words and characters per `step`: a step takes about a millisecond. The addon knows both (text_preparer.h). */
const wordsPerStep = 128;
const charactersPerStep = 4096;
const maxCachedWords = 65_536;
const maxCachedCharacters = 64;

/** Kinds of UTF-16 code units; 0: not classified yet. */
const space = 1;
const letter = 2;
const solitary = 3;
const other = 4;

/** A longer run without a space is cut: the library reads a word as a whole, and such a run is not a word. */
const maxRun = 16_384;

/** Whether the code unit at this index is a low surrogate. */
function isLowSurrogate(text: string, index: number): boolean {
  return (text.charCodeAt(index) & 0xfc00) === 0xdc00;
}

/**
 * Returns the same token ids as `@huggingface/tokenizers` without special tokens, many times faster: where the
 * tokenizer file allows it (see `wordRulesOf`), a text is split into words whose tokens do not depend on their
 * neighbours, and the tokens of words are cached. ASCII words are looked up here; the library handles other words, and
 * whole texts where the file does not allow splitting. A run of more than 16,384 characters is cut.
 */
export class WordTokenizer {
  /** The id of the unknown token; -1 if the vocabulary has none. */
  readonly unknown: number;
  readonly #library: Tokenizer;
  readonly #rules: WordRules | undefined;
  readonly #vocabulary: Map<string, number>;
  #pieces: WordPieces | undefined;
  readonly #words = new Map<string, number | readonly number[]>();
  readonly #kinds = new Uint8Array(65_536);
  readonly #solitaryIds = new Map<number, readonly number[]>();
  /** Words of the last step. */
  #stepWords = 0;

  /** @param text a tokenizer.json. @throws INVALID_FILE when the library cannot parse it. */
  constructor(text: string, name = 'tokenizer.json') {
    let file: Record<string, unknown>;
    try {
      const parsed = parseTokenizerFile(text);
      file = parsed.file;
      this.#library = libraryTokenizer(parsed);
      this.#vocabulary = this.#library.model?.tokens_to_ids ?? new Map();
    } catch (error) {
      throw new SemanticIndexError('INVALID_FILE', `${name} is not a valid tokenizer: ${(error as Error).message}`, {
        hint: 'Restore the file, or fetch the model again.',
        cause: error,
      });
    }
    this.unknown = this.#library.model?.unk_token_id ?? -1;
    this.#rules = wordRulesOf(file);
    for (let unit = 0; unit < 128; unit++) this.#kinds[unit] = this.#kindOf(unit, String.fromCharCode(unit));
  }

  /** Whether words are cached; false if the library tokenizes every text as a whole. */
  get fast(): boolean {
    return this.#rules !== undefined;
  }

  /** One more than the largest token id. */
  get size(): number {
    let largest = -1;
    for (const id of this.#vocabulary.values()) largest = Math.max(largest, id);
    return largest + 1;
  }

  /** Median length of the tokens in characters, as they are in the vocabulary, rounded down. */
  get medianTokenLength(): number {
    const lengths = [...this.#vocabulary.keys()].map((token) => [...token].length).sort((a, b) => a - b);
    const middle = lengths.length >> 1;
    const [low = 0, high = 0] = [lengths[lengths.length % 2 === 0 ? middle - 1 : middle], lengths[middle]];
    return Math.floor((low + high) / 2);
  }

  /** All token ids of a text. */
  encode(text: string): number[] {
    const ids: number[] = [];
    for (let position = 0; position < text.length; ) position = this.step(text, position, ids);
    return ids;
  }

  /** Whether a word is a single token of the vocabulary. */
  isOneToken(word: string): boolean {
    const ids: number[] = [];
    return this.step(word, 0, ids) === word.length && ids.length === 1 && ids[0] !== this.unknown;
  }

  /** Whether every character of ASCII that is not a letter, a digit or white space forms its own tokens. */
  get splitsPunctuation(): boolean {
    return this.#rules !== undefined && this.#kinds.subarray(0x21, 0x7f).every((kind) => kind !== other);
  }

  /**
   * The token ids of each word of a piece of text that neither begins nor ends within a word; undefined when the ids depend on the
   * text around it. Words are not cached: the caller remembers pieces.
   */
  wordsOf(piece: string): readonly (readonly number[])[] | undefined {
    if (this.#rules === undefined || this.#rules.isException(piece)) return undefined;
    const words: number[][] = [];
    for (let position = 0; position < piece.length; ) {
      const ids: number[] = [];
      position = this.#step(piece, position, ids, this.#rules, 1, false);
      if (this.#stepWords > 0) words.push(ids);
    }
    return words;
  }

  /**
   * Appends the ids of the next words of `text`, starting at `position`, to `ids`. Returns the position to continue at;
   * the length of the text when done. Lets a caller pause within a long text.
   */
  step(text: string, position: number, ids: number[]): number {
    const rules = this.#rules;
    if (rules === undefined || (position === 0 && rules.isException(text))) {
      for (const id of this.#encodeWhole(text)) ids.push(id);
      return text.length;
    }
    return this.#step(text, position, ids, rules, wordsPerStep, true);
  }

  /** As `step`, for at most `maxWords` words. */
  #step(text: string, position: number, ids: number[], rules: WordRules, maxWords: number, isCached: boolean): number {
    const kinds = this.#kinds;
    let index = position;
    const end = Math.min(text.length, position + charactersPerStep);
    let words = 0;
    while (words < maxWords && index < end) {
      const unit = text.charCodeAt(index);
      const kind = kinds[unit] || this.#classify(unit);
      if (kind === space) {
        index++;
        continue;
      }
      words++;
      if (kind === solitary) {
        for (const id of this.#solitaryIds.get(unit) ?? this.#rememberSolitary(unit)) ids.push(id);
        index++;
        continue;
      }
      const start = index;
      let plain = true;
      let next = kind;
      do {
        plain &&= next === letter;
        if (++index === text.length) break;
        const following = text.charCodeAt(index);
        next = kinds[following] || this.#classify(following);
      } while ((next === letter || next === other) && (index - start < maxRun || isLowSurrogate(text, index)));
      const word = text.slice(start, index);
      const known = isCached
        ? (this.#words.get(word) ?? this.#remember(word, plain, rules))
        : this.#idsOf(word, plain, rules);
      if (typeof known === 'number') ids.push(known);
      else for (const id of known) ids.push(id);
    }
    this.#stepWords = words;
    return index;
  }

  #encodeWhole(text: string): readonly number[] {
    return this.#library.encode(text, { add_special_tokens: false }).ids;
  }

  #idsOf(word: string, plain: boolean, rules: WordRules): readonly number[] {
    return (plain ? this.#lookUp(word, rules) : undefined) ?? this.#encodeWhole(word);
  }

  #remember(word: string, plain: boolean, rules: WordRules): number | readonly number[] {
    const ids = this.#idsOf(word, plain, rules);
    const known = ids.length === 1 ? (ids[0] as number) : ids;
    if (word.length <= maxCachedCharacters) {
      // Results do not depend on the cache, so clearing it is a sufficient eviction policy.
      if (this.#words.size >= maxCachedWords) this.#words.clear();
      this.#words.set(ownCopy(word), known);
    }
    return known;
  }

  /** The tokens of a word of ASCII letters and digits; undefined when only the library can tokenize it. */
  #lookUp(word: string, rules: WordRules): readonly number[] | undefined {
    const normal = rules.normalizePlain(word);
    if (normal === undefined) return undefined;
    if (normal.length > rules.maxWordCharacters) return [this.unknown];
    this.#pieces ??= new WordPieces(this.#vocabulary, rules.continuingPrefix, this.unknown);
    return this.#pieces.idsOf(normal);
  }

  #rememberSolitary(unit: number): readonly number[] {
    const ids = this.#encodeWhole(String.fromCharCode(unit));
    this.#solitaryIds.set(unit, ids);
    return ids;
  }

  #classify(unit: number): number {
    const kind = this.#kindOf(unit, String.fromCharCode(unit));
    this.#kinds[unit] = kind;
    return kind;
  }

  #kindOf(unit: number, character: string): number {
    if (this.#rules === undefined) return other;
    if (/[A-Za-z0-9]/.test(character)) return letter;
    if (/\s/.test(character)) return space;
    if (unit >= 0xd800 && unit <= 0xdfff) return other;
    return this.#rules.isSolitary(character) ? solitary : other;
  }
}

/** The tokenizer of the library, with the vocabulary that was parsed separately. */
function libraryTokenizer({ file, vocabulary }: TokenizerFile): Tokenizer {
  if (vocabulary === undefined) return new Tokenizer(file, {});
  const model = file.model as Record<string, unknown>;
  const unknown = String(model.unk_token);
  const known = vocabulary.get(unknown);
  const library = new Tokenizer(
    { ...file, model: { ...model, vocab: known === undefined ? {} : { [unknown]: known } } },
    {},
  );
  if (library.model !== null) library.model.tokens_to_ids = vocabulary;
  return library;
}
