import type { NativeTask } from './native-task.js';

/**
 * Checksums of a forest, in hexadecimal: SHA-256 of its parts, where `ends` covers the first and last 4096 bytes of the
 * file, and in `content` the XXH64 of the whole file.
 */
export interface NativeDigest {
  readonly items: string;
  readonly forest: string;
  readonly ends: string;
  readonly content: string;
}

/** Why a graph index is not used. */
export interface NativeGraphFault {
  readonly message: string;
  /** Whether it was derived from another forest, as opposed to damaged or of another version. */
  readonly isForeign: boolean;
}

/** What the check of a forest's structure found; at most 64 findings are listed. */
export interface NativeStructureReport {
  readonly errors: number;
  readonly trees: number;
  readonly items: number;
  readonly holes: number;
  readonly findings: readonly { defect: string; tree: number; node: number; item: number }[];
}

/** Counts and sizes of an index as it is now. */
export interface NativeFacts {
  readonly items: number;
  readonly trees: number;
  readonly nodes: number;
  readonly nodeBytes: number;
  readonly heapBytes: number;
  readonly mappedBytes: number;
  readonly fileBytes: number;
  readonly graphBytes: number;
  /** Whether a search has met bytes of the graph index that make no sense, and goes without it since. */
  readonly graphDamaged: boolean;
  /** Whether the first search found that the graph index was derived from another forest; it is not used since. */
  readonly graphForeign: boolean;
}

/**
 * The native side of AnnoyIndex. It trusts types and lengths, which the TypeScript side checks, and nothing else; errors are
 * SemanticIndexErrors. Methods that return a promise run on the thread pool and hold on to the memory they use.
 */
export interface NativeIndex {
  startOnDisk(path: string): void;
  /** Stops owning the file of an on-disk build, which is then not removed with this object. */
  releaseDisk(): void;
  /** Owns the file at `path`, which is removed with this object, like that of an on-disk build. */
  ownDisk(path: string): void;
  addItems(first: number, rows: Float32Array): void;
  itemVector(item: number, out: Float32Array): void;
  /** Fills `out` with the vectors of the items from `first` on, NaN where a number was left out. */
  itemVectors(first: number, out: Float32Array): void;
  distance(left: number, right: number): number;
  facts(): NativeFacts;
  /** Frees everything permanently; pending work does not restore anything. */
  close(): void;
  /** Frees everything; items can be added, or a file loaded, again. */
  unload(): void;
  /** Makes `target`, a fresh index of the same metric and f, a second owner of the forest, for work in several steps. */
  shareInto(target: NativeIndex): void;
  search(
    query: Float32Array,
    k: number,
    searchK: number,
    allowed: Uint32Array | undefined,
    items: Int32Array,
    distances: Float32Array | undefined,
  ): number;
  searchItem(
    item: number,
    k: number,
    searchK: number,
    allowed: Uint32Array | undefined,
    items: Int32Array,
    distances: Float32Array | undefined,
  ): number;
  searchMany(
    queries: Float32Array,
    k: number,
    searchK: number,
    allowed: Uint32Array | undefined,
    exact: boolean,
    threads: number,
    items: Int32Array,
    distances: Float32Array,
    task: NativeTask,
  ): Promise<void>;
  build(trees: number, seed: number, threads: number, task: NativeTask): Promise<void>;
  unbuild(): Promise<void>;
  load(path: string): void;
  loadLater(path: string, prefault: boolean): Promise<void>;
  fromBytes(bytes: Uint8Array): Promise<void>;
  toBytes(target: Uint8Array): Promise<void>;
  save(path: string): Promise<void>;
  digest(task: NativeTask): Promise<NativeDigest>;
  /** The `content` of `digest` alone, which takes a fraction of the time. */
  content(task: NativeTask): Promise<string>;
  /** Whether both forests have the same bytes; all of them are compared. */
  equals(other: NativeIndex, task: NativeTask): Promise<boolean>;
  validate(task: NativeTask): Promise<NativeStructureReport>;
  prefault(): Promise<void>;
  /** Derives the graph index of the forest, and searches with it from then on. */
  buildGraph(threads: number, task: NativeTask): Promise<void>;
  saveGraph(path: string): Promise<void>;
  /**
   * Maps a graph index; returns why it is not used, or undefined when it is. `content` is the checksum of the whole
   * forest if it is known; otherwise the first search compares the forest.
   */
  loadGraph(path: string, content?: string): NativeGraphFault | undefined;
  /** Compares all checksums of the graph index; resolves to what is wrong, or to undefined. */
  verifyGraph(task: NativeTask): Promise<NativeGraphFault | undefined>;
}

/** The native side of VectorBuffer. */
export interface NativeVectorBuffer {
  readonly rows: number;
  readonly byteLength: number;
  append(rows: Float32Array): void;
  row(item: number, out: Float32Array): void;
  search(
    queries: Float32Array,
    k: number,
    limit: number,
    allowed: Uint32Array | undefined,
    threads: number,
    items: Int32Array,
    distances: Float32Array,
    task: NativeTask,
  ): Promise<void>;
  dropInto(target: NativeVectorBuffer, count: number): void;
  hasChanged(): boolean;
  close(): void;
}
