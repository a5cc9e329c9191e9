import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type DocumentInput, SemanticIndexError } from '../../index.js';
import { ColumnTypes } from './column-types.js';
import { documentOf, type FieldFlags, textNamesOf } from './document-fields.js';
import { exactly, fallbackEncoding, readCharacters } from './read-characters.js';
import { readTable } from './read-table.js';
import type { RecordChecks } from './record-checks.js';
import type { RecordFormat } from './record-format.js';

/** Where records come from: a file, or a stream that can be read once. */
export type RecordOrigin = { readonly path: string } | { readonly stream: Readable };

/** How records are read. */
export interface RecordOptions {
  /** How messages name the origin. */
  readonly name: string;
  readonly format: RecordFormat;
  readonly fields: FieldFlags;
  /** Encoding of what is not Unicode. */
  readonly encoding: string | undefined;
  readonly checks: RecordChecks;
  readonly signal: AbortSignal;
}

/**
 * The documents in a file or stream, one after the other. A file is checked as a whole before its first document comes, and so
 * is a table in a stream, as a column has one type. Aborting rejects, also while a stream is silent.
 *
 * @throws IO, INVALID_FILE and what `checks` throws, with the name and the line.
 */
export async function* readRecords(origin: RecordOrigin, options: RecordOptions): AsyncGenerator<DocumentInput> {
  const { format, name, signal } = options;
  const isTable = format === 'csv' || format === 'tsv';
  if ('stream' in origin && !isTable) {
    yield* readOnce(origin.stream, options, undefined);
    return;
  }
  const spooled = 'stream' in origin ? await spool(origin.stream, signal) : undefined;
  const path = spooled?.path ?? (origin as { path: string }).path;
  let encoding = options.encoding;
  try {
    encoding = await fallbackEncoding(path, encoding);
    const types = isTable ? new ColumnTypes(options.fields) : undefined;
    for await (const _ of readOnce(createReadStream(path), { ...options, encoding }, types, 'see'));
    options.checks.again();
    yield* readOnce(createReadStream(path), { ...options, encoding }, types);
  } catch (error) {
    signal.throwIfAborted();
    throw ioError(await exactly(path, name, error, encoding), name);
  } finally {
    await spooled?.remove();
  }
}

async function* readOnce(
  stream: Readable,
  options: RecordOptions,
  types: ColumnTypes | undefined,
  pass: 'see' | 'read' = 'read',
): AsyncGenerator<DocumentInput> {
  const { name, format, encoding, signal } = options;
  addAbortSignal(signal, stream);
  try {
    const characters = readCharacters(stream, name, encoding);
    if (format === 'jsonl') yield* readJsonLines(characters, options);
    else if (format === 'lines') yield* readLines(characters, options);
    else if (format === 'text') yield* readWhole(characters, options);
    else yield* readRows(characters, format, options, types as ColumnTypes, pass);
  } catch (cause) {
    signal.throwIfAborted();
    throw ioError(cause, name);
  } finally {
    // A stream that is not read any more must not keep the process alive.
    stream.destroy();
  }
}

/** The lines of a text, without their ends. */
async function* linesOf(characters: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of characters) {
    const lines = (rest + piece).split(/\r?\n/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

async function* readJsonLines(
  characters: AsyncIterable<string>,
  { name, fields, checks }: RecordOptions,
): AsyncGenerator<DocumentInput> {
  let line = 0;
  for await (const text of linesOf(characters)) {
    line++;
    if (text.trim() === '') continue;
    const place = `${name}, line ${line}`;
    const document = checks.checked(place, () => {
      const record = parseLine(text, place);
      if (typeof record === 'string') return { text: record };
      if (typeof record === 'object' && record !== null && !Array.isArray(record)) {
        return documentOf(record as Record<string, unknown>, fields, place);
      }
      throw invalid(`${place}: expected an object or a string`);
    });
    if (document !== undefined) yield document;
  }
}

async function* readLines(
  characters: AsyncIterable<string>,
  { name, checks }: RecordOptions,
): AsyncGenerator<DocumentInput> {
  let line = 0;
  for await (const text of linesOf(characters)) {
    line++;
    const document = text.trim() === '' ? undefined : checks.checked(`${name}, line ${line}`, () => ({ text }));
    if (document !== undefined) yield document;
  }
}

async function* readWhole(
  characters: AsyncIterable<string>,
  { name, checks }: RecordOptions,
): AsyncGenerator<DocumentInput> {
  const pieces: string[] = [];
  for await (const piece of characters) pieces.push(piece);
  const document = checks.checked(name, () => ({ text: pieces.join('') }));
  if (document !== undefined) yield document;
}

async function* readRows(
  characters: AsyncIterable<string>,
  format: 'csv' | 'tsv',
  { name, fields, checks, signal }: RecordOptions,
  types: ColumnTypes,
  pass: 'see' | 'read',
): AsyncGenerator<DocumentInput> {
  const onInvalid = (line: number, message: string, cause: unknown): void =>
    checks.refuse(invalid(`${name}, line ${line}: ${message}`, cause));
  for await (const { record, line } of readTable(characters, name, format, onInvalid, signal)) {
    const place = `${name}, line ${line}`;
    if (pass === 'see') types.see(record);
    const document = checks.checked(place, () => documentOf(typed(record, types, fields, place), fields, place));
    if (document !== undefined) yield document;
  }
}

function typed(
  record: Readonly<Record<string, string>>,
  types: ColumnTypes,
  { textField, idField, vectorField }: FieldFlags,
  place: string,
): Record<string, unknown> {
  const textNames = textNamesOf(textField);
  const entries = Object.entries(record).flatMap(([name, cell]): [string, unknown][] => {
    if (textNames.includes(name) || name === idField) return [[name, cell]];
    if (cell === '') return [];
    if (name === vectorField) return [[name, vectorOf(cell, place)]];
    const value = types.valueOf(name, cell);
    if (value === undefined) throw invalid(`${place}: expected a number in the column "${name}", got "${cell}"`);
    return [[name, value]];
  });
  return Object.fromEntries(entries);
}

function vectorOf(cell: string, place: string): unknown {
  try {
    return JSON.parse(cell);
  } catch (cause) {
    const hint = 'A vector in a table is a JSON array of numbers: [0.25,-1].';
    throw new SemanticIndexError('INVALID_VECTOR', `${place}: the vector is not JSON`, { cause, hint });
  }
}

function parseLine(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(`${place}: it is not JSON`, cause);
  }
}

/** Keeps a stream in a file, so that it can be read twice. */
async function spool(stream: Readable, signal: AbortSignal): Promise<{ path: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'semantic-index-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const path = join(folder, 'stdin');
  try {
    await pipeline(stream, createWriteStream(path, { mode: 0o600 }), { signal });
    return { path, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function ioError(error: unknown, name: string): unknown {
  if ((error as NodeJS.ErrnoException)?.syscall === undefined) return error;
  return new SemanticIndexError('IO', `Cannot read ${name}: ${(error as Error).message}`, {
    cause: error,
    hint: 'Check that it exists and that this user may read it.',
  });
}

function invalid(message: string, cause?: unknown): SemanticIndexError {
  return new SemanticIndexError('INVALID_FILE', message, {
    hint: 'Correct it, name the format of the file with --format, or leave such records out with --on-invalid skip.',
    cause,
  });
}
