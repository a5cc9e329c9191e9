import type { SegmentRow } from '../catalog/segment-table.js';
import { openTermsFile } from '../directory/derived-files.js';
import { termsFile } from '../directory/segment-names.js';
import type { CatalogClient } from '../writer/catalog-client.js';
import type { SegmentTerms, TermsSource } from './stored-file.js';
import { type OnLost, openStoredFile } from './stored-file.js';
import { TermsInMemory } from './terms-in-memory.js';

/** A segment whose terms are opened. */
export interface TermsRequest {
  readonly row: SegmentRow;
  /** Keys of its items, ascending. */
  readonly keys: () => Float64Array;
  /** segments/ */
  readonly directory: string;
  readonly reader: CatalogClient;
}

/** Opens the terms of a segment. Without a sound file its texts are analyzed again when a search needs them. */
export function openStoredTerms({ row, keys, directory, reader }: TermsRequest, onLost: OnLost): Promise<SegmentTerms> {
  return openStoredFile<TermsSource>(
    {
      name: termsFile(row.file),
      open: async (check, signal) => {
        const file = await openTermsFile(directory, row, check, signal);
        if (file === undefined) return undefined;
        const { bytes } = file;
        return { source: file, bytes, hasChanged: () => file.hasChanged(), close: () => file.close() };
      },
      without: (state) => TermsInMemory.ofSegment(reader, keys(), state),
    },
    onLost,
  );
}
