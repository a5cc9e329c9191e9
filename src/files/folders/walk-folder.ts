import type { Dirent } from 'node:fs';
import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { IgnoreRules } from './ignore-rules.js';

/** A file that was found: as the caller may write it, and where it really is. */
export interface WalkedFile {
  readonly path: string;
  readonly real: string;
}

/** A file, folder or link that could not be read, and with it everything in it. */
export interface Unreadable {
  readonly path: string;
  readonly reason: string;
  /** All the paths under which sources may be that could not be seen. */
  readonly covers: readonly string[];
}

/** What is in a folder and the folders within it. */
export interface WalkedFolder {
  readonly files: WalkedFile[];
  readonly unreadable: Unreadable[];
  /** How many files of other endings there are, by ending. */
  readonly leftOut: Map<string, number>;
  /** Folders at which another file system is mounted. */
  readonly mounts: string[];
  /** Whether there is nothing in it at all, as in a mount point without its file system. */
  readonly empty: boolean;
}

/** Decides about names of files; folders deeper than `depth` are not looked into. */
export interface WalkOptions {
  readonly takes: (name: string) => boolean;
  readonly depth?: number;
  /** Whether .gitignore and .semanticignore count. Default true. */
  readonly ignoreFiles?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Decides about names of folders. Default: all are looked into. */
  readonly leavesOut?: (name: string) => boolean;
}

/**
 * Looks through a folder, in the order of names. Hidden files, packages (node_modules) and what .gitignore and
 * .semanticignore name are left out. Links are followed, each folder is entered once. What cannot be read is listed, never passed over.
 */
export async function walkFolder(
  path: string,
  { takes, depth = Number.POSITIVE_INFINITY, ignoreFiles = true, signal, leavesOut = () => false }: WalkOptions,
): Promise<WalkedFolder> {
  const [files, unreadable, mounts]: [WalkedFile[], Unreadable[], string[]] = [[], [], []];
  const leftOut = new Map<string, number>();
  const entered = new Set<string>();
  let empty = false;

  const file = (name: string, found: WalkedFile): void => {
    if (takes(name)) files.push(found);
    else leftOut.set(endingOf(name), (leftOut.get(endingOf(name)) ?? 0) + 1);
  };
  const link = async (
    name: string,
    at: WalkedFile,
    level: number,
    device: number,
    rules: IgnoreRules,
  ): Promise<void> => {
    try {
      const real = await realpath(at.path);
      const target = await stat(real);
      if (target.isDirectory()) {
        // The target decides about what is in it, wherever it is.
        if (!rules.ignores(at.real, true)) await folder({ path: at.path, real }, level, device, undefined);
      } else if (target.isFile() && !rules.ignores(at.real, false)) file(name, { path: at.path, real });
    } catch (error) {
      // A link to nothing with another ending would be left out anyway; one without an ending may have been a folder.
      if (!takes(name) && name.includes('.')) return;
      const aim = await readlink(at.path).catch(() => undefined);
      const covers = [at.real, ...(aim === undefined ? [] : [resolve(dirname(at.real), aim)])];
      unreadable.push({ path: at.path, reason: `a link that leads nowhere (${reasonOf(error)})`, covers });
    }
  };
  const folder = async (
    at: WalkedFile,
    level: number,
    device: number | undefined,
    above: IgnoreRules | undefined,
  ): Promise<void> => {
    signal?.throwIfAborted();
    if (entered.has(at.real) || level > depth) return;
    entered.add(at.real);
    let entries: Dirent[];
    let own: number;
    try {
      own = (await stat(at.path)).dev;
      entries = await readdir(at.path, { withFileTypes: true });
    } catch (error) {
      unreadable.push({ path: at.path, reason: reasonOf(error), covers: [at.real] });
      return;
    }
    if (device !== undefined && device !== own) mounts.push(at.real);
    if (level === 0) empty = entries.length === 0;
    const rules =
      above === undefined
        ? await IgnoreRules.of(at.real, ignoreFiles)
        : ignoreFiles && entries.some(({ name }) => name === '.gitignore' || name === '.semanticignore')
          ? await above.within(at.real)
          : above;
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const { name } = entry;
      if (name.startsWith('.') || (leavesOut(name) && !entry.isFile())) continue;
      const below = { path: join(at.path, name), real: join(at.real, name) };
      if (entry.isSymbolicLink()) await link(name, below, level + 1, own, rules);
      else if (entry.isDirectory()) {
        if (!rules.ignores(below.real, true)) await folder(below, level + 1, own, rules);
      } else if (entry.isFile() && !rules.ignores(below.real, false)) file(name, below);
    }
  };
  const real = await realpath(path).catch(() => resolve(path));
  await folder({ path, real }, 0, undefined, undefined);
  return { files, unreadable, leftOut, mounts, empty };
}

/** What the system says went wrong, without its path. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const known: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EPERM: 'operation not permitted',
    EIO: 'input/output error',
    ELOOP: 'too many links',
    ENOENT: 'it does not exist',
    ENOTDIR: 'a part of its path is a file',
    ESTALE: 'stale file handle',
  };
  return known[code ?? ''] ?? message;
}

function endingOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(dot).toLowerCase() : 'without an ending';
}
