import type { NativeTermsFile, NativeTermsTail } from '../../addon/native-terms.js';
import { SemanticIndexError } from '../../errors.js';
import type { FileCheck } from '../directory/derived-files.js';
import { ioError, isSystemError } from '../directory/files.js';
import { GuardedFiles, type GuardedSource } from './guarded-source.js';

/**
 * How something derived from documents is stored: `stored` as it should be, `missing` when it has no file or no rows, `damaged` when
 * what is stored is not what was written.
 */
export type StoredState = 'stored' | 'missing' | 'damaged';

/** What terms are read from. */
export type TermsSource = NativeTermsFile | NativeTermsTail;

/** The terms of a segment, or of the tail, of at least its items, which have the same numbers. */
export type SegmentTerms = GuardedSource<TermsSource, StoredState>;

/** A state in which what is stored is not used. */
export type LostState = Exclude<StoredState, 'stored'>;

/** A file that was opened. */
export interface OpenedFile<Source> {
  readonly source: Source;
  readonly bytes: number;
  hasChanged(): boolean;
  close(): void;
}

/** A derived file of a segment. */
export interface StoredFile<Source> {
  readonly name: string;
  /** Undefined when there is none; INVALID_FILE when it is not the one that was written. */
  open(check: FileCheck, signal?: AbortSignal): Promise<OpenedFile<Source> | undefined>;
  /** What is used without it. */
  without(state: LostState): GuardedSource<Source, StoredState>;
}

/** Called when a segment has no sound file; `error` is absent when it has none. */
export type OnLost = (error: SemanticIndexError | undefined) => void;

/** Bytes that are compared with their checksums before the first search. */
const maxCheckedFirst = 16 * 2 ** 20;

/** Opens a derived file. What is used without it comes in its place, and `onLost` is called: now, or when the file changes later. */
export async function openStoredFile<Source>(
  file: StoredFile<Source>,
  onLost: OnLost,
  inFull = false,
): Promise<GuardedSource<Source, StoredState>> {
  let error: SemanticIndexError | undefined;
  try {
    const opened = await file.open(inFull ? 'checksums' : 'untouched');
    if (opened !== undefined) {
      return new GuardedFiles<Source, StoredState>({
        source: opened.source,
        state: 'stored',
        checkFirst: !inFull && opened.bytes <= maxCheckedFirst,
        hasChanged: () => opened.hasChanged(),
        isIntact: (signal) => isIntact(file, signal),
        reopen: (onState) =>
          openStoredFile(
            file,
            (error) => {
              onState(stateOf(error));
              onLost(error);
            },
            true,
          ),
        close: () => opened.close(),
      });
    }
  } catch (failure) {
    const typed = isSystemError(failure) ? ioError(`Cannot read ${file.name}`, failure) : failure;
    if (!SemanticIndexError.is(typed)) throw typed;
    error = typed;
  }
  onLost(error);
  return file.without(stateOf(error));
}

/** A file that was removed counts as intact: its mapping is. */
async function isIntact<Source>(file: StoredFile<Source>, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    (await file.open('checksums', signal))?.close();
    return true;
  } catch (error) {
    if (!SemanticIndexError.is(error, 'INVALID_FILE')) throw error;
    return false;
  }
}

function stateOf(error: SemanticIndexError | undefined): LostState {
  return error === undefined ? 'missing' : 'damaged';
}
