import { lstatSync } from 'node:fs';

/**
 * Detects mapped files that are changed in place. A check takes microseconds and reads no content. A write changes the times
 * of a file before its new bytes can be read, so bytes read before a check without findings were the original ones.
 */
export class FileWatch {
  readonly #paths: readonly string[];
  readonly #states: readonly (string | undefined)[];

  /** Records the current state of the files. Create it before mapping them. */
  constructor(paths: readonly string[]) {
    this.#paths = paths;
    this.#states = paths.map(stateOf);
  }

  /** A file that was removed counts as unchanged: its mapping keeps the bytes. */
  hasChanged(): boolean {
    return this.#paths.some((path, position) => {
      const state = stateOf(path);
      return state !== undefined && state !== this.#states[position];
    });
  }
}

/** Includes the change time (ctime): programs that reset the modification time cannot set it. */
function stateOf(path: string): string | undefined {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : code;
  }
}
