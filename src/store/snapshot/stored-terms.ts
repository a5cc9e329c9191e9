import { SemanticIndexError } from '../../errors.js';
import type { SegmentRow } from '../catalog/segment-table.js';
import { ioError, isSystemError } from '../directory/files.js';
import { termsFile } from '../directory/segment-names.js';
import { openTermsFile } from '../directory/terms-files.js';
import type { CatalogClient } from '../writer/catalog-client.js';
import { GuardedFiles } from './guarded-source.js';
import type { SegmentTerms, TermsSource, TermsState } from './segment-terms.js';
import { TermsInMemory } from './terms-in-memory.js';

/** Bytes that are compared with their checksums before the first search. */
const maxCheckedFirst = 16 * 2 ** 20;

/** A segment whose terms are opened. */
export interface TermsRequest {
  readonly row: SegmentRow;
  /** Keys of its items, ascending. */
  readonly keys: () => Float64Array;
  /** segments/ */
  readonly directory: string;
  readonly reader: CatalogClient;
}

/** Called when the terms of a segment have no sound file; `error` is absent when they have none. */
export type OnTermsLost = (row: SegmentRow, error: SemanticIndexError | undefined) => void;

/**
 * Opens the terms of a segment. Without a sound file its texts are analyzed again when a search needs them, and `onLost` is called:
 * now, or when the file changes later.
 */
export async function openStoredTerms(
  request: TermsRequest,
  onLost: OnTermsLost,
  inFull = false,
): Promise<SegmentTerms> {
  const { row, directory, reader } = request;
  let error: SemanticIndexError | undefined;
  try {
    const file = await openTermsFile(directory, row, inFull ? 'checksums' : 'untouched');
    if (file !== undefined) {
      return new GuardedFiles<TermsSource, TermsState>({
        source: file,
        state: 'stored',
        checkFirst: !inFull && file.bytes <= maxCheckedFirst,
        hasChanged: () => file.hasChanged(),
        isIntact: (signal) => isIntact(request, signal),
        reopen: (onState) =>
          openStoredTerms(
            request,
            (row, error) => {
              onState(stateOf(error));
              onLost(row, error);
            },
            true,
          ),
        close: () => file.close(),
      });
    }
  } catch (failure) {
    const typed = isSystemError(failure) ? ioError(`Cannot read ${termsFile(row.file)}`, failure) : failure;
    if (!SemanticIndexError.is(typed)) throw typed;
    error = typed;
  }
  onLost(row, error);
  return TermsInMemory.ofSegment(reader, request.keys(), stateOf(error));
}

/** A file that was removed counts as intact: its mapping is. */
async function isIntact({ row, directory }: TermsRequest, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    (await openTermsFile(directory, row, 'checksums', signal))?.close();
    return true;
  } catch (error) {
    if (!SemanticIndexError.is(error, 'INVALID_FILE')) throw error;
    return false;
  }
}

function stateOf(error: SemanticIndexError | undefined): Exclude<TermsState, 'stored'> {
  return error === undefined ? 'missing' : 'damaged';
}
