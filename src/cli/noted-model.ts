import { lstat, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SemanticIndexError } from '../index.js';
import type { ModelFlags } from './model-choice.js';
import { needsTrust, trustModel } from './trusted-models.js';

const fileName = 'cli.json';
const maxBytes = 65_536;
/** An index in PostgreSQL has no file beside it: commands name its model, unless it is the bundled one. */
const isServer = /^postgres(?:ql)?:\/\//;

/** Where an index directory notes its model. */
export function notePath(folder: string): string {
  return join(folder, fileName);
}

/**
 * The model that an index directory notes for itself; undefined when it notes none. The file may come from someone else:
 * what it says is checked here, and whether to follow it is up to the caller.
 *
 * @throws INVALID_FILE when the file is not a note, IO when it cannot be read.
 */
export async function notedModel(folder: string): Promise<ModelFlags | undefined> {
  if (isServer.test(folder)) return undefined;
  const path = notePath(folder);
  const text = await readNote(path);
  if (text === undefined) return undefined;
  let note: unknown;
  try {
    note = JSON.parse(text);
  } catch (cause) {
    throw wrong(path, 'JSON', 'something else', cause);
  }
  if (typeof note !== 'object' || note === null || Array.isArray(note)) {
    throw wrong(path, 'an object', note === null ? 'null' : Array.isArray(note) ? 'an array' : typeof note);
  }
  for (const [member, value] of Object.entries(note)) {
    const expected = checks[member as keyof typeof checks];
    if (!Object.hasOwn(checks, member))
      throw wrong(path, `only ${Object.keys(checks).join(', ')}`, JSON.stringify(member));
    if (!expected.test(value))
      throw wrong(path, `${member} to be ${expected.words}`, JSON.stringify(value)?.slice(0, 100));
  }
  return note as ModelFlags;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 2_000;
const checks = {
  model: { words: 'the name of a model', test: isText },
  baseUrl: {
    words: 'an http or https URL',
    test: (value: unknown) => isText(value) && /^https?:$/.test(URL.canParse(value) ? new URL(value).protocol : ''),
  },
  apiKeyEnv: {
    words: 'the name of an environment variable',
    test: (value: unknown) => isText(value) && /^[A-Za-z_]\w*$/.test(value),
  },
  dimensions: {
    words: 'a positive integer',
    test: (value: unknown) => Number.isSafeInteger(value) && Number(value) > 0,
  },
} as const;

function wrong(path: string, expected: string, got: string, cause?: unknown): SemanticIndexError {
  return new SemanticIndexError('INVALID_FILE', `${path}: expected ${expected}, got ${got}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'Remove the file, and name the model with --model.',
  });
}

async function readNote(path: string): Promise<string | undefined> {
  try {
    const found = await lstat(path);
    if (!found.isFile()) throw wrong(path, 'a file', found.isSymbolicLink() ? 'a symbolic link' : 'something else');
    if (found.size > maxBytes) throw wrong(path, `at most ${maxBytes} bytes`, String(found.size));
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (SemanticIndexError.is(cause)) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new SemanticIndexError('IO', `Cannot read ${path} (${code})`, { cause });
  }
}

/**
 * Notes the model of an index, so that later commands need no flags, and that the user named it. Keys are never noted, only
 * the variable that holds one.
 *
 * @returns an error when only this directory could be written: later commands then ask for consent.
 */
export async function noteModel(folder: string, model: ModelFlags): Promise<SemanticIndexError | undefined> {
  if (isServer.test(folder)) return undefined;
  const { model: name, baseUrl, apiKeyEnv, dimensions } = model;
  const note = { model: name, baseUrl, apiKeyEnv, dimensions };
  await writeFile(notePath(folder), `${JSON.stringify(note, null, 2)}\n`);
  if (!needsTrust(note as ModelFlags)) return undefined;
  try {
    await trustModel(note as ModelFlags);
    return undefined;
  } catch (error) {
    if (SemanticIndexError.is(error)) return error;
    throw error;
  }
}
