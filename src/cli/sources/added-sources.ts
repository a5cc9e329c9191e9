import type { Unreadable } from '../../files/folders/walk-folder.js';
import { type AddResult, type SemanticIndex, SemanticIndexError, type SyncResult, sync } from '../../index.js';
import { DismissedChunks } from '../../rag/dismissed-chunks.js';
import { storedNotes } from '../../semantic-index.js';
import type { ProgressBar, Terminal } from '../terminal.js';
import { addLines } from './add-lines.js';
import { type FoundFile, type FoundFiles, findFiles } from './find-files.js';
import { GoneSources, type KeptSource } from './gone-sources.js';
import type { SourceFlags } from './planned-documents.js';
import { type RecordOrigin, readRecords } from './read-records.js';
import { sourceOf, whyUnreadable } from './read-source.js';
import { type InvalidRecord, RecordChecks } from './record-checks.js';
import { type RecordFormat, stdinFormat } from './record-format.js';
import { SkippedFiles } from './skipped-files.js';
import { SourcePaths } from './source-paths.js';

/** Flags of `add`. */
export interface AddFlags extends SourceFlags {
  readonly prune?: boolean;
  readonly dryRun?: boolean;
  readonly watch?: boolean;
  readonly restoreDuplicates?: boolean;
  readonly batchSize: number;
}

type AddedRecords = Pick<AddResult, 'added' | 'updated' | 'unchanged' | 'embedded' | 'tokens'>;

/** A file that was left out, and why. */
export interface LeftOutFile {
  readonly path: string;
  readonly reason: string;
}

/** The result of an `add`. `files` are text files cut into chunks, `records` documents of tables and streams, `leftOut` those that dedupe deleted before. */
export interface AddTotal {
  readonly files: SyncResult | undefined;
  readonly records: (AddedRecords & { readonly leftOut: number }) | undefined;
  /** Files that are not text. */
  readonly skipped: readonly string[];
  /** Text files of another encoding. */
  readonly undecodable: readonly LeftOutFile[];
  /** Files that are damaged, encrypted, too large, without text, or not of the format that they are named after. */
  readonly unparsed: readonly (LeftOutFile & { readonly hint: string })[];
  /** Optional packages that are not installed, and the files that need them. */
  readonly missing: readonly { readonly packages: string; readonly paths: readonly string[] }[];
  /** Files and folders that could not be read. */
  readonly unreadable: readonly LeftOutFile[];
  /** Folders and patterns that gave no file, and what else is there. */
  readonly barren: readonly { readonly name: string; readonly leftOut: Readonly<Record<string, number>> }[];
  /** Sources that `--prune` keeps although they were not found. */
  readonly kept: readonly KeptSource[];
  /** Sources that were other names of files that are there under one name now. */
  readonly otherNames: number;
  /** Records that were left out. */
  readonly invalid: readonly InvalidRecord[];
  readonly milliseconds: number;
}

/** Brings sources into an index: texts in chunks, by `sync`, and tables document by document. */
export class AddedSources {
  readonly #index: SemanticIndex;
  readonly #folder: string;
  readonly #flags: AddFlags;
  readonly #terminal: Terminal;
  readonly #signal: AbortSignal;

  constructor(index: SemanticIndex, folder: string, flags: AddFlags, terminal: Terminal, signal: AbortSignal) {
    this.#index = index;
    this.#folder = folder;
    this.#flags = flags;
    this.#terminal = terminal;
    this.#signal = signal;
  }

  /** @throws IO, INVALID_ARGUMENT, INVALID_FILE, INVALID_TEXT and what `sync` and `addDocuments` throw. */
  async add(names: readonly string[], before?: FoundFiles): Promise<AddTotal> {
    const began = performance.now();
    const found = before ?? (await namedFiles(names, this.#flags));
    const unreadable: Unreadable[] = [...found.unreadable];
    const texts = found.files.filter((file) => file.format === undefined);
    const tables = found.files.filter((file) => file.format !== undefined);
    const invalid: InvalidRecord[] = [];
    const { prune = false, dryRun = false, collection } = this.#flags;
    const held = await this.#index[storedNotes].sources(collection);
    const paths = await SourcePaths.of(this.#index, this.#folder, held);
    const gone = await GoneSources.of(this.#index, paths, { ...found, unreadable }, prune);
    const bar = this.#terminal.startProgress();
    try {
      const skipped = new SkippedFiles(texts, paths);
      let files: SyncResult | undefined;
      if (texts.length > 0 || prune) {
        files = await this.#sync(texts, paths, gone, bar);
        for (const one of files.skipped) skipped.add(one, unreadable);
      }
      if (!dryRun && texts.length > 0) await Promise.all([paths.note(this.#index), gone.note(this.#index)]);
      let records: AddTotal['records'];
      for (const file of tables) {
        const origin = { path: file.real };
        const hidden = await whyUnreadable(file);
        if (hidden !== undefined) {
          unreadable.push(hidden);
          continue;
        }
        records = sum(records, await this.#addRecords(origin, file.path, file.format as RecordFormat, invalid, bar));
      }
      if (names.includes('-')) {
        const origin = { stream: process.stdin };
        records = sum(records, await this.#addRecords(origin, 'stdin', stdinFormat(this.#flags.format), invalid, bar));
      }
      return {
        files,
        records,
        ...skipped.total(),
        unreadable: unreadable.map(({ path, reason }) => ({ path, reason })),
        barren: found.barren.map(({ name, leftOut }) => ({ name, leftOut: Object.fromEntries(leftOut) })),
        kept: gone.kept,
        otherNames: gone.otherNames,
        invalid,
        milliseconds: Math.round(performance.now() - began),
      };
    } finally {
      bar.stop();
    }
  }

  /** Deletes the chunks of a text file that is gone; returns how many there were. */
  async remove(real: string): Promise<number> {
    const { collection } = this.#flags;
    const paths = await SourcePaths.of(this.#index, this.#folder, await this.#index[storedNotes].sources(collection));
    const chunks = await this.#index[storedNotes].chunks(collection, paths.nameOf(real));
    return chunks.length === 0 ? 0 : this.#index.deleteDocuments(chunks.map(({ id }) => id));
  }

  /** A total in words. */
  describe(total: AddTotal): string[] {
    return addLines(total);
  }

  #sync(texts: readonly FoundFile[], paths: SourcePaths, gone: GoneSources, bar: ProgressBar): Promise<SyncResult> {
    const { collection, dryRun, batchSize, restoreDuplicates = false, encoding } = this.#flags;
    const total = texts.length;
    const signal = this.#signal;
    async function* sources() {
      for (const file of texts) yield await sourceOf(file, paths.nameOf(file.real), encoding, signal);
    }
    return sync(this.#index, sources() as AsyncIterable<never>, {
      cleanup: 'full',
      keep: (source) => gone.stays(source),
      collection,
      dryRun: dryRun === true,
      restoreDuplicates,
      batchSize,
      signal,
      onProgress: ({ stage, done, total: known }) =>
        bar.onProgress(
          stage === 'sync' ? { stage: 'files', done, total } : { stage, done, ...(known && { total: known }) },
        ),
    });
  }

  async #addRecords(
    origin: RecordOrigin,
    name: string,
    format: RecordFormat,
    invalid: InvalidRecord[],
    bar: ProgressBar,
  ): Promise<AddResult & { readonly leftOut: number }> {
    if (this.#flags.dryRun === true) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `--dry-run counts text files only, not ${name}`, {
        hint: 'Leave out --dry-run; adding the same twice changes nothing.',
      });
    }
    const { batchSize, encoding, onInvalid, restoreDuplicates = false } = this.#flags;
    const checks = new RecordChecks(onInvalid, (await this.#index.stats()).dimensions);
    const signal = this.#signal;
    const documents = readRecords(origin, { name, format, fields: this.#flags, encoding, checks, signal });
    const dismissed = await DismissedChunks.read(this.#index, restoreDuplicates);
    const { onProgress } = bar;
    const places: string[] = [];
    async function* placed() {
      for await (const document of dismissed.without(documents)) {
        if (onInvalid === 'skip') places.push(checks.placeOf(document));
        yield document;
      }
    }
    const result = await this.#index.addDocuments(placed(), { batchSize, onInvalid, signal, onProgress });
    // Texts that the provider refuses are known only now.
    for (const { position, error } of result.invalid ?? []) {
      const place = places[position] ?? name;
      invalid.push({ place, code: error.code, message: `${place}: ${error.message}` });
    }
    invalid.push(...checks.invalid);
    return { ...result, leftOut: dismissed.leftOut };
  }
}

/** The files that the arguments of `add` name. @throws IO when a name matches nothing. */
export function namedFiles(names: readonly string[], { ext, format }: SourceFlags): Promise<FoundFiles> {
  const paths = names.filter((name) => name !== '-');
  return findFiles(paths, ext, format === 'text' ? undefined : format);
}

/** Whether a named source could not be added, or could not be checked by `--prune`. */
export function isIncomplete({ unreadable, undecodable, unparsed, kept }: AddTotal): boolean {
  return unreadable.length + undecodable.length + unparsed.length + kept.length > 0;
}

function sum(
  before: AddTotal['records'],
  { added, updated, unchanged, embedded, tokens, leftOut }: AddResult & { readonly leftOut: number },
): AddTotal['records'] {
  return {
    added: (before?.added ?? 0) + added,
    updated: (before?.updated ?? 0) + updated,
    unchanged: (before?.unchanged ?? 0) + unchanged,
    embedded: (before?.embedded ?? 0) + embedded,
    tokens: (before?.tokens ?? 0) + tokens,
    leftOut: (before?.leftOut ?? 0) + leftOut,
  };
}
