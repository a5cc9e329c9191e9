import { addAbortSignal, type Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { type DocumentInput, SemanticIndexError } from '../../index.js';
import { documentOf, type FieldFlags } from './document-fields.js';

/** Kinds of files that hold many documents; `text` is one document as a whole. */
export const recordFormats = ['jsonl', 'csv', 'tsv', 'lines', 'text'] as const;

/** One of {@link recordFormats}. */
export type RecordFormat = (typeof recordFormats)[number];

/** The format that the name of a file tells; undefined of texts to be cut into chunks. */
export function formatOf(path: string): RecordFormat | undefined {
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  if (ending === 'jsonl' || ending === 'ndjson') return 'jsonl';
  return ending === 'csv' || ending === 'tsv' ? ending : undefined;
}

/**
 * The format of what comes through stdin: nothing tells it but the flag.
 *
 * @throws INVALID_ARGUMENT when it is not named.
 */
export function stdinFormat(format: RecordFormat | undefined): RecordFormat {
  if (format !== undefined) return format;
  throw new SemanticIndexError('INVALID_ARGUMENT', 'The format of what comes through stdin is not known', {
    hint: 'Name it: --format jsonl, csv, tsv, lines (each line a document) or text (one document).',
  });
}

/**
 * The documents in a stream, one after the other. Aborting rejects, also while the stream has nothing to say.
 *
 * @throws IO, INVALID_FILE with the line when it is not of the format, INVALID_TEXT when a record has no text.
 */
export async function* readRecords(
  stream: Readable,
  name: string,
  format: RecordFormat,
  fields: FieldFlags,
  signal: AbortSignal,
): AsyncGenerator<DocumentInput> {
  addAbortSignal(signal, stream);
  try {
    if (format === 'jsonl') yield* readJsonLines(stream, name, fields);
    else if (format === 'lines') yield* readLines(stream);
    else if (format === 'text') yield* readWhole(stream);
    else yield* readTable(stream, name, format, fields, signal);
  } catch (cause) {
    signal.throwIfAborted();
    if ((cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    throw new SemanticIndexError('IO', `Cannot read ${name}: ${(cause as Error).message}`, { cause });
  } finally {
    // What nobody reads any more must not keep the process alive.
    stream.destroy();
  }
}

/** The lines of a stream, without their ends. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const piece of stream as AsyncIterable<string>) {
    const lines = (rest + piece).split(/\r?\n/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

async function* readJsonLines(stream: Readable, name: string, fields: FieldFlags): AsyncGenerator<DocumentInput> {
  let number = 0;
  for await (const line of linesOf(stream)) {
    number++;
    const text = number === 1 ? line.replace(/^\uFEFF/, '') : line;
    if (text.trim() === '') continue;
    const place = `${name}, line ${number}`;
    const record = parseLine(text, place);
    if (typeof record === 'string') yield { text: record };
    else if (typeof record === 'object' && record !== null && !Array.isArray(record)) {
      yield documentOf(record as Record<string, unknown>, fields, place);
    } else throw invalid(`${place}: it is neither an object nor a string`);
  }
}

async function* readLines(stream: Readable): AsyncGenerator<DocumentInput> {
  for await (const line of linesOf(stream)) if (line.trim() !== '') yield { text: line };
}

async function* readWhole(stream: Readable): AsyncGenerator<DocumentInput> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(Buffer.from(piece));
  yield { text: Buffer.concat(pieces).toString('utf8') };
}

function parseLine(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(`${place}: it is no JSON`, cause);
  }
}

async function* readTable(
  stream: Readable,
  name: string,
  format: 'csv' | 'tsv',
  fields: FieldFlags,
  signal: AbortSignal,
): AsyncGenerator<DocumentInput> {
  const parser = parse({
    columns: true,
    bom: true,
    delimiter: format === 'tsv' ? '\t' : ',',
    skip_empty_lines: true,
    info: true,
  });
  addAbortSignal(signal, parser);
  stream.on('error', (error) => parser.destroy(error));
  stream.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: Record<string, string>;
      info: { lines: number };
    }>) {
      yield documentOf(typed(record, fields), fields, `${name}, line ${info.lines}`);
    }
  } catch (cause) {
    if (signal.aborted || SemanticIndexError.is(cause) || (cause as { syscall?: string }).syscall !== undefined)
      throw cause;
    throw invalid(`${name}: ${(cause as Error).message}`, cause);
  }
}

/** Numbers among the metadata become numbers, so that filters can compare them; vectors are JSON. */
function typed(record: Record<string, string>, fields: FieldFlags): Record<string, unknown> {
  const entries = Object.entries(record).flatMap(([name, value]): [string, unknown][] => {
    if (name === fields.vectorField) return [[name, JSON.parse(value)]];
    if (name === fields.textField || name === fields.idField) return [[name, value]];
    if (value === '') return [];
    const number = Number(value);
    return [[name, Number.isFinite(number) && String(number) === value ? number : value]];
  });
  return Object.fromEntries(entries);
}

function invalid(message: string, cause?: unknown): SemanticIndexError {
  return new SemanticIndexError('INVALID_FILE', message, {
    hint: 'Check the file, or name its format with --format.',
    cause,
  });
}
