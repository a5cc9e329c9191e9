import { type Dirent, promises as fs } from 'node:fs';
import { join } from 'node:path';
import { type DecodedText, decodeText, encodingNamed } from '../analysis/decode-text.js';
import { checkOneOf } from '../check-arguments.js';
import { SemanticIndexError } from '../errors.js';
import {
  describe,
  type FolderOptions,
  folderDefaults,
  type ResolvedFolderOptions,
  resolveOptions,
} from '../options.js';
import type { SourceDocument } from './chunking/chunk-documents.js';

/** A skipped source, and the reason. */
export interface SkippedSource {
  /** The id of the source. */
  readonly id: string;
  readonly reason: string;
}

/**
 * Yields the text files in a directory and its subdirectories, sorted by name. The id of a source is its path relative
 * to the directory, with slashes. Hidden files and directories are skipped, symbolic links are not followed. A
 * byte-order mark decides the encoding and is removed; without one, UTF-8, UTF-16 and UTF-32 are detected. Binary files
 * and files in another encoding are skipped and returned at the end (see `onInvalid`); `sync` reports them and keeps
 * their chunks.
 *
 * @throws IO when the directory or a file cannot be read, INVALID_FILE with `onInvalid: 'error'`, INVALID_ARGUMENT.
 * @example
 * ```ts
 * const { skipped } = await sync(index, readFolder('docs', { encoding: 'windows-1252' }));
 * ```
 */
export async function* readFolder(
  folder: string,
  options?: FolderOptions,
): AsyncGenerator<SourceDocument, SkippedSource[]> {
  const { endings, ignore, encoding, onInvalid } = resolveOptions('readFolder', options, folderDefaults);
  if (typeof folder !== 'string' || folder === '') {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `readFolder: expected the path of a directory, got ${describe(folder)}`,
    );
  }
  checkOneOf('readFolder', 'onInvalid', onInvalid, ['skip', 'error']);
  const skipped: SkippedSource[] = [];
  yield* readWithin(folder, '', skipped, {
    endings: endings.map((ending) => ending.toLowerCase()),
    ignore,
    encoding: encoding === undefined ? undefined : encodingNamed(encoding, 'readFolder: encoding'),
    onInvalid,
  });
  return skipped;
}

async function* readWithin(
  folder: string,
  below: string,
  skipped: SkippedSource[],
  options: ResolvedFolderOptions,
): AsyncGenerator<SourceDocument> {
  const entries = await readable(folder, fs.readdir(folder, { withFileTypes: true }));
  entries.sort((a: Dirent, b: Dirent) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const { name } = entry;
    if (name.startsWith('.')) continue;
    const path = join(folder, name);
    if (entry.isDirectory()) {
      if (!options.ignore.includes(name)) yield* readWithin(path, `${below}${name}/`, skipped, options);
    } else if (entry.isFile() && options.endings.some((ending) => name.toLowerCase().endsWith(ending))) {
      const id = `${below}${name}`;
      const decoded = decodeText(await readable(path, fs.readFile(path)), options.encoding);
      if (decoded.kind === 'text') yield { id, text: decoded.text };
      else if (options.onInvalid === 'error') throw notText(path, decoded);
      else skipped.push({ id, reason: decoded.reason });
    }
  }
}

function notText(path: string, { kind, reason }: Exclude<DecodedText, { kind: 'text' }>): SemanticIndexError {
  return new SemanticIndexError('INVALID_FILE', `readFolder: ${path}: ${reason}`, {
    hint:
      kind === 'binary'
        ? 'Pass the extensions of text files, or onInvalid: "skip".'
        : 'Pass its encoding as `encoding`, or onInvalid: "skip".',
    details: { path },
  });
}

async function readable<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    throw new SemanticIndexError('IO', `readFolder: cannot read ${path}: ${(cause as Error).message}`, {
      cause,
      hint: 'Check that it exists and that this user has permission to read it.',
      details: { path },
    });
  }
}
