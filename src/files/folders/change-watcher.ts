import { watch } from 'chokidar';

/** Paths that have changed since the last report. */
export interface Changes {
  /** Files that were created or written, and ignore files of any change. */
  readonly changed: readonly string[];
  /** Files that are gone. */
  readonly gone: readonly string[];
}

/** How changes are watched. */
export interface ChangeWatcherOptions {
  /** Milliseconds without another change after which changes are reported. */
  readonly debounce: number;
  /** Decides about paths of files: others are not reported. */
  readonly concerns: (path: string) => boolean;
  /** Decides about paths that are not watched, and directories that are not looked into. */
  readonly ignores: (path: string) => boolean;
  /** Look for changes every so many milliseconds instead: for network file systems. */
  readonly polling?: number | undefined;
  /** Handles changes; the next ones are reported when it has ended. It must not reject. */
  readonly onChanges: (changes: Changes) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** Changes are reported after this many times the debounce, even while more are coming. */
const longestWait = 20;

/** Watches files and directories, and reports changes that come together at once. */
export class ChangeWatcher {
  readonly ready: Promise<void>;
  readonly #options: ChangeWatcherOptions;
  readonly #watcher: ReturnType<typeof watch>;
  readonly #changed = new Set<string>();
  readonly #gone = new Set<string>();
  #due: NodeJS.Timeout | undefined;
  #since: number | undefined;
  #working: Promise<void> | undefined;
  #isClosed = false;

  constructor(paths: readonly string[], options: ChangeWatcherOptions) {
    this.#options = options;
    const { ignores, polling } = options;
    this.#watcher = watch([...paths], {
      ignoreInitial: true,
      ignored: ignores,
      // Editors replace a file by another one: that is a change, not a deletion.
      atomic: true,
      followSymlinks: true,
      ignorePermissionErrors: true,
      ...(polling !== undefined && { usePolling: true, interval: polling, binaryInterval: polling }),
    });
    this.ready = new Promise((resolve) => this.#watcher.once('ready', resolve));
    this.#watcher.on('all', (event, path) => this.#note(event, path));
    this.#watcher.on('error', options.onError);
  }

  /** Ends the watch; waits for the changes that are being handled. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#due);
    await this.#watcher.close();
    await this.#working;
  }

  #note(event: string, path: string): void {
    const isFolder = event.endsWith('Dir');
    if (this.#isClosed || (!isFolder && !this.#options.concerns(path))) return;
    if (event === 'unlink') {
      this.#changed.delete(path);
      this.#gone.add(path);
    } else if (!isFolder) {
      this.#gone.delete(path);
      this.#changed.add(path);
    }
    // What is in a directory may have come, or gone, with it.
    this.#schedule();
  }

  #schedule(): void {
    if (this.#working !== undefined || this.#isClosed) {
      this.#since ??= performance.now();
      return;
    }
    const { debounce } = this.#options;
    this.#since ??= performance.now();
    const left = this.#since + debounce * longestWait - performance.now();
    clearTimeout(this.#due);
    this.#due = setTimeout(() => this.#report(), Math.max(0, Math.min(debounce, left)));
  }

  #report(): void {
    const changes = { changed: [...this.#changed].sort(), gone: [...this.#gone].sort() };
    this.#changed.clear();
    this.#gone.clear();
    this.#since = undefined;
    this.#working = this.#options.onChanges(changes).finally(() => {
      this.#working = undefined;
      if (this.#since !== undefined) this.#schedule();
    });
  }
}
