import type { Listed, Resolved } from './resolve-options.js';

/** Options of `parseFile(file, options)`. */
export interface ParseFileOptions {
  /** Name of the file, whose ending is its format; required for bytes. Default: the path. */
  name?: string | undefined;
  /**
   * Encoding of text without a byte-order mark that is not valid UTF-8, as a label of the Encoding Standard:
   * `windows-1252`, `shift_jis`. Default: none; such files are invalid.
   */
  encoding?: string | undefined;
  /** Max. bytes of a file. Default 100,000,000. */
  maxFileBytes?: number | undefined;
  /** Max. characters of its text. Default 20,000,000. */
  maxCharacters?: number | undefined;
  /** Max. milliseconds for one file. Default 60,000. */
  timeout?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Defaults of {@link ParseFileOptions}. */
export const parseFileDefaults = {
  name: undefined,
  encoding: undefined,
  maxFileBytes: 100_000_000,
  maxCharacters: 20_000_000,
  timeout: 60_000,
  signal: undefined,
} satisfies Listed<ParseFileOptions>;

/** {@link ParseFileOptions}, completed by the defaults. */
export type ResolvedParseFileOptions = Resolved<ParseFileOptions, typeof parseFileDefaults>;
