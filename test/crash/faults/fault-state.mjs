import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** The test's end of the memory that it shares with the shim; see fault-shim.c for what is where. */
export class FaultState {
  #file;

  constructor(path) {
    this.#file = openSync(path, 'r+');
  }

  /** The n-th call from now fails with this errno (0: comes back short), and so do the next ones, `length` in all. */
  arm(n, errno, length) {
    this.#write(12, 0);
    this.#write(16, 0);
    this.#write(4, errno);
    this.#write(8, length);
    this.#write(0, n);
  }

  disarm() {
    this.#write(0, 0);
  }

  get calls() {
    return this.#read(12);
  }

  get faults() {
    return this.#read(16);
  }

  /** The last call that failed. */
  get last() {
    const bytes = Buffer.alloc(192);
    readSync(this.#file, bytes, 0, 192, 64);
    return bytes.toString('utf8', 0, bytes.indexOf(0));
  }

  close() {
    closeSync(this.#file);
  }

  #write(offset, value) {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    writeSync(this.#file, bytes, 0, 4, offset);
  }

  #read(offset) {
    const bytes = Buffer.alloc(4);
    readSync(this.#file, bytes, 0, 4, offset);
    return bytes.readInt32LE();
  }
}
