import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { getSystemErrorName } from 'node:util';
import { type ErrorCode, SemanticIndexError, type SemanticIndexErrorOptions } from '../errors.js';
import type { ColumnsAddon } from './native-columns.js';
import type { NativeIndex, NativeVectorBuffer } from './native-index.js';
import type { SearchAddon } from './native-search.js';
import type { NativeTask } from './native-task.js';
import type { TermsAddon } from './native-terms.js';
import type { TextsAddon } from './native-texts.js';

/** Exports of the addon. A metric is its position in METRICS. */
export interface Addon extends TermsAddon, SearchAddon, ColumnsAddon, TextsAddon {
  initialize(makeError: (code: string, message: string, systemError: number) => Error): void;
  readonly Task: new () => NativeTask;
  readonly Index: new (metric: number, f: number) => NativeIndex;
  readonly VectorBuffer: new (metric: number, dimensions: number) => NativeVectorBuffer;
  /** Writes a whole file: afterwards, and after any failure, it is the old one or the new one. */
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
  /** Cancels all native work of this thread for good; waits for its end, at most `limit` milliseconds. */
  stopWork(limit: number): void;
  /**
   * Whether `path` names the file with this identity, and it is not empty: sooner than `statSync`. False also where the file cannot be
   * looked at, or where the identities of Node are others.
   */
  namesFile(path: string, device: bigint, inode: bigint): boolean;
  /** Syncs the directory of `path`, so that renames survive a power cut. */
  syncFolder(path: string): Promise<void>;
  /**
   * Adds the rows of the first `count` ids, in order and each times the scale at its place, to `sums`. Rows hold one integer per
   * byte, or two, each plus 8, with the even column in the low nibble; their length is a multiple of 16 bytes.
   */
  sumRows(
    table: Uint8Array,
    ids: Int32Array,
    scales: Float32Array,
    count: number,
    isInt4: boolean,
    sums: Float32Array,
  ): void;
  /**
   * Late interaction of the tokens of a query with those of passages, one after the other (passage i ends before `ends[i]`), over a
   * table of 4-bit rows. For each passage and each token of the query: the highest cosine with any token of the passage, and 1 / the
   * least distance to an occurrence of the token before it in the query. `lengths` has one number per row, 0 before the first call.
   */
  matchTokens(
    table: Uint8Array,
    scales: Float32Array,
    lengths: Float32Array,
    query: Int32Array,
    tokens: Int32Array,
    ends: Uint32Array,
    similarities: Float32Array,
    closeness: Float32Array,
  ): void;
  /** Whether each number is larger than the one before. */
  isAscending(numbers: Uint32Array): boolean;
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
