import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import { decodeText, markOf } from '../../analysis/decode-text.js';
import { SemanticIndexError } from '../../index.js';

/** Bytes that decide the encoding of a stream. */
const sampledBytes = 65_536;

/**
 * The characters of a stream, decoded as `decodeText` decodes a whole file; a byte-order mark is left out.
 *
 * @throws INVALID_FILE with the line when the bytes are not of the encoding, or not text.
 */
export async function* readCharacters(
  stream: Readable,
  name: string,
  encoding: string | undefined,
): AsyncGenerator<string> {
  let begun: { decoder: TextDecoder; label: string } | undefined;
  let waiting: Buffer[] = [];
  let lines = 1;
  const decode = (bytes: Uint8Array | undefined): string => {
    const { decoder, label } = begun as NonNullable<typeof begun>;
    try {
      const text = bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
      if (text.includes('\0')) throw invalid(`${name}, line ${lines}: it is not text, as it has zero bytes`);
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
      return text;
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw invalid(`${name}, line ${lines} or behind it: it is not ${label}`, cause);
    }
  };
  const begin = (): string => {
    const bytes = Buffer.concat(waiting);
    waiting = [];
    const { label, skipped } = encodingOf(bytes, name, encoding);
    begun = { decoder: new TextDecoder(label, { fatal: true, ignoreBOM: true }), label };
    return decode(bytes.subarray(skipped));
  };
  for await (const piece of stream as AsyncIterable<Buffer>) {
    if (begun !== undefined) yield decode(piece);
    else {
      waiting.push(piece);
      // Four bytes hold every mark; text that is typed line by line is not kept waiting for more.
      if (waiting.reduce((sum, { length }) => sum + length, 0) >= 4) yield begin();
    }
  }
  if (begun === undefined) yield begin();
  yield decode(undefined);
}

function encodingOf(bytes: Buffer, name: string, encoding: string | undefined): { label: string; skipped: number } {
  const mark = markOf(bytes);
  // A piece may end within a character, which has four bytes at most.
  const sample = bytes.subarray(0, Math.min(bytes.length, sampledBytes) & ~3 || bytes.length);
  const decoded = decodeText(sample, encoding);
  const label = mark?.encoding ?? (decoded.kind === 'binary' ? undefined : decoded.encoding);
  if (label === undefined) throw invalid(`${name}: it is not text, as ${(decoded as { reason: string }).reason}`);
  if (label.startsWith('utf-32')) throw invalid(`${name}: tables in UTF-32 cannot be read`);
  // A sample that is cut within a character is still UTF-8.
  const wide = label.startsWith('utf-16');
  return { label: mark !== undefined || wide ? label : (encoding ?? 'utf-8'), skipped: mark?.length ?? 0 };
}

/**
 * The encoding that a file is to be read in where one was named: UTF-8 if all of it is that, as for text files, else the named
 * one.
 *
 * @throws what reading the file throws.
 */
export async function fallbackEncoding(path: string, encoding: string | undefined): Promise<string | undefined> {
  if (encoding === undefined || /^(?:utf-|iso-2022)/.test(encoding)) return encoding;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const piece of createReadStream(path)) decoder.decode(piece as Buffer, { stream: true });
    decoder.decode();
    return undefined;
  } catch (error) {
    if (error instanceof TypeError) return encoding;
    throw error;
  }
}

/** Says where a file is not of its encoding, as exactly as `decodeText` does. */
export async function exactly(
  path: string,
  name: string,
  error: unknown,
  encoding: string | undefined,
): Promise<unknown> {
  if (!SemanticIndexError.is(error, 'INVALID_FILE') || !(error.cause instanceof TypeError)) return error;
  const file = await open(path);
  try {
    const decoded = decodeText(await file.readFile(), encoding);
    return decoded.kind === 'text' ? error : invalid(`${name}: ${decoded.reason}`, error.cause);
  } finally {
    await file.close();
  }
}

function invalid(message: string, cause?: unknown): SemanticIndexError {
  const hint = 'Name its encoding with --encoding, such as windows-1252 or shift_jis, or save it as UTF-8.';
  return new SemanticIndexError('INVALID_FILE', message, { hint, cause });
}
