import type { SegmentRow } from '../catalog/segment-table.js';
import type { SortedKeys } from '../catalog/sorted-keys.js';
import { openColumnsFile } from '../directory/derived-files.js';
import { columnsFile } from '../directory/segment-names.js';
import type { GuardedSource } from './guarded-source.js';
import { PartColumns } from './part-columns.js';
import { type LostState, type OnLost, openStoredFile, type StoredState } from './stored-file.js';

/** The metadata columns of a segment in its file; undefined where they have to be read from the catalog. */
export type SegmentColumns = GuardedSource<PartColumns | undefined, StoredState>;

/** Opens the columns file of a segment. Without a sound one its metadata is read from the catalog when it is filtered. */
export function openStoredColumns(
  row: SegmentRow,
  keys: SortedKeys,
  directory: string,
  onLost: OnLost,
): Promise<SegmentColumns> {
  return openStoredFile<PartColumns | undefined>(
    {
      name: columnsFile(row.file),
      open: async (check, signal) => {
        const native = await openColumnsFile(directory, row, check, signal);
        if (native === undefined) return undefined;
        return {
          source: PartColumns.ofFile(native, keys, row.columns_change ?? 0),
          bytes: native.file()?.bytes ?? 0,
          hasChanged: () => native.hasChanged(),
          close: () => native.close(),
        };
      },
      without: lostColumns,
    },
    onLost,
  );
}

/** The columns of a segment without a sound file. */
export function lostColumns(state: LostState): SegmentColumns {
  return {
    state,
    known: undefined,
    source: async () => undefined,
    isSound: async (source) => source === undefined,
    verify: async () => {},
    close: () => {},
  };
}
