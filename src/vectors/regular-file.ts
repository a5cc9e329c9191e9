import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  type Stats,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { SemanticIndexError } from '../errors.js';

/** O_NONBLOCK: without it, opening a FIFO blocks until another process writes to it. Windows has neither. */
const nonBlocking = constants.O_NONBLOCK ?? 0;

/** Kind of a file for messages: "a directory", "a FIFO". */
export function kindOfFile(stats: Pick<Stats, 'isFile' | 'isDirectory' | 'isFIFO' | 'isSocket'>): string {
  if (stats.isFile()) return 'a regular file';
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a FIFO';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

/** An IO error with the error of the operating system as its cause. */
export function systemError(message: string, cause: unknown): SemanticIndexError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return new SemanticIndexError('IO', `${message}: ${reason}`, { cause, details: { systemError: code } });
}

/**
 * Opens a regular file for `use` and closes it; never waits for the other end of a FIFO or a device.
 *
 * @throws IO for anything but a regular file; what the system reports.
 */
export function withRegularFile<T>(path: string, use: (descriptor: number, stats: Stats) => T): T {
  const descriptor = openSync(path, constants.O_RDONLY | nonBlocking);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) {
      throw new SemanticIndexError('IO', `Expected a regular file, got ${kindOfFile(stats)}: ${path}`);
    }
    return use(descriptor, stats);
  } finally {
    closeSync(descriptor);
  }
}

/** The text of a small regular file. @throws as `withRegularFile` */
export function readRegularFile(path: string): string {
  return withRegularFile(path, (descriptor) => readFileSync(descriptor, 'utf8'));
}

/**
 * Follows symbolic links: sidecar and graph index are beside the target. A dangling link resolves to the path of its missing
 * target; any other path that does not exist is returned unchanged.
 */
export function followLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    try {
      return lstatSync(path).isSymbolicLink() ? resolve(dirname(path), readlinkSync(path)) : path;
    } catch {
      return path;
    }
  }
}
