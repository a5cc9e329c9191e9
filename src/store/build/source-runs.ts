import { SemanticIndexError } from '../../errors.js';
import { addItem, type Bitset, createBitset } from '../../vectors/bitset.js';
import type { SegmentRow } from '../catalog/segment-table.js';
import { countBelow } from '../catalog/sorted-keys.js';
import type { ExpectedFiles, FileCheck } from '../directory/derived-files.js';

/** A file beside the vectors of a segment, to be made. */
export interface FileBuildRequest {
  readonly directory: string;
  /** The .ann file of its segment. */
  readonly file: string;
  /** Modification time of the files of its segment. */
  readonly modified: number;
  /** Segments with documents of its range, whose files may be used. */
  readonly sources: readonly SegmentRow[];
  /** Keys of the items, ascending. */
  readonly keys: Float64Array;
  readonly threads: number;
}

/** Documents of a new segment that lie in one of those that it replaces, or in none. */
export interface SourceRun {
  /** Ascending; may be empty. */
  readonly keys: Float64Array;
  readonly row: SegmentRow | undefined;
}

/** Divides the keys of a new segment (ascending) by the segments that it replaces. */
export function sourceRuns(keys: Float64Array, sources: readonly SegmentRow[]): SourceRun[] {
  const runs: SourceRun[] = [];
  let rest = keys;
  for (const row of [...sources].sort((a, b) => a.first_key - b.first_key)) {
    const [before, own] = [countBelow(rest, row.first_key), countBelow(rest, row.last_key + 1)];
    runs.push({ keys: rest.subarray(0, before), row: undefined }, { keys: rest.subarray(before, own), row });
    rest = rest.subarray(own);
  }
  runs.push({ keys: rest, row: undefined });
  return runs;
}

/** The items of a segment that are not among the keys; undefined when a key is not one of its items. */
export function deadItems(
  { first_key, items }: SegmentRow,
  offsets: Uint32Array,
  keys: Float64Array,
): Bitset | undefined {
  if (offsets.length !== items) return undefined;
  const dead = createBitset(items, false);
  let position = 0;
  for (const [item, offset] of offsets.entries()) {
    if (first_key + offset === keys[position]) position++;
    else addItem(dead, item);
  }
  return position === keys.length ? dead : undefined;
}

/**
 * A file of a replaced segment, undefined if it is missing or damaged. A damaged one would make the next one wrong: all of it is
 * compared.
 *
 * @throws The reason of the signal.
 */
export async function soundSource<File>(
  open: (directory: string, row: ExpectedFiles, check: FileCheck, signal: AbortSignal) => Promise<File | undefined>,
  directory: string,
  row: SegmentRow,
  signal: AbortSignal,
): Promise<File | undefined> {
  try {
    return await open(directory, row, 'checksums', signal);
  } catch (error) {
    signal.throwIfAborted();
    if (SemanticIndexError.is(error, 'INVALID_FILE') || SemanticIndexError.is(error, 'IO')) return undefined;
    throw error;
  }
}

/** @throws INTERNAL unless a written file has all documents. */
export function checkItems(name: string, keys: Float64Array, items: number): void {
  if (items === keys.length) return;
  throw new SemanticIndexError('INTERNAL', `Expected ${keys.length} documents in ${name}, got ${items}`);
}
