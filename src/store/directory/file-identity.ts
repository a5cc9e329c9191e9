import { statSync } from 'node:fs';
import { SemanticIndexError } from '../../errors.js';

/** Which file a path led to when it was opened; survives cloning to a thread. */
export interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
}

/** The file that `path` leads to now; undefined when there is none. Opens nothing: closing it would drop the locks of SQLite. */
export function identify(path: string): FileIdentity | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : { device: found.dev, inode: found.ino };
}

/** @throws IO unless `path` still leads to the same file, and it is not empty. */
export function requireSameFile(path: string, { device, inode }: FileIdentity): void {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (found !== undefined && found.dev === device && found.ino === inode && found.size > 0n) return;
  const state =
    found === undefined ? 'was removed' : found.size === 0n ? 'was emptied' : 'was replaced by another file';
  throw new SemanticIndexError('IO', `${path} ${state} while the index was open`, {
    hint: 'Nothing is read from or written to it any more. Close the index, restore the directory if it is lost, and open it again.',
    details: { lost: 'index.db' },
  });
}
