import { lstatSync, type Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, stat, utimes } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { SemanticIndexError } from '../../errors.js';
import type { DiskUsage } from '../../types.js';
import { isSegmentName, segmentFiles, tailFile } from './segment-names.js';

/** Paths of the parts of an index. */
export interface IndexPaths {
  readonly directory: string;
  readonly database: string;
  readonly segments: string;
}

export function indexPaths(directory: string): IndexPaths {
  return { directory, database: join(directory, 'index.db'), segments: join(directory, 'segments') };
}

/**
 * Checks the directory of an index before anything is opened or written. A new index needs an empty or missing directory. The
 * directory `segments/` appears after a complete `index.db`, so `segments/` with a missing or empty `index.db` is an index
 * that lost its database.
 *
 * @throws NOT_AN_INDEX when the directory holds other things, or a link where a file of an index belongs; CORRUPT when
 *   `index.db` is lost; IO when the directory cannot be made.
 */
export async function prepareDirectory(directory: string, create: boolean): Promise<IndexPaths> {
  const paths = indexPaths(directory);
  // Asked for at once; what is wrong with the directory itself is reported first.
  const looking = databaseSize(paths);
  looking.catch(() => {});
  const entries = await listDirectory(directory);
  const size = await looking;
  if (size === undefined || size === 0) await refuseLostDatabase(paths, size);
  if (size !== undefined) return paths;
  if (!create) {
    throw new SemanticIndexError('NOT_AN_INDEX', `There is no index at ${directory}`, {
      hint: 'Check the path, or leave out `create: false` and `readonly` to make a new index there.',
    });
  }
  if (entries !== undefined && entries.length > 0) {
    throw new SemanticIndexError('NOT_AN_INDEX', `${directory} is not empty and holds no index.db`, {
      details: { found: entries.slice(0, 10) },
    });
  }
  try {
    await mkdir(paths.directory, { recursive: true });
  } catch (error) {
    throw ioError(`Cannot create ${directory}`, error);
  }
  return paths;
}

/** Endings of the files that SQLite keeps beside a database. */
const logs = ['-wal', '-shm', '-journal'];

/** The size of index.db, undefined when it is missing. A link could lead out of the index: SQLite would follow it. */
async function databaseSize({ database }: IndexPaths): Promise<number | undefined> {
  const [found] = await Promise.all([database, ...logs.map((log) => `${database}${log}`)].map(plainFile));
  return found?.size;
}

async function plainFile(path: string): Promise<Stats | undefined> {
  const found = await entryAt(path);
  if (found === undefined || found.isFile()) return found;
  throw new SemanticIndexError('NOT_AN_INDEX', `Expected ${path} to be a file, got ${kindOf(found)}`, {
    hint: 'The files of an index are never links. To keep an index elsewhere, link its whole directory.',
  });
}

/** @throws CORRUPT when other parts of an index are there without a database. */
export async function refuseLostDatabase({ database, segments }: IndexPaths, size?: number): Promise<void> {
  const hasSegments = (await entryAt(segments)) !== undefined;
  // SQLite removes the log of an empty database; with a database it is read as part of it.
  const hasLog = !size && ((await entryAt(`${database}-wal`))?.size ?? 0) > 0;
  if (!hasSegments && !hasLog) return;
  const state = size === undefined ? 'is missing' : size === 0 ? 'is empty' : 'holds no index';
  throw new SemanticIndexError(
    'CORRUPT',
    `${database} ${state}, but ${hasSegments ? 'segments/' : 'its log'} beside it belongs to an index`,
    {
      hint: 'Restore index.db, or the whole directory, from a backup; nothing was changed. For a new index choose another directory, or move these files away.',
      details: { lost: 'index.db' },
    },
  );
}

export async function listDirectory(directory: string): Promise<string[] | undefined> {
  try {
    return await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ENOTDIR') throw new SemanticIndexError('NOT_AN_INDEX', await aFile(directory), { cause: error });
    throw ioError(`Cannot read ${directory}`, error);
  }
}

async function aFile(directory: string): Promise<string> {
  const isItself = await stat(directory).catch(() => undefined);
  return isItself === undefined ? `A part of the path ${directory} is a file` : `${directory} is a file`;
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

/** What is at a path, links not followed; undefined when nothing is. */
export async function entryAt(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw ioError(`Cannot look at ${path}`, error);
  }
}

/** The same at once: for paths whose file system was asked a moment ago. */
export function entryNow(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw ioError(`Cannot look at ${path}`, error);
  }
}

/** The kind of a directory entry, for messages. */
export function kindOf(found: Stats): string {
  if (found.isSymbolicLink()) return 'a symbolic link';
  if (found.isDirectory()) return 'a directory';
  return found.isFile() ? 'a file' : 'a device, pipe or socket';
}

/** Total size of the files of an index; missing files count as 0. */
export async function bytesOnDisk(
  { database, segments }: IndexPaths,
  rows: readonly { readonly file: string }[],
  tailImage: string | undefined,
): Promise<DiskUsage> {
  const sizes = async (paths: string[]): Promise<number> => {
    const facts = await Promise.all(paths.map(fileFacts));
    return facts.reduce((sum, one) => sum + (one?.size ?? 0), 0);
  };
  const named = rows.filter(({ file }) => isSegmentName(file));
  const paths = named.flatMap(({ file }) => segmentFiles(file)).map((name) => join(segments, name));
  return {
    database: await sizes([database, `${database}-wal`]),
    segments: await sizes(paths),
    forests: await sizes(paths.filter((path) => path.endsWith('.ann'))),
    graphs: await sizes(paths.filter((path) => path.endsWith('.accel'))),
    terms: await sizes(paths.filter((path) => path.endsWith('.terms'))),
    columns: await sizes(paths.filter((path) => path.endsWith('.columns'))),
    tailImage:
      tailImage === undefined || !isSegmentName(tailImage) ? 0 : await sizes([join(segments, tailFile(tailImage))]),
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

const cannotSync = ['EACCES', 'EPERM', 'EINVAL', 'EBADF', 'ENOTSUP', 'ENOSYS', 'EISDIR'];

/**
 * Makes the path to a directory durable: its entries, and its name and those of all directories above. A directory that may
 * not be read, or that its file system cannot sync, is left to the file system.
 *
 * @throws IO when the device reports an error.
 */
export async function syncPath(directory: string): Promise<void> {
  for (let place = resolve(directory); ; place = dirname(place)) {
    try {
      await syncDirectory(place);
    } catch (error) {
      if (!cannotSync.includes((error as NodeJS.ErrnoException).code ?? ''))
        throw ioError(`Cannot sync ${place}`, error);
    }
    if (place === dirname(place)) return;
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
  // Fractional seconds can lose the last microsecond: half a millisecond more keeps the millisecond.
  const seconds = (mtime + 0.5) / 1000;
  await utimes(path, seconds, seconds);
}

/** Writes values as JSON lines, durably. */
export async function writeLines(path: string, values: readonly unknown[]): Promise<void> {
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The typed error of a failed file operation. */
export function ioError(message: string, cause: unknown): SemanticIndexError {
  const { code } = cause as NodeJS.ErrnoException;
  return new SemanticIndexError('IO', code === undefined ? message : `${message} (${code})`, { cause });
}

/** Whether an error is one of the operating system, with `code` and `syscall`. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
