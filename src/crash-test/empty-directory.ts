import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SemanticIndexError } from '../errors.js';

/**
 * Returns the absolute path of an empty directory; creates it when it is missing.
 *
 * @throws INVALID_ARGUMENT when the name is empty, or the directory is not.
 */
export async function emptyDirectory(method: string, directory: string): Promise<string> {
  const path = resolve(directory);
  if (directory === '' || (existsSync(path) && (await readdir(path)).length > 0)) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `${method}: expected an empty or missing directory, got ${JSON.stringify(directory)}`,
      {
        hint: 'Indexes are created and damaged in it: choose a directory of its own.',
      },
    );
  }
  await mkdir(path, { recursive: true });
  return path;
}
