import { type Dirent, promises as fs } from 'node:fs';
import { join } from 'node:path';
import { SemanticIndexError } from '../errors.js';
import { type FolderOptions, folderDefaults, type Given, resolveOptions } from '../options.js';
import type { SourceDocument } from './chunk-documents.js';

/**
 * The texts in a folder and the folders within it, one after the other by name: ids are their paths from the folder, with
 * slashes. Hidden files and folders are left out, and links are not followed. Text is read as UTF-8.
 *
 * @throws IO when the folder or a file cannot be read.
 */
export async function* readFolder(folder: string, options?: Given<FolderOptions>): AsyncGenerator<SourceDocument> {
  const { endings, ignore } = resolveOptions('readFolder', options, folderDefaults);
  yield* readWithin(folder, '', { endings: endings.map((ending) => ending.toLowerCase()), ignore });
}

async function* readWithin(folder: string, below: string, options: FolderOptions): AsyncGenerator<SourceDocument> {
  const entries = await readable(folder, fs.readdir(folder, { withFileTypes: true }));
  entries.sort((a: Dirent, b: Dirent) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const { name } = entry;
    if (name.startsWith('.')) continue;
    const path = join(folder, name);
    if (entry.isDirectory()) {
      if (!options.ignore.includes(name)) yield* readWithin(path, `${below}${name}/`, options);
    } else if (entry.isFile() && options.endings.some((ending) => name.toLowerCase().endsWith(ending))) {
      yield { id: `${below}${name}`, text: await readable(path, fs.readFile(path, 'utf8')) };
    }
  }
}

async function readable<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    throw new SemanticIndexError('IO', `readFolder: cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}
