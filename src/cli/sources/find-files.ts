import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { endingsOf, folderFormats } from '../../files/content/file-formats.js';
import { reasonOf, type Unreadable, type WalkedFile, walkFolder } from '../../files/folders/walk-folder.js';
import { SemanticIndexError } from '../../index.js';
import { suggestName } from '../../options.js';
import { formatOf, type RecordFormat } from './record-format.js';

/** Endings of plain text. */
export const textEndings = endingsOf('markdown', 'text');

/** Endings of the files that are taken from a folder. */
export const folderEndings = endingsOf(...folderFormats);

/** A file to add: a text to be cut into chunks, or many documents in a format. */
export interface FoundFile {
  /** As the caller may write it, with slashes. */
  readonly path: string;
  /** Where it really is: links are followed. */
  readonly real: string;
  readonly format: RecordFormat | undefined;
}

/** A folder or pattern that gave no file. */
export interface BarrenName {
  readonly name: string;
  /** How many files of other endings are there, by ending. */
  readonly leftOut: ReadonlyMap<string, number>;
}

/** What arguments lead to. */
export interface FoundFiles {
  readonly files: readonly FoundFile[];
  readonly unreadable: readonly Unreadable[];
  readonly barren: readonly BarrenName[];
  /** Folders that were named and have nothing in them. */
  readonly empty: readonly string[];
  /** Folders at which file systems are mounted that files were found in. */
  readonly mounts: readonly string[];
}

/**
 * The files that arguments name: files as they are, folders with everything in them that has one of the endings, and
 * patterns. In a fixed order; a file is found once, by whatever spelling and through whatever links it is named. node_modules and
 * hidden files are left out of folders. What cannot be read is returned beside the files.
 *
 * @throws IO when there is no such file or folder, or a pattern matches nothing.
 */
export async function findFiles(
  names: readonly string[],
  endings: readonly string[],
  format: RecordFormat | undefined,
): Promise<FoundFiles> {
  const files = new Map<string, FoundFile>();
  const [unreadable, barren, empty, mounts]: [Unreadable[], BarrenName[], string[], Set<string>] = [
    [],
    [],
    [],
    new Set(),
  ];
  for (const name of names) {
    const found = await filesOf(name, endings);
    for (const { path, real } of found.files) {
      if (!files.has(real)) files.set(real, { path: slashed(path), real, format: format ?? formatOf(path) });
    }
    unreadable.push(...found.unreadable.map((one) => ({ ...one, path: slashed(one.path) })));
    if (found.files.length === 0 && found.unreadable.length === 0) barren.push({ name, leftOut: found.leftOut });
    if (found.empty) empty.push(await realpath(name));
    for (const mount of [...found.mounts, ...(await mountsOf(found.files))]) mounts.add(mount);
  }
  return { files: [...files.values()], unreadable, barren, empty, mounts: [...mounts] };
}

type Found = Awaited<ReturnType<typeof walkFolder>>;

const nothing = (): Found => ({ files: [], unreadable: [], leftOut: new Map(), mounts: [], empty: false });

async function filesOf(name: string, endings: readonly string[]): Promise<Found> {
  try {
    const found = await stat(name);
    if (found.isFile()) return { ...nothing(), files: [{ path: name, real: await realpath(name) }] };
    if (found.isDirectory()) {
      const wanted = endings.map((ending) => `.${ending.replace(/^\./, '').toLowerCase()}`);
      const takes = (file: string): boolean => wanted.some((ending) => file.toLowerCase().endsWith(ending));
      return walkFolder(withoutSlash(name), { takes });
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ENAMETOOLONG') {
      return { ...nothing(), unreadable: [{ path: name, reason: reasonOf(error), covers: [await realOrSame(name)] }] };
    }
    const { isDynamicPattern } = await import('tinyglobby');
    if (isDynamicPattern(name)) return matching(name);
    const link = await lstat(name).catch(() => undefined);
    throw new SemanticIndexError(
      'IO',
      link === undefined
        ? `There is no file or directory "${name}", and it matches nothing as a pattern`
        : `"${name}" is a link to something that does not exist`,
      { cause: error, hint: await hintFor(name) },
    );
  }
  throw new SemanticIndexError('IO', `"${name}" is neither a file nor a directory`, {
    hint: 'Pipe its content into `add INDEX - --format …`.',
  });
}

const patternHint = 'Check the path. Quote patterns, so that the shell leaves them alone: "docs/**/*.md".';

/** The entry of the same folder whose name is nearest, if there is one. */
async function hintFor(name: string): Promise<string> {
  const entries = await readdir(dirname(name)).catch(() => []);
  const meant = suggestName(basename(name), entries);
  return meant === undefined ? patternHint : `Did you mean "${join(dirname(name), meant)}"? ${patternHint}`;
}

async function matching(pattern: string): Promise<Found> {
  const { glob } = await import('tinyglobby');
  const paths = (await glob([posix(pattern)], { ignore: ['**/node_modules/**'] })).sort();
  // The library passes over what it cannot read.
  const depth = pattern.includes('**') ? undefined : posix(pattern).split('/').length;
  const seen = await walkFolder(fixedPart(pattern), { takes: () => false, ...(depth !== undefined && { depth }) });
  const files: WalkedFile[] = [];
  const unreadable = seen.unreadable.filter(({ reason }) => reason !== reasonOf({ code: 'ENOENT' }));
  for (const path of paths) {
    try {
      files.push({ path, real: await realpath(path) });
    } catch (error) {
      unreadable.push({ path, reason: reasonOf(error), covers: [await realOrSame(path)] });
    }
  }
  if (files.length > 0 || unreadable.length > 0) return { ...nothing(), files, unreadable, mounts: seen.mounts };
  throw new SemanticIndexError(
    'IO',
    `There is no file or directory "${pattern}", and it matches nothing as a pattern`,
    {
      hint: patternHint,
    },
  );
}

/** The folder that a pattern begins with. */
export function fixedPart(pattern: string): string {
  let folder = pattern;
  while (/[*?{}[\]()!]/.test(folder)) folder = dirname(folder);
  return folder;
}

/** The mount points of the file systems that files are on, without the root. */
async function mountsOf(files: readonly WalkedFile[]): Promise<string[]> {
  const mounts: string[] = [];
  const folders = new Set(files.map(({ real }) => dirname(real)));
  const known = new Set<string>();
  for (const folder of folders) {
    // The path up to the mount point, until one that was seen before.
    for (let at = folder; !known.has(at); at = dirname(at)) {
      known.add(at);
      if (at === dirname(at)) break;
      if (await isMountPoint(at)) {
        mounts.push(at);
        break;
      }
    }
  }
  return mounts;
}

/** Whether another file system begins at a folder. */
export async function isMountPoint(folder: string): Promise<boolean> {
  try {
    const [own, above] = await Promise.all([stat(folder), stat(dirname(folder))]);
    return own.dev !== above.dev;
  } catch {
    return false;
  }
}

/** The real path of what may not be readable itself, as far as the folder that it is in. */
async function realOrSame(path: string): Promise<string> {
  return realpath(path).catch(async () => {
    const folder = dirname(path);
    return folder === path ? resolve(path) : join(await realOrSame(folder), basename(path));
  });
}

function withoutSlash(path: string): string {
  return path.replace(/(?<=.)[\\/]+$/, '');
}

function posix(path: string): string {
  return process.platform === 'win32' ? path.replaceAll('\\', '/') : path;
}

function slashed(path: string): string {
  return posix(path).replace(/^(?:\.\/+)+(?=.)/, '');
}
