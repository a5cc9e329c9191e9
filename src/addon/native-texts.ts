/** UTF-8 of texts, one after the other, and where each ends. */
export interface EncodedTexts {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ends: Uint32Array<ArrayBuffer>;
}

/**
 * Derives vectors and packed terms from texts. Use: `scan` some texts, `define` the pieces it returns, then `embed` and `pack` these
 * texts; after the last ones `take`. Throws OUT_OF_MEMORY.
 */
export interface NativeTextPreparer {
  /**
   * Cuts texts of one language (a number below 256) into pieces; the first one begins at `begin`. Returns the pieces that have no
   * meaning yet in this language.
   */
  scan(texts: Uint8Array, begin: number, ends: Uint32Array, language: number): string[];
  /**
   * Gives all returned pieces their meaning: how many terms each has, and their terms; how many words each has (-1 where its
   * tokens depend on the text around it), how many tokens each word has, and their tokens.
   */
  define(
    termCounts: Uint32Array,
    terms: readonly string[],
    wordCounts: Int32Array,
    wordTokens: Uint32Array,
    tokens: Int32Array,
  ): void;
  /**
   * Writes the vectors of some of the scanned texts to consecutive rows. Returns how many tokens each has; -1 where the text has to
   * be embedded otherwise.
   */
  embed(places: Int32Array, vectors: Float32Array, row: number): Int32Array;
  /** Packs the terms of the scanned texts under ascending keys. */
  pack(keys: Float64Array): void;
  /** The packed terms of all texts since the last `take`. */
  take(): Uint8Array<ArrayBuffer>;
  /** Drops what was packed since the last `take`. */
  drop(): void;
}

/** Exports of the addon for texts. */
export interface TextsAddon {
  /** Without a table it does not embed. The arrays are not copied. */
  readonly TextPreparer: new (
    table?: Uint8Array,
    scales?: Float32Array,
    isInt4?: boolean,
    unknown?: number,
    maxTokens?: number,
    saturation?: Float64Array,
  ) => NativeTextPreparer;
  /** Of each text the first 128 bits of the SHA-256 of its UTF-8, as base64url. */
  contentHashes(texts: readonly string[]): string[];
  encodeTexts(texts: readonly string[]): EncodedTexts;
}
