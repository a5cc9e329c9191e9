import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { addAbortSignal, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SemanticIndexError } from '../../index.js';
import { describe } from '../../options.js';
import { exactly, fallbackEncoding, readCharacters } from './read-characters.js';
import { readTable } from './read-table.js';
import { type InvalidRecord, type OnInvalid, RecordChecks } from './record-checks.js';
import { formatOf, type RecordFormat } from './record-format.js';

/** A record of a file: a row of a table, or a line of JSON. */
export interface FileRecord {
  /** Number of the record, from 1, and the line that it begins on. */
  readonly row: number;
  readonly line: number;
  readonly text: string;
  /** The record as it is written. */
  readonly written: string;
}

/** How a file of records is read. */
export interface RecordReading {
  /** The column or member that holds the text. */
  readonly text: string;
  readonly encoding: string | undefined;
  readonly onInvalid: OnInvalid;
  readonly signal: AbortSignal;
}

/** A file of records that is read more than once, and written in part. */
export class RecordFile {
  readonly path: string;
  readonly #format: RecordFormat;
  readonly #field: string;
  readonly #signal: AbortSignal;
  readonly #encoding: string | undefined;
  readonly #checks: RecordChecks;
  #header = '';

  private constructor(path: string, format: RecordFormat, { text, encoding, onInvalid, signal }: RecordReading) {
    this.path = path;
    this.#format = format;
    this.#field = text;
    this.#encoding = encoding;
    this.#signal = signal;
    this.#checks = new RecordChecks(onInvalid, undefined);
  }

  /** The records that the last reading left out. */
  get invalid(): readonly InvalidRecord[] {
    return this.#checks.invalid;
  }

  /** @throws INVALID_ARGUMENT unless the name ends in .csv, .tsv, .jsonl or .ndjson; IO. */
  static async open(path: string, reading: RecordReading): Promise<RecordFile> {
    const format = formatOf(path);
    if (format === undefined) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `${path} is neither an index nor a file of records`, {
        hint: 'Name a directory of an index, or a file that ends in .csv, .tsv, .jsonl or .ndjson.',
      });
    }
    try {
      return new RecordFile(path, format, { ...reading, encoding: await fallbackEncoding(path, reading.encoding) });
    } catch (error) {
      throw readError(path, error);
    }
  }

  /**
   * All records, in order.
   *
   * @throws INVALID_FILE with the line of a record that cannot be read or has no text, unless such are left out; INVALID_ARGUMENT for a
   *   table without the column; IO.
   */
  async *records(): AsyncGenerator<FileRecord> {
    this.#checks.again();
    const stream = createReadStream(this.path);
    addAbortSignal(this.#signal, stream);
    try {
      const characters = readCharacters(stream, this.path, this.#encoding);
      yield* this.#format === 'jsonl' ? this.#lines(characters) : this.#rows(characters);
    } catch (error) {
      this.#signal.throwIfAborted();
      throw readError(this.path, await exactly(this.path, this.path, error, this.#encoding));
    } finally {
      stream.destroy();
    }
  }

  /**
   * Writes the records that `keep` accepts to another file, which exists only when all are written.
   *
   * @throws IO, and what `records` throws.
   */
  async write(path: string, keep: (row: number) => boolean, onRow: (row: number) => void): Promise<number> {
    let kept = 0;
    const self = this;
    await writeLines(path, this.#signal, async function* () {
      for await (const { row, written } of self.records()) {
        if (row === 1 && self.#header !== '') yield self.#header;
        onRow(row);
        if (!keep(row)) continue;
        kept++;
        yield written;
      }
    });
    return kept;
  }

  async *#rows(characters: AsyncIterable<string>): AsyncGenerator<FileRecord> {
    const format = this.#format === 'tsv' ? 'tsv' : 'csv';
    const separator = format === 'tsv' ? '\t' : ',';
    const onInvalid = (line: number, message: string, cause: unknown): void =>
      this.#refuse(this.#placeOf(line), message, cause);
    const written = (cells: readonly string[]): string =>
      cells.map((cell) => (format === 'csv' ? quoted(cell) : cell)).join(separator);
    let row = 0;
    for await (const { record, line } of readTable(characters, this.path, format, onInvalid, this.#signal)) {
      if (row === 0) {
        this.#header = written(Object.keys(record));
        if (!Object.hasOwn(record, this.#field)) {
          throw new SemanticIndexError('INVALID_ARGUMENT', `${this.path} has no column "${this.#field}"`, {
            hint: `Name one with --text: ${Object.keys(record).join(', ')}.`,
          });
        }
      }
      row++;
      yield { row, line, text: record[this.#field] as string, written: written(Object.values(record)) };
    }
  }

  async *#lines(characters: AsyncIterable<string>): AsyncGenerator<FileRecord> {
    let [row, line, rest] = [0, 0, ''];
    const recordOf = (written: string): FileRecord | undefined => {
      line++;
      if (written.trim() === '') return undefined;
      const text = this.#textOf(written, this.#placeOf(line));
      return text === undefined ? undefined : { row: ++row, line, text, written };
    };
    for await (const piece of characters) {
      const lines = (rest + piece).split(/\r?\n/);
      rest = lines.pop() ?? '';
      for (const each of lines) {
        const record = recordOf(each);
        if (record !== undefined) yield record;
      }
    }
    const last = rest === '' ? undefined : recordOf(rest);
    if (last !== undefined) yield last;
  }

  /** The text of a line of JSON; undefined where it is left out. */
  #textOf(written: string, place: string): string | undefined {
    let value: unknown;
    try {
      value = JSON.parse(written);
    } catch (cause) {
      return this.#refuse(place, 'it is not JSON', cause);
    }
    const text = typeof value === 'string' ? value : (value as Record<string, unknown> | null)?.[this.#field];
    if (typeof text === 'string') return text;
    const found = text === undefined ? 'there is none' : `got ${describe(text)}`;
    return this.#refuse(place, `expected a string in "${this.#field}", ${found}`);
  }

  #placeOf(line: number): string {
    return `${this.path}, line ${line}`;
  }

  /** Lists what is wrong with a record, or throws it. */
  #refuse(place: string, message: string, cause?: unknown): undefined {
    this.#checks.refuse(
      new SemanticIndexError('INVALID_FILE', `${place}: ${message}`, {
        hint: 'Correct it, name the encoding of the file with --encoding, or leave such records out with --on-invalid skip.',
        cause,
      }),
      place,
    );
  }
}

/** Writes lines to a file that takes its name when all are written. @throws IO. */
export async function writeLines(
  path: string,
  signal: AbortSignal,
  lines: () => AsyncGenerator<string>,
): Promise<void> {
  const partial = `${path}.${process.pid}.tmp`;
  const ended = async function* (): AsyncGenerator<string> {
    for await (const line of lines()) yield `${line}\n`;
  };
  try {
    await pipeline(Readable.from(ended()), createWriteStream(partial), { signal });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new SemanticIndexError('IO', `Cannot write ${path}: ${(error as Error).message}`, {
      hint: 'Check that the directory exists and that this user may write to it.',
      cause: error,
    });
  }
}

/** A cell of comma-separated values (RFC 4180). */
export function quoted(cell: string): string {
  return /[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function readError(path: string, error: unknown): unknown {
  if ((error as NodeJS.ErrnoException)?.syscall === undefined) return error;
  return new SemanticIndexError('IO', `Cannot read ${path}: ${(error as Error).message}`, {
    hint: 'Check that it exists and that this user may read it.',
    cause: error,
  });
}
