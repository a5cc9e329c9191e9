import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { type AddResult, type SemanticIndex, SemanticIndexError, type SyncResult, sync } from '../../index.js';
import { counted } from '../counted.js';
import type { ProgressBar, Terminal } from '../terminal.js';
import { type FoundFile, findFiles, readSource } from './find-files.js';
import type { SourceFlags } from './planned-documents.js';
import { type RecordFormat, readRecords, stdinFormat } from './read-records.js';

/** Flags of `add`. */
export interface AddFlags extends SourceFlags {
  readonly prune?: boolean;
  readonly dryRun?: boolean;
  readonly watch?: boolean;
  readonly batchSize: number;
}

/** What an `add` came to. `files` are text files cut into chunks, `records` documents of tables and streams. */
export interface AddTotal {
  readonly files: SyncResult | undefined;
  readonly records: Omit<AddResult, 'ids'> | undefined;
  /** Files that are no text. */
  readonly skipped: readonly string[];
  readonly milliseconds: number;
}

/** Brings sources into an index: texts in chunks, by `sync`, and tables document by document. */
export class AddedSources {
  readonly #index: SemanticIndex;
  readonly #flags: AddFlags;
  readonly #terminal: Terminal;
  readonly #signal: AbortSignal;

  constructor(index: SemanticIndex, flags: AddFlags, terminal: Terminal, signal: AbortSignal) {
    this.#index = index;
    this.#flags = flags;
    this.#terminal = terminal;
    this.#signal = signal;
  }

  /** @throws IO, INVALID_ARGUMENT, INVALID_FILE, INVALID_TEXT and what `sync` and `addDocuments` throw. */
  async add(names: readonly string[]): Promise<AddTotal> {
    const began = performance.now();
    const { ext, format } = this.#flags;
    const paths = names.filter((name) => name !== '-');
    const files = await findFiles(paths, ext, format === 'text' ? undefined : format);
    const texts = files.filter((file) => file.format === undefined);
    const tables = files.filter((file) => file.format !== undefined);
    const skipped: string[] = [];
    const bar = this.#terminal.startProgress();
    try {
      const synced = texts.length > 0 || this.#flags.prune === true ? await this.#sync(texts, skipped, bar) : undefined;
      let records: Omit<AddResult, 'ids'> | undefined;
      for (const file of tables) records = sum(records, await this.#addTable(file, bar));
      if (paths.length < names.length) records = sum(records, await this.#addStdin(bar));
      return { files: synced, records, skipped, milliseconds: Math.round(performance.now() - began) };
    } finally {
      bar.stop();
    }
  }

  /** Deletes the chunks of a text file that is gone; returns how many there were. */
  remove(path: string): Promise<number> {
    const { collection } = this.#flags;
    return this.#index.deleteDocuments({ where: { source: path, collection: collection ?? null } });
  }

  /** A total in words. */
  describe({ files, records, skipped, milliseconds }: AddTotal): string[] {
    const seconds = `${(milliseconds / 1000).toFixed(1)} s`;
    const lines: string[] = [];
    if (files !== undefined) {
      const { sources, chunks, embedded, dryRun } = files;
      const all = sources.added + sources.updated + sources.unchanged;
      const gone = sources.deleted > 0 ? `, ${sources.deleted} gone` : '';
      lines.push(
        `${counted(all, 'file')}: ${sources.added} new, ${sources.updated} changed, ${sources.unchanged} unchanged${gone}`,
        `${counted(chunks.added + chunks.updated + chunks.unchanged, 'chunk')}: ${chunks.added} new, ${chunks.updated} changed, ` +
          `${chunks.unchanged} unchanged, ${chunks.deleted} deleted; ${embedded} embedded, in ${seconds}`,
      );
      if (dryRun) lines.push('Nothing was written: this was a dry run.');
    }
    if (records !== undefined) {
      const { added, updated, unchanged, embedded } = records;
      lines.push(
        `${counted(added + updated + unchanged, 'document')}: ${added} new, ${updated} changed, ${unchanged} unchanged; ` +
          `${embedded} embedded, in ${seconds}`,
      );
    }
    for (const path of skipped) lines.push(`Skipped, as it is no text: ${path}`);
    return lines;
  }

  #sync(texts: readonly FoundFile[], skipped: string[], bar: ProgressBar): Promise<SyncResult> {
    const { prune, collection, dryRun, batchSize } = this.#flags;
    const total = texts.length;
    async function* sources() {
      for (const { path } of texts) {
        const source = await readSource(path);
        if (source === undefined) skipped.push(path);
        else yield source;
      }
    }
    return sync(this.#index, sources(), {
      cleanup: prune === true ? 'full' : 'incremental',
      collection,
      dryRun: dryRun === true,
      batchSize,
      signal: this.#signal,
      onProgress: ({ stage, done, total: known }) =>
        bar.onProgress(
          stage === 'sync' ? { stage: 'files', done, total } : { stage, done, ...(known && { total: known }) },
        ),
    });
  }

  #addTable({ path, format }: FoundFile, bar: ProgressBar): Promise<AddResult> {
    return this.#addRecords(createReadStream(path), path, format as RecordFormat, bar);
  }

  #addStdin(bar: ProgressBar): Promise<AddResult> {
    return this.#addRecords(process.stdin, 'stdin', stdinFormat(this.#flags.format), bar);
  }

  #addRecords(stream: Readable, name: string, format: RecordFormat, bar: ProgressBar): Promise<AddResult> {
    if (this.#flags.dryRun === true) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `--dry-run counts text files only, not ${name}`, {
        hint: 'Leave out --dry-run; adding the same twice changes nothing.',
      });
    }
    const documents = readRecords(stream, name, format, this.#flags, this.#signal);
    const { batchSize } = this.#flags;
    const { onProgress } = bar;
    return this.#index.addDocuments(documents, { batchSize, signal: this.#signal, onProgress });
  }
}

function sum(before: Omit<AddResult, 'ids'> | undefined, { added, updated, unchanged, embedded, tokens }: AddResult) {
  return {
    added: (before?.added ?? 0) + added,
    updated: (before?.updated ?? 0) + updated,
    unchanged: (before?.unchanged ?? 0) + unchanged,
    embedded: (before?.embedded ?? 0) + embedded,
    tokens: (before?.tokens ?? 0) + tokens,
  };
}
