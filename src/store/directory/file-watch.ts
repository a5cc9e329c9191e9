import { lstatSync } from 'node:fs';

/**
 * Notices that mapped files are changed in place: a look costs microseconds and reads nothing. A write changes the times
 * of a file before its bytes can be read, so what was read before a look without findings is what was there.
 */
export class FileWatch {
  readonly #paths: readonly string[];
  readonly #states: readonly (string | undefined)[];

  /** Remembers the files as they are now: to be made before they are mapped. */
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

/** The time of the last change of the entry is among it: programs that set the other times back cannot set this one. */
function stateOf(path: string): string | undefined {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : code;
  }
}
