import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { encodingNamed } from '../analysis/decode-text.js';
import { checkPositive } from '../check-arguments.js';
import { SemanticIndexError } from '../errors.js';
import {
  describe,
  type ParseFileOptions,
  parseFileDefaults,
  type ResolvedParseFileOptions,
  resolveOptions,
} from '../options.js';
import type { ParsedContent } from './content/file-content.js';
import { endingOf, type FileFormat, formatOfName } from './content/file-formats.js';
import { tooLarge } from './content/invalid-file.js';
import { reasonOf } from './folders/walk-folder.js';
import type { ParseRequest } from './parse-messages.js';
import { readInThread } from './parse-threads.js';
import { type ParsedFile, parsedFile } from './parsed-file.js';
import { readContent } from './read-content.js';

/**
 * Reads a file: Markdown, text, HTML, PDF, DOCX, PPTX, XLSX, EPUB, e-mail, Jupyter notebooks, CSV, JSONL and source
 * code. The name decides the format; a file whose bytes are of another one is refused. Everything happens on this
 * machine, in a thread that is ended when the file takes too long or too much memory. Some formats need an optional
 * package, which the error names.
 *
 * @throws IO, INVALID_FILE (damaged, encrypted, without text, of another format), TOO_LARGE, TIMEOUT, MISSING_PEER,
 *   UNSUPPORTED (a format that is not known), INVALID_ARGUMENT, UNKNOWN_OPTION.
 * @example
 * ```ts
 * const { text, blocks, properties } = await parseFile('report.pdf');
 * await sync(index, [await parseFile('report.pdf')]);
 * ```
 */
export async function parseFile(file: string | URL | Uint8Array, options?: ParseFileOptions): Promise<ParsedFile> {
  const resolved = checkParseFile('parseFile', options);
  const path = file instanceof URL ? fileURLToPath(file) : file;
  const id = resolved.name ?? (typeof path === 'string' ? path : undefined);
  if ((typeof path !== 'string' && !(path instanceof Uint8Array)) || id === undefined || id === '') {
    throw new SemanticIndexError('INVALID_ARGUMENT', `parseFile: expected a path or bytes, got ${describe(file)}`, {
      hint: "Pass the path of a file, or bytes with their name: parseFile(bytes, { name: 'report.pdf' }).",
    });
  }
  resolved.signal?.throwIfAborted();
  try {
    formatFor(id);
    const bytes = typeof path === 'string' ? await readBytes(path, resolved.maxFileBytes) : path.slice();
    return parsedFile(id, await parseBytes(bytes, id, resolved));
  } catch (error) {
    throw SemanticIndexError.is(error) ? named(error, id) : error;
  }
}

/** @throws INVALID_ARGUMENT, UNKNOWN_OPTION. */
export function checkParseFile(method: string, options: ParseFileOptions | undefined): ResolvedParseFileOptions {
  const resolved = resolveOptions(method, options, parseFileDefaults);
  for (const name of ['maxFileBytes', 'maxCharacters', 'timeout'] as const) checkPositive(method, name, resolved[name]);
  const { encoding } = resolved;
  return { ...resolved, encoding: encoding === undefined ? undefined : encodingNamed(encoding, `${method}: encoding`) };
}

/** Text up to this size is decoded faster than it is sent to a thread. */
const maxInlineBytes = 65_536;

/**
 * Reads the content of a file from its bytes, whose memory is given away. The messages of errors are without the name.
 *
 * @throws INVALID_FILE, TOO_LARGE, TIMEOUT, MISSING_PEER, UNSUPPORTED; the reason of the signal.
 */
export async function parseBytes(
  bytes: Uint8Array,
  name: string,
  options: ResolvedParseFileOptions,
): Promise<ParsedContent> {
  const request = requestFor(bytes, name, options);
  const { format, limits } = request;
  const isSmall = bytes.byteLength <= maxInlineBytes && (format === 'text' || format === 'markdown');
  if (isSmall) return readContent(bytes, format, name, limits);
  return readInThread({ request, timeout: options.timeout, signal: options.signal });
}

/** What a thread needs to read a file. @throws TOO_LARGE, UNSUPPORTED. */
export function requestFor(
  bytes: Uint8Array,
  name: string,
  { maxFileBytes, maxCharacters, encoding }: ResolvedParseFileOptions,
): ParseRequest {
  const format = formatFor(name);
  if (bytes.byteLength > maxFileBytes) throw tooManyBytes(bytes.byteLength, maxFileBytes);
  return { bytes, format, name, limits: { maxCharacters, encoding } };
}

function formatFor(name: string): FileFormat {
  const format = formatOfName(name);
  if (format !== undefined) return format;
  const ending = endingOf(name);
  throw new SemanticIndexError(
    'UNSUPPORTED',
    ending === '' ? 'its name has no ending' : `files with the ending .${ending} are not read`,
    { hint: 'Pass a `name` with the ending of its format, such as notes.txt; docs/files.md lists the formats.' },
  );
}

/** The bytes of a file. @throws IO, TOO_LARGE, without its name. */
export async function readBytes(path: string, maxFileBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    // Before it is opened: opening a pipe waits for its other end.
    const stats = await stat(path);
    if (!stats.isFile()) {
      throw new SemanticIndexError('IO', 'it is not a regular file', { hint: 'Pass the path of a file.' });
    }
    if (stats.size > maxFileBytes) throw tooManyBytes(stats.size, maxFileBytes);
    const bytes = await readFile(path);
    // Its memory is sent to a thread, unless it is shared with other buffers.
    const { buffer, byteLength } = bytes;
    return byteLength === buffer.byteLength ? new Uint8Array(buffer as ArrayBuffer) : new Uint8Array(bytes);
  } catch (cause) {
    if (SemanticIndexError.is(cause)) throw cause;
    throw new SemanticIndexError('IO', reasonOf(cause), {
      cause,
      hint: 'Check that it exists and that this user has permission to read it.',
    });
  }
}

function tooManyBytes(size: number, limit: number): SemanticIndexError {
  return tooLarge(
    `it has ${size.toLocaleString('en')} bytes, the limit is ${limit.toLocaleString('en')}`,
    'maxFileBytes',
  );
}

/** The error with the name of its file. */
function named(error: SemanticIndexError, name: string): SemanticIndexError {
  const { code, message, hint, cause, details } = error;
  if (message.startsWith('parseFile:')) return error;
  return new SemanticIndexError(code, `${name}: ${message}`, {
    hint,
    cause: cause ?? error,
    details: { ...details, path: name, reason: message },
  });
}
