import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { SemanticIndexError } from '../errors.js';
import type { DiskUsage } from '../types.js';

/** Where the parts of an index are. */
export interface IndexPaths {
  readonly directory: string;
  readonly database: string;
  readonly segments: string;
}

export function indexPaths(directory: string): IndexPaths {
  return { directory, database: join(directory, 'index.db'), segments: join(directory, 'segments') };
}

/** The files that belong to a segment: the forest, and what is derived from it. */
export function segmentFiles(file: string): string[] {
  return [file, `${file}.meta.json`, `${file}.accel`];
}

/** A name that no segment had before: nothing is ever written over a file that may be mapped. */
export function freshSegmentName(): string {
  return `${Date.now().toString(36)}-${randomBytes(6).toString('hex')}.ann`;
}

/**
 * Makes the folders of an index.
 *
 * @throws NOT_AN_INDEX when the folder holds other things but no index.db, IO when it cannot be made.
 */
export async function prepareDirectory(directory: string, create: boolean): Promise<IndexPaths> {
  const paths = indexPaths(directory);
  const entries = await listDirectory(directory);
  if (entries?.includes('index.db')) return paths;
  if (!create) {
    throw new SemanticIndexError('NOT_AN_INDEX', `There is no index at ${directory}`, {
      hint: 'Check the path, or leave out `create: false` and `readonly` to make a new index there.',
    });
  }
  const strange = entries?.filter((entry) => entry !== 'segments') ?? [];
  if (strange.length > 0) {
    throw new SemanticIndexError('NOT_AN_INDEX', `${directory} is not empty and holds no index.db`, {
      details: { found: strange.slice(0, 10) },
    });
  }
  try {
    await mkdir(paths.segments, { recursive: true });
  } catch (error) {
    throw ioError(`Cannot create ${directory}`, error);
  }
  return paths;
}

async function listDirectory(directory: string): Promise<string[] | undefined> {
  try {
    return await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ENOTDIR') throw new SemanticIndexError('NOT_AN_INDEX', `${directory} is a file`, { cause: error });
    throw ioError(`Cannot read ${directory}`, error);
  }
}

/** Size and modification time (whole milliseconds) of a file; undefined when it is missing. */
export async function fileFacts(path: string): Promise<{ size: number; mtime: number } | undefined> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { size, mtime: Math.floor(mtimeMs) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw ioError(`Cannot look at ${path}`, error);
  }
}

/** Adds up the files of an index; what is missing counts for nothing. */
export async function bytesOnDisk(
  { database, segments }: IndexPaths,
  rows: readonly { readonly file: string }[],
): Promise<DiskUsage> {
  const sizes = async (paths: string[]): Promise<number> => {
    const facts = await Promise.all(paths.map(fileFacts));
    return facts.reduce((sum, one) => sum + (one?.size ?? 0), 0);
  };
  const paths = rows.flatMap(({ file }) => segmentFiles(file)).map((name) => join(segments, name));
  return {
    database: await sizes([database, `${database}-wal`]),
    segments: await sizes(paths),
    forests: await sizes(paths.filter((path) => path.endsWith('.ann'))),
    accelerators: await sizes(paths.filter((path) => path.endsWith('.accel'))),
  };
}

/** Makes the entries of a folder durable. Where a folder cannot be opened (Windows) the file system does it by itself. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the bytes of a file durable. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Sets the time of the last change of a file, in whole milliseconds, so that `fileFacts` reads the same. */
export async function setModified(path: string, mtime: number): Promise<void> {
  // Seconds as a fraction lose the last microsecond on their way; half a millisecond more, and it is not missed.
  const seconds = (mtime + 0.5) / 1000;
  await utimes(path, seconds, seconds);
}

/** Writes values as JSON, one a line, durably. */
export async function writeLines(path: string, values: readonly unknown[]): Promise<void> {
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Files in segments/ that none of these names accounts for. */
export async function strayFiles(directory: string, named: readonly string[]): Promise<string[]> {
  const known = new Set(named.flatMap(segmentFiles));
  return ((await listDirectory(directory)) ?? []).filter((entry) => !known.has(entry));
}

/** Removes the files of a segment; false when one is still in use (as a mapped file is on Windows) and stays. */
export async function removeSegmentFiles(directory: string, file: string): Promise<boolean> {
  try {
    for (const name of segmentFiles(file)) await rm(join(directory, name), { force: true });
    return true;
  } catch {
    return false;
  }
}

/** The typed error of a failed file operation. */
export function ioError(message: string, cause: unknown): SemanticIndexError {
  const { code } = cause as NodeJS.ErrnoException;
  return new SemanticIndexError('IO', code === undefined ? message : `${message} (${code})`, { cause });
}
