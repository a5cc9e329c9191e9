import type { ErrorCode } from '../errors.js';
import type { ParsedContent, ReadLimits } from './content/file-content.js';
import type { FileFormat } from './content/file-formats.js';

/** To a thread: a file to read. */
export interface ParseRequest {
  readonly bytes: Uint8Array;
  readonly format: FileFormat;
  readonly name: string;
  readonly limits: ReadLimits;
}

/** From a thread. */
export type ParseReply =
  | { readonly content: ParsedContent }
  | {
      readonly error: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly hint: string;
        readonly details: Readonly<Record<string, unknown>>;
      };
    };
