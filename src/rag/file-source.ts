import { createHash, webcrypto } from 'node:crypto';
import { type ErrorCode, SemanticIndexError } from '../errors.js';
import { endingOf, formatOfName } from '../files/content/file-formats.js';
import { stampOf } from '../files/folders/file-stamp.js';
import { parseBytes, readBytes, requestFor } from '../files/parse-file.js';
import { ParseThreads } from '../files/parse-threads.js';
import type { ResolvedParseFileOptions } from '../options.js';
import type { ChunkRequest, PreparedChunk } from './chunk-messages.js';
import type { SourceDocument } from './chunking/chunk-documents.js';
import { parsedSource } from './parsed-source.js';

/** A skipped source, and the reason. */
export interface SkippedSource {
  /** The id of the source. */
  readonly id: string;
  readonly reason: string;
  /** Code of the error. */
  readonly code?: ErrorCode;
  /** The next step. */
  readonly hint?: string;
  /** Of a text file: `binary` is not text, `undecodable` is text in another encoding. */
  readonly kind?: 'binary' | 'undecodable';
  /** The optional packages that reading it needs, separated by spaces. */
  readonly packages?: string;
}

/** A source that is read only if it may have changed. */
export interface UnreadSource {
  readonly id: string;
  /**
   * Times and size of its file, and how it is read: a source with the same stamp is unchanged. Undefined if the file is so new that
   * another change may have the same times.
   */
  readonly stamp: string | undefined;
  /** Reads its bytes, but not its text; a source that cannot be read is reported, and its chunks stay. */
  open(): Promise<OpenedSource | SkippedSource>;
}

/** A source whose bytes are in memory. */
export interface OpenedSource {
  /** Hash of everything that its text depends on: a source with the same hash is unchanged. */
  readonly hash: string;
  /** Reads the text. */
  read(): Promise<SourceDocument | SkippedSource>;
  /** Reads the text and splits it, in a thread; the source is named `id`. */
  chunk(id: string, collection: string | undefined): Promise<readonly PreparedChunk[] | SkippedSource>;
}

const threads = new ParseThreads(new URL('./chunk-worker.js', import.meta.url));

/**
 * A file as a source for `sync`: it is read only if its times or its size have changed since the last run, and parsed only if its
 * bytes have. The option `name` decides its format; default: its path.
 */
export async function fileSource(
  path: string,
  id: string,
  options: ResolvedParseFileOptions,
): Promise<UnreadSource | SkippedSource> {
  const { encoding = '', maxCharacters, name = path } = options;
  const reading = [formatOfName(name), endingOf(name), encoding, maxCharacters].join(' ');
  const opened = async (): Promise<OpenedSource | SkippedSource> => {
    try {
      const bytes = await readBytes(path, options.maxFileBytes);
      return {
        hash: `${await hashOf(bytes)} ${reading}`,
        read: async () => {
          try {
            return parsedSource(id, await parseBytes(bytes, name, options));
          } catch (error) {
            return skippedBy(id, error);
          }
        },
        chunk: async (named, collection) => {
          const chunks: PreparedChunk[] = [];
          const onPart = (part: unknown): void => void chunks.push(...(part as readonly PreparedChunk[]));
          const { timeout, signal } = options;
          try {
            const request: ChunkRequest = { ...requestFor(bytes, name, options), id: named, collection };
            await threads.read({ request, timeout, signal, onPart });
            return chunks;
          } catch (error) {
            return skippedBy(id, error);
          }
        },
      };
    } catch (error) {
      return skippedBy(id, error);
    }
  };
  return { id, stamp: await stampOf(path, reading), open: opened };
}

/** The text of a source, whether it has changed or not. */
export async function readSource(source: UnreadSource): Promise<SourceDocument | SkippedSource> {
  const opened = await source.open();
  return isSkipped(opened) ? opened : opened.read();
}

/** @throws the error if it is not about the file. */
function skippedBy(id: string, error: unknown): SkippedSource {
  if (!SemanticIndexError.is(error) || error.code === 'INVALID_ARGUMENT') throw error;
  const { code, message: reason, hint, details } = error;
  const { packages, kind } = details as Pick<SkippedSource, 'packages' | 'kind'>;
  return { id, reason, code, hint, ...(kind !== undefined && { kind }), ...(packages !== undefined && { packages }) };
}

const maxInlineBytes = 262_144;

async function hashOf(bytes: Uint8Array): Promise<string> {
  if (bytes.byteLength <= maxInlineBytes) return createHash('sha256').update(bytes).digest('base64url');
  // In the thread pool.
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('base64url');
}

/** Whether something is a report about a source instead of the source. */
export function isSkipped(source: object): source is SkippedSource {
  return 'reason' in source;
}
