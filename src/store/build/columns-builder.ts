import { join } from 'node:path';
import type { NativeColumns } from '../../addon/native-columns.js';
import { vectorsPerRead } from '../../backend/batch-sizes.js';
import { type ColumnsPart, createColumns, snapshotOf, writeColumns } from '../../columns/columns.js';
import type { Bitset } from '../../vectors/bitset.js';
import type { Catalog } from '../catalog/catalog.js';
import { keptChanges } from '../catalog/metadata/metadata-table.js';
import type { NewColumnsFile, SegmentRow } from '../catalog/segment-table.js';
import { itemOf } from '../catalog/sorted-keys.js';
import { openColumnsFile } from '../directory/derived-files.js';
import { setModified } from '../directory/files.js';
import { columnsFile } from '../directory/segment-names.js';
import { checkItems, deadItems, type FileBuildRequest, soundSource, sourceRuns } from './source-runs.js';

/**
 * Derives the columns file of a segment: from those of the segments that it replaces and the log of metadata that changed since,
 * and from the catalog where there is no sound file, or the log does not reach back so far.
 */
export class ColumnsBuilder {
  readonly #catalog: Catalog;
  readonly #signal: AbortSignal;
  readonly #parts: { readonly native: NativeColumns; readonly dead?: Bitset }[] = [];

  constructor(catalog: Catalog, signal: AbortSignal) {
    this.#catalog = catalog;
    this.#signal = signal;
  }

  /** Writes the file, durable on return. */
  async write(request: FileBuildRequest): Promise<NewColumnsFile> {
    const { directory, file, modified, sources, keys, threads } = request;
    const path = join(directory, columnsFile(file));
    // Read before the metadata: what changes meanwhile is in the log after it, whether it is in the file or not.
    const change = this.#catalog.metadata.lastChange();
    try {
      for (const run of sourceRuns(keys, sources)) {
        if (run.row === undefined || !(await this.#addSegment(run.row, run.keys, directory)))
          await this.#addRows(run.keys);
      }
      const { bytes, checksum, items } = await this.#writeParts(path, threads);
      checkItems(columnsFile(file), keys, items);
      await setModified(path, modified);
      return { columns_size: bytes, columns_checksum: checksum, columns_change: change };
    } finally {
      for (const { native } of this.#parts) native.close();
    }
  }

  async #writeParts(path: string, threads: number): Promise<Awaited<ReturnType<typeof writeColumns>>> {
    const parts = this.#parts.map(({ native, dead }): ColumnsPart => ({ snapshot: snapshotOf(native), dead }));
    try {
      return await writeColumns(path, parts, { threads, signal: this.#signal });
    } finally {
      for (const { snapshot } of parts) snapshot.close();
    }
  }

  /** Adds documents of a segment from its file; false unless that is sound and has all of them. */
  async #addSegment(row: SegmentRow, keys: Float64Array, directory: string): Promise<boolean> {
    if (keys.length === 0) return true;
    const offsets = this.#catalog.segments.offsets(row.segment);
    const dead = deadItems(row, offsets, keys);
    const changed = this.#catalog.metadata.changedAfter(row.columns_change ?? 0, keptChanges);
    if (dead === undefined || changed === undefined) return false;
    const native = await soundSource(openColumnsFile, directory, row, this.#signal);
    if (native === undefined) return false;
    this.#parts.push({ native, dead });
    const own = changed.filter((key) => itemOf({ first: row.first_key, offsets }, key) >= 0);
    for (let first = 0; first < own.length; first += vectorsPerRead) {
      const some = own.slice(first, first + vectorsPerRead);
      const items = Int32Array.from(some, (key) => itemOf({ first: row.first_key, offsets }, key));
      const { data, firstKey } = this.#pack(some);
      await native.replaceLater(data, firstKey, some, items);
      await this.#pause();
    }
    return true;
  }

  async #addRows(keys: Float64Array): Promise<void> {
    if (keys.length === 0) return;
    const native = createColumns();
    this.#parts.push({ native });
    for (let first = 0; first < keys.length; first += vectorsPerRead) {
      const { data, firstKey } = this.#pack(keys.subarray(first, first + vectorsPerRead));
      await native.appendLater(data, firstKey, undefined);
      await this.#pause();
    }
  }

  #pack(keys: Float64Array): { readonly data: Uint8Array; readonly firstKey: number } {
    this.#signal.throwIfAborted();
    return this.#catalog.metadata.pack(keys);
  }

  /** Other calls to this thread come in between. */
  async #pause(): Promise<void> {
    await new Promise(setImmediate);
  }
}
