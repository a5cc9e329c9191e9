import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { glob, isDynamicPattern } from 'tinyglobby';
import type { SourceDocument } from '../../index.js';
import { SemanticIndexError } from '../../index.js';
import { formatOf, type RecordFormat } from './read-records.js';

/** Endings of the files that are taken from a folder. */
export const textEndings = ['md', 'mdx', 'markdown', 'txt', 'rst'];

/** A file to add: a text to be cut into chunks, or many documents in a format. */
export interface FoundFile {
  /** As the caller may write it, with slashes: the id of its source. */
  readonly path: string;
  readonly format: RecordFormat | undefined;
}

/**
 * The files that arguments name: files as they are, folders with everything in them that has one of the endings, and
 * patterns. In a fixed order, each once; node_modules and hidden files are left out of folders.
 *
 * @throws IO when there is no such file or folder, or a pattern matches nothing.
 */
export async function findFiles(
  names: readonly string[],
  endings: readonly string[],
  format: RecordFormat | undefined,
): Promise<FoundFile[]> {
  const found = new Set<string>();
  for (const name of names) {
    for (const path of await filesOf(name, endings)) found.add(path);
  }
  return [...found].map((path) => ({ path, format: format ?? formatOf(path) }));
}

async function filesOf(name: string, endings: readonly string[]): Promise<string[]> {
  const stat = statSync(name, { throwIfNoEntry: false });
  if (stat?.isFile()) return [slashed(name)];
  if (stat?.isDirectory()) {
    const folder = slashed(name).replace(/\/+$/, '') || '/';
    const paths = await glob(
      endings.map((ending) => `**/*.${ending}`),
      {
        cwd: name,
        caseSensitiveMatch: false,
        ignore: ['**/node_modules/**'],
      },
    );
    const below = folder === '.' ? '' : folder === '/' ? '/' : `${folder}/`;
    return paths.sort().map((path) => `${below}${path}`);
  }
  const paths = isDynamicPattern(name) ? await glob([slashed(name)], { ignore: ['**/node_modules/**'] }) : [];
  if (paths.length > 0) return paths.sort();
  throw new SemanticIndexError('IO', `There is no file or folder "${name}", and it matches nothing as a pattern`, {
    hint: 'Check the path. Quote patterns, so that the shell leaves them alone: "docs/**/*.md".',
  });
}

function slashed(path: string): string {
  return (process.platform === 'win32' ? path.replaceAll('\\', '/') : path).replace(/^\.\//, '');
}

/**
 * A text file as a source of chunks; undefined of one that is no text.
 *
 * @throws IO when it cannot be read.
 */
export async function readSource(path: string): Promise<SourceDocument | undefined> {
  try {
    const bytes = await readFile(path);
    return bytes.includes(0) ? undefined : { id: path, text: bytes.toString('utf8').replace(/^\uFEFF/, '') };
  } catch (cause) {
    throw new SemanticIndexError('IO', `Cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}
