import type { Unreadable } from '../../files/folders/walk-folder.js';
import type { SkippedSource } from '../../index.js';
import type { AddTotal } from './added-sources.js';
import type { FoundFile } from './find-files.js';
import type { SourcePaths } from './source-paths.js';

/** Sorts the files that could not be read by what is to be done about them. */
export class SkippedFiles {
  readonly #files: ReadonlyMap<string, FoundFile>;
  readonly #skipped: string[] = [];
  readonly #undecodable: { path: string; reason: string }[] = [];
  readonly #unparsed: { path: string; reason: string; hint: string }[] = [];
  readonly #missing = new Map<string, string[]>();

  constructor(files: readonly FoundFile[], paths: SourcePaths) {
    this.#files = new Map(files.map((file) => [paths.nameOf(file.real), file]));
  }

  /** A file that the system could not read goes to `unreadable`. */
  add({ id, reason, code, hint = '', kind, packages }: SkippedSource, unreadable: Unreadable[]): void {
    const file = this.#files.get(id);
    const path = file?.path ?? id;
    if (code === 'IO') unreadable.push({ path, reason, covers: file === undefined ? [] : [file.real] });
    else if (packages !== undefined) this.#missing.set(packages, [...(this.#missing.get(packages) ?? []), path]);
    else if (kind === 'binary') this.#skipped.push(path);
    else if (kind === 'undecodable') this.#undecodable.push({ path, reason });
    else this.#unparsed.push({ path, reason, hint });
  }

  total(): Pick<AddTotal, 'skipped' | 'undecodable' | 'unparsed' | 'missing'> {
    return {
      skipped: this.#skipped,
      undecodable: this.#undecodable,
      unparsed: this.#unparsed,
      missing: [...this.#missing].map(([packages, paths]) => ({ packages, paths })),
    };
  }
}
