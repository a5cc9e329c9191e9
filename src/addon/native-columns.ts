import type { NativeTask } from './native-task.js';

/** A columns file as it was opened. */
export interface NativeColumnsFile {
  readonly columns: number;
  readonly bytes: number;
  /** Identifies the contents: XXH64 of the header, which holds the checksums of all sections; 16 hexadecimal digits. */
  readonly checksum: string;
  /** The number given when it was written. */
  readonly source: number;
  /** Documents whose metadata no column describes. */
  readonly opaque: number;
  /** Documents with paths that have no column. */
  readonly incomplete: number;
}

/**
 * The metadata of the documents of one part: a mapped file or nothing, documents that were appended, and metadata that was
 * replaced. Snapshots keep what they show.
 */
export interface NativeColumns {
  readonly items: number;
  /** Bytes of native memory. */
  readonly memory: number;
  /** Pieces that a filter is evaluated on, one after the other. */
  readonly layers: number;
  /** Whether there are so many pieces that `compact` merges some. */
  readonly isDue: boolean;
  /** The mapped file, undefined without one. */
  file(): NativeColumnsFile | undefined;
  /** Whether the file was cut short, replaced or written to since it was mapped; not when it was removed. */
  hasChanged(): boolean;
  /**
   * Appends the documents of a batch of packed metadata whose first key is `firstKey`: all, or those with one of the
   * ascending `keys`. Returns their number.
   */
  append(batch: Uint8Array, firstKey: number, keys: Float64Array | undefined): number;
  /** The same on the thread pool; calls take effect in any order unless they are awaited. */
  appendLater(batch: Uint8Array, firstKey: number, keys: Float64Array | undefined): Promise<number>;
  /**
   * Replaces the metadata of items by that of the documents with the ascending `keys`; `items` has one for each key. Returns how
   * many were replaced.
   */
  replace(batch: Uint8Array, firstKey: number, keys: Float64Array, items: Int32Array): number;
  /** The same on the thread pool; calls take effect in any order unless they are awaited. */
  replaceLater(batch: Uint8Array, firstKey: number, keys: Float64Array, items: Int32Array): Promise<number>;
  /** Merges pieces in memory until there are few. Changes can be made meanwhile. */
  compact(task: NativeTask): Promise<void>;
  close(): void;
}

/** The items of a part that match a filter, as sets: item i is in one when bit i % 32 of word i / 32 is set. */
export interface NativeFilteredItems {
  /** Items that match for certain. */
  readonly certain: Uint32Array;
  /** These, and items that the columns cannot decide; undefined when there are none of those. */
  readonly possible: Uint32Array | undefined;
}

/** The metadata of a part at one point in time. */
export interface NativeColumnsSnapshot {
  readonly items: number;
  /** Evaluates a filter program on this thread. */
  filter(program: Uint8Array): NativeFilteredItems;
  close(): void;
}

/** What all items of a part have at one path. */
export interface NativeColumnRows {
  /** For each item the end of its ids in `ids`; they begin where those of the item before end. */
  readonly ends: Uint32Array;
  readonly ids: Uint32Array;
  /** The value of each id; see native/kernel/columns/layers/column_rows.h. */
  readonly values: Uint8Array;
  readonly valueCount: number;
  /** Items that no column describes. */
  readonly unknown?: Uint32Array;
}

/** A columns file as it was written. */
export interface WrittenColumns {
  readonly items: number;
  readonly columns: number;
  readonly bytes: number;
  readonly checksum: string;
}

/** Exports of the addon for columns. */
export interface ColumnsAddon {
  /** Maps a file; checks its header and the bounds of its sections. Without a path: no documents. Throws INVALID_FILE or IO. */
  readonly Columns: new (
    path: string | undefined,
  ) => NativeColumns;
  readonly ColumnsSnapshot: new (columns: NativeColumns) => NativeColumnsSnapshot;
  /** Evaluates a filter program on each part. */
  filterColumns(
    snapshots: readonly NativeColumnsSnapshot[],
    program: Uint8Array,
    task: NativeTask,
  ): Promise<NativeFilteredItems[]>;
  /** Reads the values of all items at a path. */
  readColumn(snapshot: NativeColumnsSnapshot, path: Uint8Array, task: NativeTask): Promise<NativeColumnRows>;
  /** Compares the checksums of a file, or checks its structure too; resolves to what is wrong with it, or to undefined. */
  validateColumns(path: string, structure: boolean, task: NativeTask): Promise<string | undefined>;
  /** Merges the parts, without their dead items, into a file that is replaced at once or not at all. */
  writeColumns(
    path: string,
    snapshots: readonly NativeColumnsSnapshot[],
    dead: readonly (Uint32Array | undefined)[],
    source: number,
    threads: number,
    task: NativeTask,
  ): Promise<WrittenColumns>;
}
