import { open, readFile } from 'node:fs/promises';
import { type DecodedText, decodeText } from '../../analysis/decode-text.js';
import { SemanticIndexError } from '../../index.js';
import type { FoundFile } from './find-files.js';
import { reasonOf, type Unreadable } from './walk-folder.js';

/** A text file that was read, or why it could not be. */
export type ReadSource = DecodedText | ({ readonly kind: 'unreadable' } & Unreadable);

/** Reads a text file by the reader that `readFolder` uses. `encoding` is that of files which are not Unicode. */
export async function readSource({ path, real }: FoundFile, encoding: string | undefined): Promise<ReadSource> {
  try {
    return decodeText(await readFile(real), encoding);
  } catch (error) {
    return { kind: 'unreadable', path, reason: reasonOf(error), covers: [real] };
  }
}

/** Why a file cannot be opened; undefined when it can. */
export async function whyUnreadable({ path, real }: FoundFile): Promise<Unreadable | undefined> {
  try {
    await (await open(real)).close();
    return undefined;
  } catch (error) {
    return { path, reason: reasonOf(error), covers: [real] };
  }
}

/** The lines of a text file that are not empty. @throws IO when it cannot be read, INVALID_FILE when it is not text. */
export async function readLines(path: string): Promise<string[]> {
  const source = await readSource({ path, real: path, format: undefined }, undefined);
  if (source.kind === 'text') return source.text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (source.kind === 'unreadable') {
    const hint = 'Check that it exists and that this user may read it.';
    throw new SemanticIndexError('IO', `Cannot read ${path}: ${source.reason}`, { hint });
  }
  throw new SemanticIndexError('INVALID_FILE', `${path}: ${source.reason}`, { hint: 'Save it as UTF-8.' });
}
