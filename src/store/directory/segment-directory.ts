import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SemanticIndexError } from '../../errors.js';
import type { IndexEvent } from '../../types.js';
import { entryAt, entryNow, ioError, kindOf, listDirectory } from './files.js';
import { belongsTo, isSegmentName, segmentFiles } from './segment-names.js';

/**
 * Makes segments/ if it is missing.
 *
 * @throws IO when it cannot be made, or when something else is in its place: a link is not followed, as it could lead out of
 *   the index.
 */
export async function makeSegmentFolder(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw ioError(`Cannot create ${directory}`, error);
  }
  const found = await entryAt(directory);
  if (found !== undefined && !found.isDirectory()) throw notAFolder(directory, kindOf(found));
}

/** Makes segments/ again if it was removed. What is in its place, such as a link, is reported and left as it is. */
export async function restoreSegmentFolder(directory: string, onEvent: (event: IndexEvent) => void): Promise<void> {
  try {
    if (entryNow(directory)?.isDirectory()) return;
    await makeSegmentFolder(directory);
  } catch (error) {
    if (!SemanticIndexError.is(error)) throw error;
    const { message: reason } = error;
    onEvent({ type: 'damage', file: 'segments', reason, message: `${reason}; all documents are scanned`, error });
  }
}

/** Whether segments/ is a directory of the index itself, and not a link to another one. */
export async function isOwnFolder(directory: string): Promise<boolean> {
  return (await entryAt(directory))?.isDirectory() === true;
}

function notAFolder(directory: string, kind: string): SemanticIndexError {
  return new SemanticIndexError('IO', `Expected ${directory} to be a directory, got ${kind}`, {
    hint: 'Links are not followed inside an index. Remove the link, or link the whole directory of the index.',
  });
}

/**
 * Size and modification time (whole milliseconds) of the file of a segment; undefined when it is missing.
 *
 * @throws INVALID_FILE when the name is not one of a segment, or leads through a link or to something that is not a file; IO.
 */
export function segmentFacts(directory: string, file: string): { size: number; mtime: number } | undefined {
  if (!isSegmentName(file)) {
    throw new SemanticIndexError('INVALID_FILE', `Expected the name of a segment file, got ${JSON.stringify(file)}`, {
      hint: 'The catalog was changed by another program, or comes from someone else. The file was not opened.',
    });
  }
  const folder = entryNow(directory);
  if (folder !== undefined && !folder.isDirectory()) throw notAFile('segments/', 'a directory', kindOf(folder));
  for (const name of segmentFiles(file).reverse()) {
    const found = entryNow(join(directory, name));
    if (found !== undefined && !found.isFile()) throw notAFile(`Segment file ${name}`, 'a file', kindOf(found));
    if (name === file && found !== undefined) return { size: found.size, mtime: Math.floor(found.mtimeMs) };
  }
  return undefined;
}

function notAFile(name: string, expected: string, kind: string): SemanticIndexError {
  return new SemanticIndexError('INVALID_FILE', `${name}: expected ${expected}, got ${kind}`, {
    hint: 'Remove it: the segment is derived again. Its documents are scanned until then.',
  });
}

/** Entries in segments/ that do not belong to any of these segments. */
export async function strayFiles(directory: string, named: readonly string[]): Promise<string[]> {
  const known = new Set(named.flatMap(segmentFiles));
  return ((await listDirectory(directory)) ?? []).filter((entry) => !known.has(entry));
}

/** Removes what an earlier attempt to write files of a segment left behind. For the holder of the lease. */
export async function removeUnfinished(directory: string, file: string): Promise<void> {
  if (!isSegmentName(file) || !(await isOwnFolder(directory))) return;
  for (const entry of (await listDirectory(directory)) ?? []) {
    if (belongsTo(file, entry) && entry.endsWith('.tmp')) await rm(join(directory, entry), { force: true });
  }
}

/**
 * Removes the files of a segment, finished or not; false when one is still in use (as a mapped file is on Windows) and stays.
 * A name that is not one of a segment is passed over.
 */
export async function removeSegmentFiles(directory: string, file: string): Promise<boolean> {
  if (!isSegmentName(file) || !(await isOwnFolder(directory))) return true;
  try {
    const entries = (await listDirectory(directory)) ?? [];
    // The forest is removed last: while it exists, the removal is known to be incomplete.
    for (const entry of entries
      .filter((name) => belongsTo(file, name))
      .sort()
      .reverse()) {
      await rm(join(directory, entry), { force: true });
    }
    return true;
  } catch {
    return false;
  }
}
