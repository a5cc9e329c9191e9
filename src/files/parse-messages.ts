import type { ErrorCode } from '../errors.js';
import type { ReadLimits } from './content/file-content.js';
import type { FileFormat } from './content/file-formats.js';

/** To a thread: a file to read. */
export interface ParseRequest {
  readonly bytes: Uint8Array;
  readonly format: FileFormat;
  readonly name: string;
  readonly limits: ReadLimits;
}

/** An error as it is sent between threads. */
export interface ParseFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * From a thread: the content of a file, which ends its work, or a part of it, after which the thread waits for `nextPart`. Parts are
 * so small that taking one over does not hold the event loop.
 */
export type ParseReply<Content = unknown, Part = unknown> =
  | { readonly content: Content }
  | { readonly part: Part }
  | { readonly error: ParseFailure };

/** To a thread: the last part has been taken over. */
export const nextPart = 'next';
