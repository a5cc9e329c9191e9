import { realpath } from 'node:fs/promises';
import { relative } from 'node:path';
import { checkOneOf } from '../check-arguments.js';
import { SemanticIndexError } from '../errors.js';
import { endingOf } from '../files/content/file-formats.js';
import { walkFolder } from '../files/folders/walk-folder.js';
import { checkParseFile } from '../files/parse-file.js';
import { describe, type FolderOptions, folderDefaults, resolveOptions } from '../options.js';
import type { SourceDocument } from './chunking/chunk-documents.js';
import { fileSource, isSkipped, readSource, type SkippedSource, type UnreadSource } from './file-source.js';

/**
 * Yields the files in a directory and its subdirectories, sorted by name: documents, notebooks and source code, as
 * `parseFile` reads them. The id of a source is its path relative to the directory, with slashes. Hidden files,
 * node_modules, and whatever `.gitignore` and `.semanticignore` name are left out. Symbolic links are followed, and each
 * file is read once. Files that cannot be read are skipped and returned at the end (see `onInvalid`); `sync` reports
 * them and keeps their chunks.
 *
 * @throws IO when the directory cannot be read, the error of a file with `onInvalid: 'error'`, INVALID_ARGUMENT,
 *   UNKNOWN_OPTION.
 * @example
 * ```ts
 * const { skipped } = await sync(index, readFolder('docs', { encoding: 'windows-1252' }));
 * ```
 */
export async function* readFolder(
  folder: string,
  options?: FolderOptions,
): AsyncGenerator<SourceDocument, SkippedSource[]> {
  const skipped: SkippedSource[] = [];
  const { onInvalid = folderDefaults.onInvalid } = options ?? {};
  for await (const source of folderSources('readFolder', folder, options)) {
    const read = isSkipped(source) ? source : await readSource(source);
    if (!isSkipped(read)) yield read;
    else if (onInvalid === 'error') throw errorOf(read, folder);
    else skipped.push(read);
  }
  return skipped;
}

/** The files of a directory as sources that are parsed only if they have changed. @throws as `readFolder`. */
export async function* folderSources(
  method: string,
  folder: string,
  options: FolderOptions | undefined,
): AsyncGenerator<UnreadSource | SkippedSource> {
  const resolved = resolveOptions(method, options, folderDefaults);
  const { endings, ignore, ignoreFiles, onInvalid, ...rest } = resolved;
  if (typeof folder !== 'string' || folder === '') {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `${method}: expected the path of a directory, got ${describe(folder)}`,
    );
  }
  checkOneOf(method, 'onInvalid', onInvalid, ['skip', 'error']);
  const parsing = checkParseFile(method, rest);
  const wanted = new Set(endings.map((ending) => ending.replace(/^\./, '').toLowerCase()));
  const walked = await walkFolder(folder, {
    takes: (name) => wanted.has(endingOf(name)),
    ignoreFiles,
    signal: parsing.signal,
    leavesOut: (name) => ignore.includes(name),
  });
  const root = await realpath(folder).catch(() => folder);
  for (const { path, reason, covers } of walked.unreadable) {
    if (covers.includes(root)) {
      throw new SemanticIndexError('IO', `${method}: cannot read ${path}: ${reason}`, {
        hint: 'Check that it exists and that this user has permission to read it.',
        details: { path },
      });
    }
    yield { id: idOf(folder, path), reason, code: 'IO', hint: 'Check that this user has permission to read it.' };
  }
  const seen = new Set<string>();
  for (const { path, real } of walked.files) {
    parsing.signal?.throwIfAborted();
    if (seen.has(real)) continue;
    seen.add(real);
    yield await fileSource(real, idOf(folder, path), parsing);
  }
}

function idOf(folder: string, path: string): string {
  return relative(folder, path).replaceAll('\\', '/');
}

function errorOf({ id, reason, code = 'INVALID_FILE', hint }: SkippedSource, folder: string): SemanticIndexError {
  return new SemanticIndexError(code, `readFolder: ${folder}/${id}: ${reason}`, {
    ...(hint !== undefined && { hint: `${hint} Or pass onInvalid: "skip".` }),
    details: { path: `${folder}/${id}` },
  });
}
