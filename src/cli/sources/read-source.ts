import { open } from 'node:fs/promises';
import { formatOfName } from '../../files/content/file-formats.js';
import { reasonOf, type Unreadable } from '../../files/folders/walk-folder.js';
import { SemanticIndexError } from '../../index.js';
import { parseFileDefaults } from '../../options.js';
import { fileSource, isSkipped, readSource, type SkippedSource, type UnreadSource } from '../../rag/file-source.js';
import type { FoundFile } from './find-files.js';

/** A file as a source of chunks: parsed when its text is asked for, or the reason why it cannot be read. */
export function sourceOf(
  { path, real }: FoundFile,
  id: string,
  encoding: string | undefined,
  signal: AbortSignal | undefined,
): Promise<UnreadSource | SkippedSource> {
  // A file that was named is read as text, whatever its ending.
  const format = formatOfName(path);
  const isKnown = format !== undefined && format !== 'csv' && format !== 'jsonl';
  return fileSource(real, id, { ...parseFileDefaults, encoding, signal, name: isKnown ? path : `${path}.txt` });
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
  const found = await sourceOf({ path: `${path}.txt`, real: path, format: undefined }, path, undefined, undefined);
  const source = isSkipped(found) ? found : await readSource(found);
  if (!isSkipped(source)) return source.text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const { code = 'IO', reason } = source;
  const hint = code === 'IO' ? 'Check that it exists and that this user may read it.' : 'Save it as UTF-8.';
  throw new SemanticIndexError(code, `${path}: ${reason}`, { hint });
}
