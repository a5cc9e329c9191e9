import { type Dirent, promises as fs } from 'node:fs';
import { join } from 'node:path';
import { checkOneOf } from '../check-arguments.js';
import { SemanticIndexError } from '../errors.js';
import { describe, type FolderOptions, folderDefaults, type Given, resolveOptions } from '../options.js';
import type { SourceDocument } from './chunking/chunk-documents.js';
import { type DecodedText, decodeText, encodingNamed } from './decode-text.js';

/** A source that was left out, and why. */
export interface SkippedSource {
  /** The id that it would have. */
  readonly id: string;
  readonly reason: string;
}

/**
 * The texts in a folder and the folders within it, one after the other by name: ids are their paths from the folder, with
 * slashes. Hidden files and folders are left out, and links are not followed. A byte-order mark decides the encoding and is
 * removed; without one UTF-8, UTF-16 and UTF-32 are recognised. Files that are binary or of another encoding are left out and
 * returned at the end, see `onInvalid`; `sync` reports them and keeps the chunks that they had.
 *
 * @throws IO when the folder or a file cannot be read, INVALID_FILE with `onInvalid: 'error'`, INVALID_ARGUMENT.
 * @example
 * ```ts
 * const { skipped } = await sync(index, readFolder('docs', { encoding: 'windows-1252' }));
 * ```
 */
export async function* readFolder(
  folder: string,
  options?: Given<FolderOptions>,
): AsyncGenerator<SourceDocument, SkippedSource[]> {
  const { endings, ignore, encoding, onInvalid } = resolveOptions('readFolder', options, folderDefaults);
  if (typeof folder !== 'string' || folder === '') {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `readFolder: expected the path of a folder, got ${describe(folder)}`,
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
  options: FolderOptions,
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
        ? 'Name the endings of text files, or pass onInvalid: "skip".'
        : 'Name its encoding with the option `encoding`, or pass onInvalid: "skip".',
    details: { path },
  });
}

async function readable<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    throw new SemanticIndexError('IO', `readFolder: cannot read ${path}: ${(cause as Error).message}`, {
      cause,
      hint: 'Check that it exists and that this user may read it.',
      details: { path },
    });
  }
}
