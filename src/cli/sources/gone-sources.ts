import { lstat, realpath } from 'node:fs/promises';
import { basename, isAbsolute, relative } from 'node:path';
import { reasonOf } from '../../files/folders/walk-folder.js';
import type { SemanticIndex } from '../../index.js';
import { storedNotes } from '../../semantic-index.js';
import { type FoundFiles, isMountPoint } from './find-files.js';
import { isOutside, type SourcePaths } from './source-paths.js';

const mountsName = 'mounts';

/** A source that stays although it was not found, and why. */
export interface KeptSource {
  readonly source: string;
  readonly reason: string;
}

/**
 * Decides which sources of an index are gone: those whose file is known not to exist any more. Everything else stays:
 * files that were not named, and whatever cannot be looked at.
 */
export class GoneSources {
  /** Sources of which nothing could be found out. */
  readonly kept: KeptSource[] = [];
  /** Sources that are another name of a file that was given. */
  otherNames = 0;
  readonly #paths: SourcePaths;
  readonly #found: FoundFiles;
  readonly #prune: boolean;
  readonly #mounts: readonly string[];
  /** Real paths of the files that were given, and the last parts of them. */
  readonly #given: ReadonlySet<string>;
  readonly #givenNames: ReadonlySet<string>;

  private constructor(paths: SourcePaths, found: FoundFiles, prune: boolean, mounts: readonly string[]) {
    this.#paths = paths;
    this.#found = found;
    this.#prune = prune;
    this.#mounts = mounts;
    this.#given = new Set(found.files.map(({ real }) => real));
    this.#givenNames = new Set(found.files.map(({ real }) => basename(real)));
  }

  static async of(index: SemanticIndex, paths: SourcePaths, found: FoundFiles, prune: boolean): Promise<GoneSources> {
    const noted = listIn(await index[storedNotes].remembered(mountsName));
    return new GoneSources(paths, found, prune, [...new Set([...noted, ...found.mounts])].sort());
  }

  /** Records the mount points, to distinguish an unmounted file system from deleted files. */
  async note(index: SemanticIndex): Promise<void> {
    const mounts = JSON.stringify(this.#mounts);
    if (((await index[storedNotes].remembered(mountsName)) ?? '[]') !== mounts)
      await index[storedNotes].remember(mountsName, mounts);
  }

  /** Whether a source that was not given stays. */
  async stays(source: string): Promise<boolean> {
    const path = this.#paths.pathOf(source);
    if (path === undefined) return true;
    // Links have any name, so only a prune looks at all.
    if ((this.#prune || this.#givenNames.has(basename(path))) && (await this.#isOtherName(source, path))) {
      this.otherNames++;
      return false;
    }
    if (!this.#prune) return true;
    const reason = await this.#reasonToStay(source, path);
    if (reason !== undefined && reason !== '') this.kept.push({ source, reason });
    return reason !== undefined;
  }

  async #isOtherName(source: string, path: string): Promise<boolean> {
    if (!isAbsolute(source) && !this.#paths.certain) return false;
    const real = await realpath(path).catch(() => undefined);
    return real !== undefined && this.#given.has(real) && this.#paths.nameOf(real) !== source;
  }

  /** Why a source stays, empty where it is simply there; undefined when it is gone. */
  async #reasonToStay(source: string, path: string): Promise<string | undefined> {
    if (!isAbsolute(source) && !this.#paths.certain) return 'its path is relative to a directory that is not known';
    const hidden = this.#found.unreadable.find(({ covers }) => covers.some((cover) => isWithin(path, cover)));
    if (hidden !== undefined) return `${hidden.path} could not be read`;
    const empty = this.#found.empty.find((folder) => isWithin(path, folder));
    if (empty !== undefined) return `${empty} is empty, as is a mount point without its file system`;
    try {
      if (!(await lstat(path)).isDirectory()) return '';
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') return `it could not be looked at: ${reasonOf(error)}`;
    }
    const mount = this.#mounts.findLast((folder) => isWithin(path, folder));
    if (mount !== undefined && !(await isMountPoint(mount))) return `no file system is mounted at ${mount} now`;
    return undefined;
  }
}

function listIn(json: string | undefined): string[] {
  try {
    const list: unknown = JSON.parse(json ?? '[]');
    return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

function isWithin(path: string, folder: string): boolean {
  return !isOutside(relative(folder, path));
}
