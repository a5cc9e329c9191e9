import { realpath } from 'node:fs/promises';
import { basename, relative, resolve } from 'node:path';
import { checkIndex, checkPositive, checkWhole } from '../check-arguments.js';
import { SemanticIndexError } from '../errors.js';
import { endingOf } from '../files/content/file-formats.js';
import type { Changes, ChangeWatcher } from '../files/folders/change-watcher.js';
import { IgnoreRules } from '../files/folders/ignore-rules.js';
import { describe, resolveOptions } from '../options.js';
import type { SemanticIndex } from '../semantic-index.js';
import type { ChunkMetadata } from './chunking/chunk-documents.js';
import { type ResolvedWatchOptions, syncFolderDefaults, type WatchOptions, watchDefaults } from './options.js';
import type { SyncResult } from './sync.js';
import { syncFolder } from './sync-folder.js';

/** What a watch reports to `onEvent`. */
export type WatchEvent =
  /** The index has everything that was in the directory when the watch began. */
  | { readonly type: 'ready'; readonly result: SyncResult }
  /** Files have changed, or are gone; they are synchronized next. */
  | { readonly type: 'change'; readonly changed: readonly string[]; readonly gone: readonly string[] }
  /** The changes are in the index. */
  | { readonly type: 'sync'; readonly result: SyncResult }
  /** Something failed; the watch goes on, and the next change tries again. */
  | { readonly type: 'error'; readonly error: unknown }
  /** The watch has ended. */
  | { readonly type: 'close' };

/** A directory that is being watched. */
export interface FolderWatch extends AsyncDisposable {
  /** Resolves when the index has everything that was in the directory; rejects if the first synchronization fails. */
  readonly ready: Promise<SyncResult>;
  /** Ends the watch. A synchronization that is running is aborted; what it has committed stays. */
  close(): Promise<void>;
}

const ruleFiles = ['.gitignore', '.semanticignore'];

/**
 * Keeps the chunks in an index synchronized with the files of a directory, until it is closed: synchronizes it as
 * `syncFolder` does, then again after every change, when nothing has changed for `debounce` milliseconds. Files whose size and
 * times are those of the last synchronization are not read, also after a restart. Errors of single files are in
 * `skipped` of the results.
 *
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION. `ready` rejects with IO when the directory cannot be read.
 * @example
 * ```ts
 * await using docs = watch(index, 'docs', { onEvent: (event) => console.log(event.type) });
 * await docs.ready;
 * ```
 */
export function watch(
  index: SemanticIndex<ChunkMetadata> | SemanticIndex,
  folder: string,
  options?: WatchOptions,
): FolderWatch {
  const resolved = resolveOptions('watch', options, watchDefaults);
  checkIndex('watch', index);
  if (typeof folder !== 'string' || folder === '') {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `watch: expected the path of a directory, got ${describe(folder)}`,
    );
  }
  checkWhole('watch', 'debounce', resolved.debounce);
  if (resolved.polling !== undefined) checkPositive('watch', 'polling', resolved.polling);
  return new WatchedFolder(index as SemanticIndex, folder, resolved);
}

class WatchedFolder implements FolderWatch {
  readonly ready: Promise<SyncResult>;
  readonly #index: SemanticIndex;
  readonly #folder: string;
  readonly #options: ResolvedWatchOptions;
  readonly #stop = new AbortController();
  #watcher: ChangeWatcher | undefined;
  /** Ends when no synchronization is running or waiting. */
  #syncs: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(index: SemanticIndex, folder: string, options: ResolvedWatchOptions) {
    this.#index = index;
    this.#folder = folder;
    this.#options = options;
    const { signal } = options;
    if (signal?.aborted === true) this.#stop.abort(signal.reason);
    signal?.addEventListener('abort', () => void this.close(), { once: true, signal: this.#stop.signal });
    this.ready = this.#begin();
    // Callers that wait for events only need not handle it.
    this.ready.catch(() => {});
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Watches before it reads: a change in between is reported, and synchronized twice at worst. */
  async #begin(): Promise<SyncResult> {
    try {
      await this.#watch();
      const result = await this.#sync();
      this.#emit({ type: 'ready', result });
      return result;
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#emit({ type: 'error', error });
      throw error;
    }
  }

  async #watch(): Promise<void> {
    const { endings, ignore, ignoreFiles, debounce, polling } = this.#options;
    const root = await realpath(this.#folder).catch(() => resolve(this.#folder));
    const rules = await IgnoreRules.of(root, ignoreFiles);
    const wanted = new Set(endings.map((ending) => ending.replace(/^\./, '').toLowerCase()));
    const { ChangeWatcher } = await import('../files/folders/change-watcher.js');
    this.#stop.signal.throwIfAborted();
    this.#watcher = new ChangeWatcher([root], {
      debounce,
      polling,
      concerns: (path) => wanted.has(endingOf(basename(path))) || ruleFiles.includes(basename(path)),
      ignores: (path) => {
        const below = relative(root, path);
        if (below === '' || below.startsWith('..')) return false;
        const name = basename(path);
        if (ruleFiles.includes(name)) return false;
        return name.startsWith('.') || ignore.includes(name) || rules.ignores(path, true) || rules.ignores(path, false);
      },
      onChanges: (changes) => this.#update(changes),
      onError: (error) => this.#emit({ type: 'error', error }),
    });
    await this.#watcher.ready;
  }

  async #update(changes: Changes): Promise<void> {
    try {
      this.#emit({ type: 'change', ...changes });
      const rulesChanged = [...changes.changed, ...changes.gone].some((path) => ruleFiles.includes(basename(path)));
      if (rulesChanged) {
        // Directories may have to be watched that were left out.
        const before = this.#watcher;
        await this.#watch();
        void before?.close();
      }
      this.#emit({ type: 'sync', result: await this.#sync() });
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#emit({ type: 'error', error });
    }
  }

  /** Synchronizes the directory when the synchronizations before have ended. */
  #sync(): Promise<SyncResult> {
    const result = this.#syncs.then(() => this.#syncOnce());
    this.#syncs = result.catch(() => {});
    return result;
  }

  #syncOnce(): Promise<SyncResult> {
    const isSyncOption = ([name]: [string, unknown]): boolean => Object.hasOwn(syncFolderDefaults, name);
    const options = Object.fromEntries(Object.entries(this.#options).filter(isSyncOption));
    return syncFolder(this.#index, this.#folder, { ...options, signal: this.#stop.signal });
  }

  async #end(): Promise<void> {
    this.#stop.abort(new SemanticIndexError('CLOSED', 'The watch was closed'));
    await this.ready.catch(() => {});
    await this.#watcher?.close();
    this.#emit({ type: 'close' });
  }

  #emit(event: WatchEvent): void {
    try {
      this.#options.onEvent?.(event);
    } catch {
      // An error of the callback must not end the watch.
    }
  }
}
