import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A number that one process increases and others read: the last acknowledged commit of a writer. */
export class Tally {
  readonly #file: number;
  readonly #bytes = new Float64Array(1);

  constructor(folder: string, writer: number) {
    this.#file = openSync(join(folder, `writer-${writer}`), 'r+');
  }

  read(): number {
    readSync(this.#file, this.#bytes, 0, 8, 0);
    return this.#bytes[0] as number;
  }

  write(value: number): void {
    this.#bytes[0] = value;
    writeSync(this.#file, this.#bytes, 0, 8, 0);
  }

  close(): void {
    closeSync(this.#file);
  }
}
