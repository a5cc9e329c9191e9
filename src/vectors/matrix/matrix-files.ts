import { constants, type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SemanticIndexError } from '../../errors.js';
import { invalidFile } from './matrix-layout.js';

/** Maximum open files of a matrix: separated columns may be thousands of files. */
const maxOpen = 512;

/** Maximum bytes of one system call; some systems limit it to 2 GiB. */
const maxPiece = 1 << 30;

interface OpenFile {
  readonly handle: Promise<FileHandle>;
  users: number;
  written: boolean;
}

/**
 * The files of one matrix, opened on first use. Reads and writes transfer all bytes, or throw IO for system errors and
 * INVALID_FILE when the file has become shorter than its matrix.
 */
export class MatrixFiles {
  readonly #files = new Map<string, OpenFile>();
  readonly #flags: number;

  constructor(writable: boolean) {
    this.#flags = writable ? constants.O_RDWR : constants.O_RDONLY;
  }

  /** Fills `bytes` from the file, beginning at `position`. */
  read(path: string, position: number, bytes: Uint8Array): Promise<void> {
    return this.#use(path, 'read', async (file) => {
      const handle = await file.handle;
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await handle.read(bytes, done, Math.min(bytes.length - done, maxPiece), position + done);
        if (bytesRead === 0) throw invalidFile(path, `ends at byte ${position + done}, inside its matrix`);
        done += bytesRead;
      }
    });
  }

  /** Writes all of `bytes` into the file, beginning at `position`. */
  write(path: string, position: number, bytes: Uint8Array): Promise<void> {
    return this.#use(path, 'write', async (file) => {
      file.written = true;
      const handle = await file.handle;
      for (let done = 0; done < bytes.length; ) {
        const length = Math.min(bytes.length - done, maxPiece);
        done += (await handle.write(bytes, done, length, position + done)).bytesWritten;
      }
    });
  }

  /** Resolves when everything written is on the disk. */
  async flush(): Promise<void> {
    for (const [path, file] of this.#files) await this.#use(path, 'flush', (used) => this.#sync(used), file);
  }

  /** Closes all files after pending reads and writes. */
  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    for (const file of files) await (await file.handle.catch(() => undefined))?.close();
  }

  async #sync(file: OpenFile): Promise<void> {
    if (!file.written) return;
    file.written = false;
    await (await file.handle).sync();
  }

  async #use(
    path: string,
    action: string,
    work: (file: OpenFile) => Promise<void>,
    file: OpenFile = this.#fileAt(path),
  ): Promise<void> {
    file.users++;
    try {
      await this.#closeIdle();
      await work(file);
    } catch (error) {
      throw ioError(path, action, error);
    } finally {
      file.users--;
    }
  }

  #fileAt(path: string): OpenFile {
    const known = this.#files.get(path);
    if (known !== undefined) {
      // The most recently used stays last, so that the first ones are closed first.
      this.#files.delete(path);
      this.#files.set(path, known);
      return known;
    }
    const handle = open(path, this.#flags);
    handle.catch(() => this.#files.delete(path));
    const file = { handle, users: 0, written: false };
    this.#files.set(path, file);
    return file;
  }

  async #closeIdle(): Promise<void> {
    if (this.#files.size <= maxOpen) return;
    for (const [path, file] of this.#files) {
      if (this.#files.size <= maxOpen) return;
      if (file.users > 0) continue;
      this.#files.delete(path);
      await this.#sync(file);
      await (await file.handle).close();
    }
  }
}

/** Wraps a system error in IO; returns a SemanticIndexError unchanged. */
export function ioError(path: string, action: string, error: unknown): SemanticIndexError {
  if (SemanticIndexError.is(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new SemanticIndexError('IO', `cannot ${action} ${path}: ${reason}`, { cause: error, details: { path } });
}

/** Syncs the directory of `path`, where the system supports it, so that new file names are durable. */
export async function flushFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(dirname(path), constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
