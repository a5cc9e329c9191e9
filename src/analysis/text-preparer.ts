import { addon } from '../addon/addon.js';
import type { EncodedTexts, NativeTextPreparer } from '../addon/native-texts.js';
import { documentTermsOf } from './analyze.js';
import { detectedLength, detectLanguage } from './detect-language.js';
import { exactFormOf } from './exact-forms.js';
import { languageNumber, languages } from './languages.js';
import type { PackedTerms } from './packed-terms.js';
import { hasFields, prepareFields } from './prepare-fields.js';
import { uncachedStemOf } from './stem.js';
import { type Stemmer, stemmerOf } from './stemmers.js';

export type { EncodedTexts } from '../addon/native-texts.js';

/** A static embedding model, as texts are prepared with it. */
export interface TokenModel {
  readonly dimensions: number;
  /** A row and a scale for each token; undefined where the addon cannot add such rows. */
  readonly rows: { readonly table: Uint8Array; readonly scales: Float32Array; readonly isInt4: boolean } | undefined;
  /** The id of the unknown token; -1 if there is none. */
  readonly unknown: number;
  /** Tokens of a text after these are ignored. */
  readonly maxTokens: number;
  /** How much repeated tokens count: k1, b and the number of tokens of an average text. Undefined: each time as much as the first time. */
  readonly saturation: Float64Array | undefined;
  /** The token ids of each word of a piece of text; undefined when they depend on the text around it. */
  wordsOf(piece: string): readonly (readonly number[])[] | undefined;
  /** Embeds a whole text: the vector as it is stored, of length 1. `checkWanted` is called now and then, and may throw. */
  embed(text: string, checkWanted?: () => void): { readonly vector: Float32Array; readonly tokens: number };
}

/** What was derived from a batch of texts. */
export interface PreparedTexts {
  /** Vectors of the embedded texts, one after the other, of length 1 each; undefined when nothing was to be embedded. */
  readonly vectors: Float32Array<ArrayBuffer> | undefined;
  /** Tokens of the embedded texts. */
  readonly tokens: number;
  /** The terms of all texts, in their order, with the keys 0, 1, ...; undefined when they were not to be analyzed. */
  readonly terms: PackedTerms | undefined;
  /** Languages of the analyzed texts. */
  readonly languages: readonly string[];
}

/** The languages of texts to be analyzed. */
export interface TextLanguages {
  /** That of a text that has none of its own: a code, or `auto` to detect it. */
  readonly language: string;
  /** That of each text; undefined for those without, or for all. */
  readonly own?: readonly (string | undefined)[] | undefined;
  /** How much the words of each field count; undefined: all once. */
  readonly weights?: Readonly<Record<string, number>> | undefined;
}

/** What to derive from a batch of texts. */
export interface PrepareOptions {
  /** Places of the texts to embed, ascending; undefined embeds all. Ignored without a model. */
  readonly embed?: readonly number[] | undefined;
  /** Undefined: no text is analyzed. */
  readonly analyze: TextLanguages | undefined;
}

/** Texts of so many bytes are taken apart by one call of the addon; a longer one by a call of its own. */
const bytesPerCall = 65_536;
/** A longer piece has more tokens than a model reads, or nearly so: its text is embedded as a whole. */
const maxTokenizedPiece = 4096;
const plainWord = /^[A-Z]?[a-z]{1,47}$/;

/** Texts of a batch: `count` from `first` on, whose bytes begin at `begin`. */
interface Group {
  readonly first: number;
  readonly begin: number;
  readonly ends: Uint32Array;
  /** The number of the language of all of them. */
  readonly language: number;
}

const english: TextLanguages = { language: 'en' };

/**
 * Embeds texts with a static model, to the bit as the model does, and analyzes them as `analyzeDocument` does. The addon takes texts
 * apart and remembers the terms and tokens of their pieces; what a piece means is decided here, once. For one thread, for its
 * lifetime.
 */
export class TextPreparer {
  readonly #model: TokenModel | undefined;
  readonly #native: NativeTextPreparer;

  constructor(model?: TokenModel) {
    this.#model = model;
    const { TextPreparer } = addon();
    const rows = model?.rows;
    this.#native =
      model === undefined || rows === undefined
        ? new TextPreparer()
        : new TextPreparer(rows.table, rows.scales, rows.isInt4, model.unknown, model.maxTokens, model.saturation);
  }

  /** Prepares a batch. `checkWanted` is called between some texts and in long ones, and may throw: then nothing is kept of the batch. */
  prepare(texts: EncodedTexts, options: PrepareOptions, checkWanted: () => void): PreparedTexts {
    return hasFields(texts)
      ? prepareFields(this, texts, options, checkWanted)
      : this.prepareStrings(texts, options, checkWanted);
  }

  /** As `prepare`, for texts without fields. */
  prepareStrings(texts: EncodedTexts, { embed, analyze }: PrepareOptions, checkWanted: () => void): PreparedTexts {
    const model = this.#model;
    const rows = model === undefined ? 0 : (embed?.length ?? texts.ends.length);
    const vectors = new Float32Array(rows * (model?.dimensions ?? 0));
    let [row, tokens] = [0, 0];
    const found = new Set<number>();
    try {
      for (const group of groupsOf(texts, analyze ?? english)) {
        found.add(group.language);
        checkWanted();
        this.#scan(texts, group);
        checkWanted();
        const { first, ends } = group;
        if (model !== undefined) {
          const places = placesIn(embed, row, first, ends.length);
          tokens += this.#embed(model, texts, group, places, { vectors, row }, checkWanted);
          row += places.length;
        }
        if (analyze !== undefined) this.#native.pack(Float64Array.from(ends, (_, place) => first + place));
      }
      const terms = analyze === undefined ? undefined : this.#native.take();
      const codes = Array.from(found, (number) => (languages[number] as (typeof languages)[number]).code);
      return { vectors: model === undefined ? undefined : vectors, tokens, terms, languages: codes };
    } catch (error) {
      this.#native.drop();
      throw error;
    }
  }

  /** Analyzes texts; their terms are kept under these keys, which must ascend, until `take`. */
  add(keys: Float64Array, texts: EncodedTexts, analyze = english): void {
    for (const group of groupsOf(texts, analyze)) {
      this.#scan(texts, group);
      this.#native.pack(keys.slice(group.first, group.first + group.ends.length));
    }
  }

  /** The terms of the texts since the last `take`. */
  take(): PackedTerms {
    return this.#native.take();
  }

  #scan({ bytes }: EncodedTexts, { begin, ends, language }: Group): void {
    const pieces = this.#native.scan(bytes, begin, ends, language);
    const { code } = languages[language] as (typeof languages)[number];
    const termsOfWord = code === 'en' ? (word: string) => [uncachedStemOf(word)] : stemAndWord(stemmerOf(code));
    const terms: string[] = [];
    const termCounts = new Uint32Array(pieces.length);
    const [wordTokens, tokens]: [number[], number[]] = [[], []];
    const wordCounts = new Int32Array(pieces.length).fill(-1);
    const model = this.#model?.rows === undefined ? undefined : this.#model;
    for (const [place, piece] of pieces.entries()) {
      const found = plainWord.test(piece) ? termsOfWord(piece.toLowerCase()) : documentTermsOf(piece, code);
      for (const term of found) terms.push(term);
      termCounts[place] = found.length;
      const words = piece.length > maxTokenizedPiece ? undefined : model?.wordsOf(piece);
      if (words === undefined) continue;
      wordCounts[place] = words.length;
      for (const word of words) {
        wordTokens.push(word.length);
        for (const token of word) tokens.push(token);
      }
    }
    this.#native.define(termCounts, terms, wordCounts, Uint32Array.from(wordTokens), Int32Array.from(tokens));
  }

  /** Embeds texts of a group to rows from `row` on; returns the number of their tokens. */
  #embed(
    model: TokenModel,
    { bytes }: EncodedTexts,
    { begin, ends }: Group,
    places: Int32Array,
    { vectors, row }: { readonly vectors: Float32Array; readonly row: number },
    checkWanted: () => void,
  ): number {
    const counts = model.rows === undefined ? places.map(() => -1) : this.#native.embed(places, vectors, row);
    let tokens = 0;
    for (let index = 0; index < counts.length; index++) {
      const count = counts[index] as number;
      if (count >= 0) {
        tokens += count;
        continue;
      }
      const place = places[index] as number;
      const text = textAt(bytes, place === 0 ? begin : (ends[place - 1] as number), ends[place] as number);
      const embedded = model.embed(text, checkWanted);
      vectors.set(embedded.vector, (row + index) * model.dimensions);
      tokens += embedded.tokens;
    }
    return tokens;
  }
}

/** Encodes texts for `TextPreparer`. */
export function encodeTexts(texts: readonly string[]): EncodedTexts {
  return addon().encodeTexts(texts);
}

/** The terms of a word of plain letters. */
function stemAndWord(stemmer: Stemmer): (word: string) => string[] {
  return (word) => {
    const stem = stemmer.stemOf(word);
    return stem === word ? [stem] : [stem, exactFormOf(word)];
  };
}

function textAt(bytes: Uint8Array, begin: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', begin, end);
}

function* groupsOf(texts: EncodedTexts, analyze: TextLanguages): Generator<Group> {
  const { ends } = texts;
  const languageAt = languagesOf(texts, analyze);
  for (let first = 0, begin = 0; first < ends.length; ) {
    let last = first + 1;
    const language = languageAt(first);
    while (last < ends.length && (ends[last] as number) - begin <= bytesPerCall && languageAt(last) === language)
      last++;
    yield { first, begin, ends: ends.subarray(first, last), language };
    begin = ends[last - 1] as number;
    first = last;
  }
}

/** Bytes of the characters that a language is detected by. */
const detectedBytes = 3 * detectedLength;

/** The number of the language of each text. */
function languagesOf({ bytes, ends }: EncodedTexts, { language, own }: TextLanguages): (place: number) => number {
  if (language !== 'auto' && own === undefined) {
    const number = languageNumber(language);
    return () => number;
  }
  const known = new Int16Array(ends.length).fill(-1);
  return (place) => {
    if ((known[place] as number) >= 0) return known[place] as number;
    const [begin, end] = [place === 0 ? 0 : (ends[place - 1] as number), ends[place] as number];
    const text = (): string => textAt(bytes, begin, Math.min(end, begin + detectedBytes));
    const code = own?.[place] ?? (language === 'auto' ? detectLanguage(text()) : language);
    known[place] = languageNumber(code);
    return known[place] as number;
  };
}

/** Which of `count` texts from `first` on are embedded, by their places among them; `row` texts before them are. */
function placesIn(embed: readonly number[] | undefined, row: number, first: number, count: number): Int32Array {
  if (embed === undefined) return Int32Array.from({ length: count }, (_, place) => place);
  let end = row;
  while (end < embed.length && (embed[end] as number) < first + count) end++;
  return Int32Array.from(embed.slice(row, end), (place) => place - first);
}
