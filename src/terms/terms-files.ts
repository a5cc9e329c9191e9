import { addon } from '../addon/addon.js';
import { runNativeReading, runNativeTask } from '../addon/native-task.js';
import type { NativeTermsFile, NativeTermsTail, WrittenTerms } from '../addon/native-terms.js';
import type { LongWorkOptions } from '../types.js';

/** A terms file, or the first `items` documents of a tail. */
export interface TermsPart {
  readonly source: NativeTermsFile | NativeTermsTail;
  /** All items of a file; of a tail, those that it had at some point. */
  readonly items: number;
  /** Items whose document was deleted. */
  readonly dead?: Uint32Array | undefined;
}

/** Options for `writeTerms`. */
export interface WriteTermsOptions extends Pick<LongWorkOptions, 'signal'> {
  /** A number to recognise the file by: an integer from 0 to 2^53 - 1. */
  readonly source?: number | undefined;
  /** Default: as many as the machine has. The bytes do not depend on it. */
  readonly threads?: number | undefined;
}

/**
 * Maps the terms file at `path`. Checks the header and the bounds of the sections, and reads nothing else.
 *
 * @throws INVALID_FILE when it is not a terms file, has another version or a damaged header; IO.
 */
export function openTerms(path: string): NativeTermsFile {
  return new (addon().TermsFile)(path);
}

/** Creates an empty inverted index in memory. */
export function createTermsTail(): NativeTermsTail {
  return new (addon().TermsTail)();
}

/**
 * Compares all checksums of a terms file and checks its whole structure. Resolves to what is wrong, or to undefined.
 *
 * @throws IO, or the signal's reason.
 */
export function validateTerms(path: string, signal?: AbortSignal | undefined): Promise<string | undefined> {
  return runNativeReading('validate', { signal }, (task) => addon().validateTerms(path, true, task));
}

/**
 * Compares the checksums of a terms file alone, at about the speed of reading it. Resolves to what is wrong, or to undefined.
 *
 * @throws IO, or the signal's reason.
 */
export function verifyTerms(path: string, signal?: AbortSignal | undefined): Promise<string | undefined> {
  return runNativeReading('verify', { signal }, (task) => addon().validateTerms(path, false, task));
}

/**
 * Writes the documents of the parts, without the dead ones, to one terms file: those of the first part first, each part in
 * its order. Durable when the promise resolves; after a failure or crash, `path` is the complete old or new file. The bytes
 * depend on the documents alone.
 *
 * @throws INVALID_FILE when a part is damaged, IO, or the signal's reason.
 */
export function writeTerms(
  path: string,
  parts: readonly TermsPart[],
  { source = 0, threads = 0, signal }: WriteTermsOptions = {},
): Promise<WrittenTerms> {
  const sources = parts.map(({ source }) => source);
  const items = parts.map(({ items }) => items);
  const dead = parts.map(({ dead }) => dead);
  return runNativeTask('terms', { signal }, (task) =>
    addon().writeTerms(path, sources, items, dead, source, threads, task),
  );
}
