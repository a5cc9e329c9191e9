import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SemanticIndexError } from '../errors.js';

/**
 * The folder as an absolute path, made when it is missing.
 *
 * @throws INVALID_ARGUMENT when it has no name, or something in it.
 */
export async function emptyFolder(method: string, directory: string): Promise<string> {
  const folder = resolve(directory);
  if (directory === '' || (existsSync(folder) && (await readdir(folder)).length > 0)) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: ${JSON.stringify(directory)} is no empty folder`, {
      hint: 'Pass a folder that is empty or missing; indexes are made and broken in it.',
    });
  }
  await mkdir(folder, { recursive: true });
  return folder;
}
