import { addon } from '../addon/addon.js';
import type {
  NativeColumnRows,
  NativeColumns,
  NativeColumnsSnapshot,
  NativeFilteredItems,
  WrittenColumns,
} from '../addon/native-columns.js';
import { runNativeReading, runNativeTask } from '../addon/native-task.js';
import type { LongWorkOptions } from '../types.js';
import type { FilterProgram } from './filter-program.js';

/** A part that is written: its metadata at one point in time, and the items whose document was deleted. */
export interface ColumnsPart {
  readonly snapshot: NativeColumnsSnapshot;
  readonly dead?: Uint32Array | undefined;
}

/** Options for `writeColumns`. */
export interface WriteColumnsOptions extends Pick<LongWorkOptions, 'signal'> {
  /** A number to recognise the file by: an integer from 0 to 2^53 - 1. */
  readonly source?: number | undefined;
  /** Default: as many as the machine has. The bytes do not depend on it. */
  readonly threads?: number | undefined;
}

/** Items times bytes of a program up to which a filter is evaluated at once: about 0.1 ms, the time of a thread hop. */
const maxImmediateWork = 1 << 23;

/**
 * Maps the columns file at `path`. Checks the header and the bounds of the sections, and reads nothing else.
 *
 * @throws INVALID_FILE when it is not a columns file, has another version or a damaged header; IO.
 */
export function openColumns(path: string): NativeColumns {
  return new (addon().Columns)(path);
}

/** Creates columns in memory, without documents. */
export function createColumns(): NativeColumns {
  return new (addon().Columns)(undefined);
}

/** The metadata that the columns have now; later changes do not show in it. */
export function snapshotOf(columns: NativeColumns): NativeColumnsSnapshot {
  return new (addon().ColumnsSnapshot)(columns);
}

/**
 * Merges the pieces that changes have left in memory, when there are many. Call it after changes.
 *
 * @throws The signal's reason.
 */
export async function compactColumns(columns: NativeColumns, signal?: AbortSignal | undefined): Promise<void> {
  if (columns.isDue) await runNativeTask('columns', { signal }, (task) => columns.compact(task));
}

/**
 * The items of each part that match a filter: for certain, and possibly where columns cannot decide. Small filters of small parts
 * are evaluated at once, others on the thread pool.
 *
 * @throws INVALID_FILE when a file is damaged, or the signal's reason.
 */
export async function filterColumns(
  snapshots: readonly NativeColumnsSnapshot[],
  program: FilterProgram,
  signal?: AbortSignal | undefined,
): Promise<readonly NativeFilteredItems[]> {
  signal?.throwIfAborted();
  const items = snapshots.reduce((sum, snapshot) => sum + snapshot.items, 0);
  if (items * program.length <= maxImmediateWork) return snapshots.map((snapshot) => snapshot.filter(program));
  return runNativeReading('filter', { signal }, (task) => addon().filterColumns(snapshots, program, task));
}

/**
 * Reads the values of all items of a part at a path, on the thread pool.
 *
 * @throws INVALID_FILE when a file is damaged, or the signal's reason.
 */
export function readColumn(
  snapshot: NativeColumnsSnapshot,
  path: Uint8Array,
  signal?: AbortSignal | undefined,
): Promise<NativeColumnRows> {
  return runNativeReading('columns', { signal }, (task) => addon().readColumn(snapshot, path, task));
}

/**
 * Compares all checksums of a columns file and checks its whole structure. Resolves to what is wrong, or to undefined.
 *
 * @throws IO, or the signal's reason.
 */
export function validateColumns(path: string, signal?: AbortSignal | undefined): Promise<string | undefined> {
  return runNativeReading('validate', { signal }, (task) => addon().validateColumns(path, true, task));
}

/**
 * Compares the checksums of a columns file alone. Resolves to what is wrong, or to undefined.
 *
 * @throws IO, or the signal's reason.
 */
export function verifyColumns(path: string, signal?: AbortSignal | undefined): Promise<string | undefined> {
  return runNativeReading('verify', { signal }, (task) => addon().validateColumns(path, false, task));
}

/**
 * Writes the documents of the parts, without the dead ones, to one columns file: those of the first part first, each part in
 * its order. Durable when the promise resolves; after a failure or crash, `path` is the complete old or new file.
 *
 * @throws INVALID_FILE when a part is damaged, IO, or the signal's reason.
 */
export function writeColumns(
  path: string,
  parts: readonly ColumnsPart[],
  { source = 0, threads = 0, signal }: WriteColumnsOptions = {},
): Promise<WrittenColumns> {
  const snapshots = parts.map(({ snapshot }) => snapshot);
  const dead = parts.map((part) => part.dead);
  return runNativeTask('columns', { signal }, (task) =>
    addon().writeColumns(path, snapshots, dead, source, threads, task),
  );
}
