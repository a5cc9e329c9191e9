import type { NativeTermsFile } from '../../addon/native-terms.js';
import { SemanticIndexError } from '../../errors.js';
import type { SegmentRow } from '../catalog/segment-table.js';
import { ioError, isSystemError } from '../directory/files.js';
import { termsFile } from '../directory/segment-names.js';
import { openTermsFile } from '../directory/terms-files.js';
import type { CatalogClient } from '../writer/catalog-client.js';
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
    const file = await openTermsFile(directory, row, { inFull });
    if (file !== undefined) return new StoredTerms(file, request, onLost, inFull);
  } catch (failure) {
    const typed = isSystemError(failure) ? ioError(`Cannot read ${termsFile(row.file)}`, failure) : failure;
    if (!SemanticIndexError.is(typed)) throw typed;
    error = typed;
  }
  onLost(row, error);
  return TermsInMemory.ofSegment(reader, request.keys(), stateOf(error));
}

function stateOf(error: SemanticIndexError | undefined): Exclude<TermsState, 'stored'> {
  return error === undefined ? 'missing' : 'damaged';
}

/** Terms in a file, whose answers never come from damaged bytes. */
class StoredTerms implements SegmentTerms {
  readonly #file: NativeTermsFile;
  readonly #request: TermsRequest;
  readonly #onLost: OnTermsLost;
  readonly #checkFirst: boolean;
  #firstCheck: Promise<void> | undefined;
  #opening: Promise<SegmentTerms> | undefined;
  #successor: SegmentTerms | undefined;
  #state: TermsState = 'stored';
  #isClosed = false;

  constructor(file: NativeTermsFile, request: TermsRequest, onLost: OnTermsLost, isChecked: boolean) {
    this.#file = file;
    this.#request = request;
    this.#onLost = onLost;
    this.#checkFirst = !isChecked && file.bytes <= maxCheckedFirst;
  }

  get state(): TermsState {
    return this.#state;
  }

  async source(signal?: AbortSignal): Promise<TermsSource> {
    if (this.#checkFirst) {
      this.#firstCheck ??= this.verify().catch((error: unknown) => {
        this.#firstCheck = undefined;
        throw error;
      });
      await this.#firstCheck;
    }
    return this.#opening === undefined ? this.#file : (await this.#opening).source(signal);
  }

  async isSound(source: TermsSource): Promise<boolean> {
    if (this.#opening === undefined && this.#file.hasChanged()) await this.#replace();
    return this.#opening === undefined ? source === this.#file : (await this.#opening).isSound(source);
  }

  async verify(signal?: AbortSignal): Promise<void> {
    if (this.#opening !== undefined) return (await this.#opening).verify(signal);
    try {
      const { directory, row } = this.#request;
      (await openTermsFile(directory, row, { inFull: true, signal }))?.close();
    } catch (error) {
      if (!SemanticIndexError.is(error, 'INVALID_FILE')) throw error;
      await this.#replace();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#file.close();
    this.#successor?.close();
  }

  /** Opens the terms again; this time all bytes are compared. */
  #replace(): Promise<SegmentTerms> {
    const onLost: OnTermsLost = (row, error) => {
      this.#state = stateOf(error);
      this.#onLost(row, error);
    };
    this.#opening ??= openStoredTerms(this.#request, onLost, true).then(
      (opened) => {
        this.#successor = opened;
        if (this.#isClosed) opened.close();
        return opened;
      },
      (error: unknown) => {
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }
}
