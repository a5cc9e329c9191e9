import type { NativeTask } from './native-task.js';

/** A mapped terms file. Searches and merges keep what they use, also when it is closed meanwhile. */
export interface NativeTermsFile {
  readonly items: number;
  /** Number of distinct terms. */
  readonly terms: number;
  readonly bytes: number;
  /** Identifies the contents: XXH64 of the header, which holds the checksums of all sections; 16 hexadecimal digits. */
  readonly checksum: string;
  /** The number given when it was written. */
  readonly source: number;
  /** Whether the file was cut short, replaced or written to since it was mapped; not when it was removed. */
  hasChanged(): boolean;
  close(): void;
}

/**
 * An inverted index in memory that grows. Searches see the documents that it had when they began. Errors leave it without
 * the documents of the call.
 */
export interface NativeTermsTail {
  readonly items: number;
  /** Bytes of native memory. */
  readonly memory: number;
  /**
   * Appends the documents of a batch of packed terms whose first key is `firstKey`: all, or those with one of the
   * ascending `keys`, of which none may be missing. Returns their number. Throws INVALID_FILE.
   */
  append(batch: Uint8Array, firstKey: number, keys: Float64Array | undefined): number;
  /** The same on the thread pool; calls take effect in any order unless they are awaited. */
  appendLater(batch: Uint8Array, firstKey: number, keys: Float64Array | undefined): Promise<number>;
  close(): void;
}

/** A file as it was written. */
export interface WrittenTerms {
  readonly items: number;
  readonly bytes: number;
  readonly checksum: string;
}

/** The documents that have a term, by ascending keys; how often each of them has it, and its length in terms. */
export interface NativePostings {
  readonly keys: Float64Array;
  readonly frequencies: Uint32Array;
  readonly lengths: Uint32Array;
}

/** Exports of the addon for terms. `sources`, `items` and `dead` have an element for each part. */
export interface TermsAddon {
  /** Maps a file; checks its header and the bounds of its sections. Throws INVALID_FILE or IO. */
  readonly TermsFile: new (
    path: string,
  ) => NativeTermsFile;
  readonly TermsTail: new () => NativeTermsTail;
  /** Compares checksums, and with `structure` checks everything; resolves to what is wrong, or to undefined. */
  validateTerms(path: string, structure: boolean, task: NativeTask): Promise<string | undefined>;
  /** Merges the parts, without their dead items, into a file that is replaced at once or not at all. */
  writeTerms(
    path: string,
    sources: readonly (NativeTermsFile | NativeTermsTail)[],
    items: readonly number[],
    dead: readonly (Uint32Array | undefined)[],
    source: number,
    threads: number,
    task: NativeTask,
  ): Promise<WrittenTerms>;
  /**
   * The `limit` documents with the highest BM25, best first, ties by key, without those of some ascending keys; below 0 all, in the
   * order of keys. Keys and scores in turns. `sizes`: the number of documents, the sum of their lengths, and that of the weights.
   */
  rankPostings(
    postings: readonly NativePostings[],
    weights: Float64Array,
    sizes: Float64Array,
    without: Float64Array,
    limit: number,
  ): Float64Array;
  /** The same on the thread pool. */
  rankPostingsLater(
    postings: readonly NativePostings[],
    weights: Float64Array,
    sizes: Float64Array,
    without: Float64Array,
    limit: number,
    task: NativeTask,
  ): Promise<Float64Array>;
  /** The BM25 of documents by key, in any order; 0 for one without a term. */
  scorePostings(
    postings: readonly NativePostings[],
    weights: Float64Array,
    sizes: Float64Array,
    keys: Float64Array,
  ): Float64Array;
}
