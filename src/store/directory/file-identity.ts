import { statSync } from 'node:fs';
import { addon } from '../../addon/addon.js';
import { SemanticIndexError } from '../../errors.js';

/** Identity of the file that was opened under a path. Can be sent to another thread. */
export interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
}

/** Identity of the file at `path` now, or undefined. Does not open the file: closing it would drop SQLite's locks. */
export function identify(path: string): FileIdentity | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : { device: found.dev, inode: found.ino };
}

/** @throws IO when `path` names another file now, or an empty one. */
export function requireSameFile(path: string, { device, inode }: FileIdentity): void {
  // Each search asks.
  if (addon().namesFile(path, device, inode)) return;
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (found !== undefined && found.dev === device && found.ino === inode && found.size > 0n) return;
  const state =
    found === undefined ? 'was removed' : found.size === 0n ? 'was emptied' : 'was replaced by another file';
  throw new SemanticIndexError('IO', `${path} ${state} while the index was open`, {
    hint: 'Nothing is read from or written to it any more. Close the index, restore the directory if it is lost, and open it again.',
    details: { lost: 'index.db' },
  });
}
