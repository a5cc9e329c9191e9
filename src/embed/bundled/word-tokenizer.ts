import { Tokenizer } from '@huggingface/tokenizers';
import { SemanticIndexError } from '../../errors.js';
import { parseTokenizerFile, type TokenizerFile } from './tokenizer-file.js';
import { type WordRules, wordRulesOf } from './word-rules.js';

/** Words per `step`, and characters that it begins: enough to be worth the call, few enough to take about a millisecond. */
const wordsPerStep = 128;
const charactersPerStep = 4096;
const maxCachedWords = 65_536;
const longestCachedWord = 64;

/** Kinds of UTF-16 units; 0 is one not seen yet. */
const space = 1;
const letter = 2;
const solitary = 3;
const other = 4;

/** Characters without a space after which a word is cut: rules for words read all of one, and such a run is none. */
const longestRun = 16_384;

/** Whether the character at this place is the second half of a pair. */
function isLowSurrogate(text: string, index: number): boolean {
  return (text.charCodeAt(index) & 0xfc00) === 0xdc00;
}

/**
 * Token ids of texts, equal to those of the library `@huggingface/tokenizers` without special tokens, but many times
 * faster: where the rules of the tokenizer file allow it (see `wordRulesOf`), a text is cut into words whose tokens
 * do not depend on their neighbours, and the tokens of words are remembered. Plain ASCII words are looked up here, all
 * others are left to the library; where the rules do not allow it, so are whole texts. A run of more than 16,384 characters is cut.
 */
export class WordTokenizer {
  /** The id of what the vocabulary does not cover; -1 when it has none. */
  readonly unknown: number;
  readonly #library: Tokenizer;
  readonly #rules: WordRules | undefined;
  readonly #vocabulary: Map<string, number>;
  readonly #words = new Map<string, number | readonly number[]>();
  readonly #kinds = new Uint8Array(65_536);
  readonly #solitaryIds = new Map<number, readonly number[]>();

  /** @param text a tokenizer.json. @throws INVALID_FILE when the library cannot make sense of it. */
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

  /** Whether words are remembered, or every text goes through the library as a whole. */
  get fast(): boolean {
    return this.#rules !== undefined;
  }

  /** One more than the largest token id. */
  get size(): number {
    let largest = -1;
    for (const id of this.#vocabulary.values()) largest = Math.max(largest, id);
    return largest + 1;
  }

  /** All token ids of a text. */
  encode(text: string): number[] {
    const ids: number[] = [];
    for (let position = 0; position < text.length; ) position = this.step(text, position, ids);
    return ids;
  }

  /** Whether a word is one token of the vocabulary, not pieces. */
  isOneToken(word: string): boolean {
    const ids: number[] = [];
    return this.step(word, 0, ids) === word.length && ids.length === 1 && ids[0] !== this.unknown;
  }

  /**
   * Appends the ids of the next words of `text` from `position` on to `ids`, and returns where to go on; the text's
   * length when it is done. Lets a caller pause within a long text.
   */
  step(text: string, position: number, ids: number[]): number {
    const rules = this.#rules;
    if (rules === undefined || (position === 0 && rules.isException(text))) {
      for (const id of this.#encodeWhole(text)) ids.push(id);
      return text.length;
    }
    const kinds = this.#kinds;
    let index = position;
    const end = Math.min(text.length, position + charactersPerStep);
    for (let words = 0; words < wordsPerStep && index < end; ) {
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
      } while ((next === letter || next === other) && (index - start < longestRun || isLowSurrogate(text, index)));
      const word = text.slice(start, index);
      const known = this.#words.get(word) ?? this.#remember(word, plain, rules);
      if (typeof known === 'number') ids.push(known);
      else for (const id of known) ids.push(id);
    }
    return index;
  }

  #encodeWhole(text: string): readonly number[] {
    return this.#library.encode(text, { add_special_tokens: false }).ids;
  }

  #remember(word: string, plain: boolean, rules: WordRules): number | readonly number[] {
    const ids = (plain ? this.#lookUp(word, rules) : undefined) ?? this.#encodeWhole(word);
    const known = ids.length === 1 ? (ids[0] as number) : ids;
    if (word.length <= longestCachedWord) {
      // What a word is does not depend on the cache, so starting over is as good as any cleverer eviction.
      if (this.#words.size >= maxCachedWords) this.#words.clear();
      this.#words.set(ownCopy(word), known);
    }
    return known;
  }

  /** Greedy WordPiece for a word of ASCII letters and digits; undefined when the library must decide. */
  #lookUp(word: string, rules: WordRules): readonly number[] | undefined {
    const normal = rules.normalizePlain(word);
    if (normal === undefined) return undefined;
    if (normal.length > rules.longestWord) return [this.unknown];
    const ids: number[] = [];
    for (let start = 0; start < normal.length; ) {
      const prefix = start === 0 ? '' : rules.continuingPrefix;
      let end = normal.length;
      let id: number | undefined;
      while (end > start) {
        id = this.#vocabulary.get(prefix + normal.slice(start, end));
        if (id !== undefined) break;
        end--;
      }
      if (id === undefined) return [this.unknown];
      ids.push(id);
      start = end;
    }
    return ids;
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

/** The library's tokenizer; one that was parsed apart from its vocabulary gets it back. */
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

/** A string that does not keep the long text alive that it was cut from. */
function ownCopy(word: string): string {
  return Buffer.from(word, 'utf16le').toString('utf16le');
}
