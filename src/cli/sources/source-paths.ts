import { lstat, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import type { SemanticIndex } from '../../index.js';
import { storedNotes } from '../../semantic-index.js';

const baseName = 'base';
const sampledSources = 200;

/**
 * The names under which files are sources of an index: their path from one folder, the base, with slashes; files elsewhere have
 * their absolute path. Real paths are named, so that relative, absolute and linked paths of a file are one source, from
 * whatever folder they are added. The base is the folder of the first add; the index remembers it.
 */
export class SourcePaths {
  readonly base: string;
  /** Whether names that are not absolute are known to begin at the base. */
  readonly certain: boolean;
  readonly #indexFolder: string | undefined;

  private constructor(base: string, certain: boolean, indexFolder: string | undefined) {
    this.base = base;
    this.certain = certain;
    this.#indexFolder = indexFolder;
  }

  /** `held` are the sources that the index has. */
  static async of(index: SemanticIndex, folder: string, held: readonly string[]): Promise<SourcePaths> {
    const here = await realpath('.');
    const indexFolder = folder === ':memory:' ? undefined : await realpath(folder).catch(() => undefined);
    const noted = await index[storedNotes].remembered(baseName);
    const base = noted === undefined ? undefined : resolve(indexFolder ?? here, noted);
    if (base !== undefined && (await exists(base))) return new SourcePaths(base, true, indexFolder);
    const relatives = held.filter((source) => isPath(source) && !isAbsolute(source));
    if (relatives.length === 0) return new SourcePaths(here, true, indexFolder);
    // Not noted, or moved: the folder below which most of the sources are.
    const sample = relatives.slice(0, sampledSources);
    let best = { folder: base ?? here, found: 0 };
    for (const candidate of [here, ...(indexFolder === undefined ? [] : [dirname(indexFolder)])]) {
      const there = await Promise.all(sample.map((source) => exists(resolve(candidate, source))));
      const found = there.filter(Boolean).length;
      if (found > best.found) best = { folder: candidate, found };
    }
    return new SourcePaths(best.folder, best.found > 0, indexFolder);
  }

  /** The name of a file by its real path. */
  nameOf(real: string): string {
    const path = relative(this.base, real);
    return slashed(path === '' || isOutside(path) ? real : path);
  }

  /** Where a source is; undefined of one that is not a file, such as a web address. */
  pathOf(source: string): string | undefined {
    return isPath(source) ? resolve(this.base, source) : undefined;
  }

  /** Notes the base, from the index where it is in there, so that both can be moved together. */
  async note(index: SemanticIndex): Promise<void> {
    const folder = this.#indexFolder;
    const within = folder !== undefined && !isOutside(relative(this.base, folder));
    const noted = within ? slashed(relative(folder, this.base)) : this.base;
    if (this.certain && (await index[storedNotes].remembered(baseName)) !== noted)
      await index[storedNotes].remember(baseName, noted);
  }
}

/** Whether a path that `relative` made leads out of its folder. */
export function isOutside(path: string): boolean {
  return /^\.\.(?:[\\/]|$)/.test(path) || isAbsolute(path);
}

function isPath(source: string): boolean {
  return !/^[a-z][a-z0-9+.-]+:/i.test(source) && !source.includes('\0');
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function slashed(path: string): string {
  return process.platform === 'win32' ? path.replaceAll('\\', '/') : path;
}
