import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { getSystemErrorName } from 'node:util';
import { type ErrorCode, SemanticIndexError, type SemanticIndexErrorOptions } from '../errors.js';

/** Progress and cancellation of long native work. */
export interface NativeTask {
  cancel(): void;
  readonly done: number;
  readonly total: number;
}

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

/** Why an accelerator is not used. */
export interface NativeAcceleratorFault {
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
  readonly acceleratorBytes: number;
  /** Whether a search has met bytes of the accelerator that make no sense, and goes without it since. */
  readonly acceleratorDamaged: boolean;
  /** Whether the first search found that the accelerator was derived from another forest; it is not used since. */
  readonly acceleratorForeign: boolean;
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
  /** Derives the accelerator of the forest, and searches with it from then on. */
  accelerate(threads: number, task: NativeTask): Promise<void>;
  saveAccelerator(path: string): Promise<void>;
  /**
   * Maps an accelerator; returns why it is not used, or undefined when it is. `content` is the checksum of the whole
   * forest if it is known; otherwise the first search compares the forest.
   */
  loadAccelerator(path: string, content?: string): NativeAcceleratorFault | undefined;
  /** Compares all checksums of the accelerator; resolves to what is wrong, or to undefined. */
  verifyAccelerator(task: NativeTask): Promise<NativeAcceleratorFault | undefined>;
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
  close(): void;
}

/** Exports of the addon. A metric is its position in METRICS. */
export interface Addon {
  initialize(makeError: (code: string, message: string, systemError: number) => Error): void;
  readonly Task: new () => NativeTask;
  readonly Index: new (metric: number, f: number) => NativeIndex;
  readonly VectorBuffer: new (metric: number, dimensions: number) => NativeVectorBuffer;
  /** Writes a whole file: afterwards, and after any failure, it is the old one or the new one. */
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
  /** Cancels all native work of this thread for good; waits for its end, at most `limit` milliseconds. */
  stopWork(limit: number): void;
  /** Syncs the directory of `path`, so that renames survive a power cut. */
  syncFolder(path: string): Promise<void>;
  /**
   * Adds the rows of the first `count` ids, in order and each times its scale, to `sums`. Rows hold one integer per byte,
   * or two, each plus 8, with the even column in the low nibble; their length is a multiple of 16 bytes.
   */
  sumRows(
    table: Uint8Array,
    scales: Float32Array,
    ids: Int32Array,
    count: number,
    isInt4: boolean,
    sums: Float32Array,
  ): void;
  /** The instruction set in use: scalar, avx2, avx512 or neon. */
  instructionSet(): string;
  /** Those that this processor can run, best first. */
  instructionSets(): string[];
}

const hintsOfSystemErrors: Readonly<Record<string, string>> = {
  ENOENT: 'Check the path: the file or directory does not exist.',
  EISDIR: 'Pass the path of a file, not of a directory.',
  EACCES: 'Check the permissions of the file and its directory.',
  EPERM: 'Check the permissions of the file and its directory.',
  EROFS: 'The file system is read-only; choose another directory.',
  ENOSPC: 'The disk is full; free space or choose another disk.',
  EDQUOT: 'The quota is used up; free space or choose another disk.',
  EMFILE: 'Too many files are open; close indexes that are not needed.',
};

/** Makes the error that native code throws. `systemError` is an errno where the operating system refused, else 0. */
function makeError(code: string, message: string, systemError: number): SemanticIndexError {
  const options: SemanticIndexErrorOptions = {};
  if (systemError !== 0 && process.platform !== 'win32') {
    const name = getSystemErrorName(-systemError);
    options.details = { systemError: name };
    const hint = hintsOfSystemErrors[name];
    if (hint !== undefined) options.hint = hint;
  }
  return new SemanticIndexError(code as ErrorCode, message, options);
}

function candidates(): string[] {
  const chosen = process.env.SEMANTIC_INDEX_ADDON;
  if (chosen !== undefined && chosen !== '') return [chosen];
  const root = new URL('../../', import.meta.url);
  return [
    'native/build/Release/semantic_index.node',
    `prebuilds/${process.platform}-${process.arch}/semantic_index.node`,
  ].map((path) => fileURLToPath(new URL(path, root)));
}

/** The sources of the addon are in the package; what compiles them is not. */
function howToCompile(): string {
  const native = fileURLToPath(new URL('../../native', import.meta.url));
  const tools = 'npm install --no-save cmake-js node-addon-api node-api-headers';
  return (
    `No prebuilt addon for ${process.platform}-${process.arch} is installed. Compile it, with cmake and a C++17 compiler: ` +
    `${tools} && npx cmake-js compile --directory ${JSON.stringify(native)}`
  );
}

let loaded: Addon | undefined;

/**
 * Time that an exit gives cancelled work to end, in milliseconds. Only a slow disk needs more; that work ends with the
 * process, and leaves a temporary file at most.
 */
const EXIT_LIMIT = 1000;

/**
 * The addon, loaded at the first call: the file that the environment variable SEMANTIC_INDEX_ADDON names, else the one
 * compiled in native/build, else the one in prebuilds/ for this platform.
 *
 * @throws ADDON_MISSING when none exists that this platform can load; `cause` has the reason.
 */
export function addon(): Addon {
  if (loaded !== undefined) return loaded;
  const require = createRequire(import.meta.url);
  const paths = candidates();
  const failures: unknown[] = [];
  for (const path of paths) {
    if (!existsSync(path)) continue;
    try {
      const found = require(path) as Addon;
      found.initialize(makeError);
      process.once('exit', () => found.stopWork(EXIT_LIMIT));
      loaded = found;
      return found;
    } catch (error) {
      failures.push(error);
    }
  }
  const reason =
    failures.length === 0
      ? `expected a file at ${paths.join(' or ')}, got none`
      : failures.map((failure) => (failure instanceof Error ? failure.message : String(failure))).join('; ');
  throw new SemanticIndexError('ADDON_MISSING', `The native addon cannot be loaded: ${reason}`, {
    hint: howToCompile(),
    cause: failures[0],
    details: { paths, platform: process.platform, arch: process.arch, node: process.version },
  });
}

/** The instruction set that distances are computed with here: scalar, avx2, avx512 or neon. @throws ADDON_MISSING */
export function instructionSet(): string {
  return addon().instructionSet();
}
