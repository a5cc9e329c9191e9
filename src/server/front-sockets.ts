import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Addresses between a front and its workers that nobody else on this machine may open. */
export interface FrontSockets {
  /** An address that was never used before. */
  next(): string;
  /** Removes what is left of them. */
  remove(): void;
}

/** Unix sockets in a folder of this user alone; on Windows, named pipes with a name that cannot be guessed. */
export function frontSockets(): FrontSockets {
  let made = 0;
  if (process.platform === 'win32') {
    const name = `\\\\.\\pipe\\semantic-index-${randomUUID()}`;
    return { next: () => `${name}-${made++}`, remove: () => {} };
  }
  // The name is short: a socket's may have about a hundred bytes. mkdtemp lets nobody else in.
  const folder = mkdtempSync(join(tmpdir(), 'si-front-'));
  return {
    next: () => join(folder, String(made++)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
