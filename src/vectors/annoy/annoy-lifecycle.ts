import { rmSync } from 'node:fs';
import { SemanticIndexError } from '../../errors.js';
import type { AnnoyEngine } from '../../options.js';
import type { LongWorkOptions, Metric } from '../../types.js';
import { addon, type NativeFacts, type NativeIndex } from '../binding.js';
import { METRICS } from '../metric.js';
import { runNativeTask } from '../native-task.js';
import { followLinks } from '../regular-file.js';
import { AcceleratorHandle, acceleratorPath, removeForeignAccelerator } from './annoy-accelerator.js';
import { describeNow, type FileExpectation, identityOf, type KnownFile, mapNow } from './annoy-description.js';
import { checkTarget, ON_DISK_ENDING, type Origin, publishForest, temporaryPath } from './annoy-file.js';
import type { AnnoyDescription } from './sidecar.js';

/**
 * Where an index is in its life. `adding`: items can be added. `busy`: a build, load or the like is under way.
 * `built`: it can be searched. `unloaded`: its file is known and the next search maps it. `closed`: it is over.
 */
export type AnnoyState = 'adding' | 'busy' | 'built' | 'unloaded' | 'closed';

const unknownBuild = { seed: null, threads: null };

type LongWork = { [K in keyof LongWorkOptions]?: LongWorkOptions[K] | undefined };

/**
 * The life of one index: its state, the native object and the file behind it, and which step may follow which. AnnoyIndex
 * checks what callers pass; this checks when they may.
 */
export class AnnoyLifecycle implements FileExpectation {
  readonly metric: Metric;
  /** Length of the vectors; 0 while no vector was seen. */
  f: number;
  state: AnnoyState = 'adding';
  items = 0;
  trees = 0;
  /** False for an unloaded index of whose file no sidecar tells `items` and `trees`. */
  countsKnown = true;
  loadMode: 'eager' | 'lazy' = 'eager';
  native: NativeIndex | undefined;
  readonly accelerator: AcceleratorHandle;
  /** The file behind the index as it was named, links not followed. */
  path: string | undefined;
  /** What was known of the file when it was last mapped or described. */
  known: KnownFile | undefined;
  /** Seed and threads of the build whose forest this is; null for a forest from elsewhere. */
  built: { readonly seed: number | null; readonly threads: number | null } = unknownBuild;
  /** Whether the file is read as a whole when it is mapped at the first search. */
  prefault = false;
  /** Counts changes of the contents, so that work in several steps sees whether it was overtaken. */
  generation = 0;
  /** Where an on-disk build will put its file, and where that grows until then. */
  #onDisk: { readonly path: string; readonly file: string; readonly temporary: string } | undefined;
  #busyWith = '';
  #stop: AbortController | undefined;

  constructor(metric: Metric, f: number, engine: AnnoyEngine) {
    this.metric = metric;
    this.accelerator = new AcceleratorHandle(engine);
    this.f = f;
    if (f > 0) this.nativeFor(f);
  }

  /** The native object, made when the first vector tells the dimensions. */
  nativeFor(f: number): NativeIndex {
    if (this.native === undefined) {
      const native = this.#fresh(f);
      if (this.#onDisk !== undefined) native.startOnDisk(this.#onDisk.temporary);
      this.native = native;
      this.f = f;
    }
    return this.native;
  }

  /** @throws CLOSED, BUSY */
  expectIdle(method: string): void {
    if (this.state === 'closed') throw new SemanticIndexError('CLOSED', `${method}: the index is closed`);
    if (this.state === 'busy') {
      throw new SemanticIndexError('BUSY', `${method}: ${this.#busyWith} is under way`, {
        hint: `Wait for the promise of ${this.#busyWith} first.`,
      });
    }
  }

  /** @throws CLOSED, BUSY, ALREADY_BUILT */
  expectAdding(method: string): void {
    if (this.state === 'adding') return;
    this.expectIdle(method);
    const hint = this.path === undefined ? undefined : 'Call `unbuild()` first, or make a new AnnoyIndex.';
    throw new SemanticIndexError(
      'ALREADY_BUILT',
      `${method}: the index is built`,
      hint === undefined ? undefined : { hint },
    );
  }

  /** The native object with a forest, loaded now if it was not. @throws CLOSED, BUSY, NOT_BUILT, and as `load`. */
  searchable(method: string): NativeIndex {
    if (this.state === 'built' && this.native !== undefined) return this.native;
    if (this.state === 'unloaded' && this.path !== undefined) return this.#loadNow(this.path);
    this.expectIdle(method);
    throw new SemanticIndexError('NOT_BUILT', `${method}: the index has no trees yet`);
  }

  /** The native object with items, built or not. @throws CLOSED, BUSY, and as `load`. */
  readable(method: string): NativeIndex {
    if (this.state !== 'adding') return this.searchable(method);
    return this.nativeFor(this.f);
  }

  /** Adds rows. */
  add(first: number, rows: Float32Array, f: number): void {
    this.nativeFor(f).addItems(first, rows);
    this.items = Math.max(this.items, first + rows.length / f);
  }

  /** Lets items grow in a file from now on. */
  startOnDisk(method: string, path: string): void {
    this.expectAdding(method);
    if (this.items > 0 || this.#onDisk !== undefined) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: must be called once, before the first item`, {
        hint: 'Make a new AnnoyIndex and call it first.',
      });
    }
    const file = followLinks(path);
    checkTarget(file, ON_DISK_ENDING);
    const target = { path, file, temporary: temporaryPath(file) };
    this.native?.startOnDisk(target.temporary);
    this.#onDisk = target;
  }

  /** Runs a build. One in memory that was over when its last report of progress failed is undone. */
  async buildOrUndo(build: () => Promise<void>): Promise<void> {
    try {
      await build();
    } catch (error) {
      const { native } = this;
      if (this.#onDisk === undefined && native !== undefined && native.facts().trees > 0) await native.unbuild();
      throw error;
    }
  }

  /**
   * Gives the file of an on-disk build its name and goes on from it; does nothing for others. Where that fails, the index
   * goes on from the temporary file, built, so that it can be saved elsewhere.
   */
  async publish(): Promise<void> {
    const native = this.native;
    if (this.#onDisk === undefined || native === undefined) return;
    const { path, file, temporary } = this.#onDisk;
    this.#onDisk = undefined;
    native.releaseDisk();
    native.unload();
    const probe = this.#fresh(this.f);
    try {
      const description = await publishForest(probe, temporary, file, this.origin());
      native.load(file);
      probe.load(file);
      await removeForeignAccelerator(probe, file, description);
      this.accelerator.attach(native, file, description);
      this.setFile(path, { description, warning: undefined, identity: identityOf(file) });
    } catch (error) {
      this.#keepTemporary(native, temporary);
      if (!SemanticIndexError.is(error)) throw error;
      throw new SemanticIndexError(error.code, error.message, {
        cause: error,
        hint: 'The forest is built and kept: call save(path) with another path.',
        ...(error.details === undefined ? {} : { details: error.details }),
      });
    } finally {
      probe.close();
    }
  }

  /**
   * Runs work during which nothing else may happen to the index, then enters `next`; after a failure the state is as before.
   *
   * @throws CLOSED when the index was closed meanwhile.
   */
  async whileBusy(
    method: string,
    options: LongWork,
    next: AnnoyState,
    work: (long: LongWork) => Promise<void>,
  ): Promise<void> {
    this.expectIdle(method);
    const before = this.state;
    const stop = new AbortController();
    const { signal, onProgress } = options;
    this.#stop = stop;
    this.#busyWith = method;
    this.state = 'busy';
    let after = before;
    try {
      await work({ signal: signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]), onProgress });
      after = next;
    } catch (error) {
      // A build whose file could not get its name is built all the same.
      if (before === 'adding' && (this.native?.facts().trees ?? 0) > 0) after = 'built';
      if (stop.signal.aborted) throw new SemanticIndexError('CLOSED', `${method}: the index was closed`);
      throw error;
    } finally {
      if (!stop.signal.aborted) {
        this.state = after;
        this.#refresh();
      }
    }
    if (stop.signal.aborted) throw new SemanticIndexError('CLOSED', `${method}: the index was closed`);
  }

  /** Puts in place what `prepare` brings into a native object of its own, so that a failure changes nothing. */
  async replaceBy(prepare: (fresh: NativeIndex) => Promise<void>): Promise<void> {
    const fresh = this.#fresh(this.f);
    try {
      await prepare(fresh);
      if (this.#isClosed()) return;
      fresh.shareInto(this.nativeFor(this.f));
      this.#onDisk = undefined;
      this.built = unknownBuild;
    } finally {
      fresh.close();
    }
  }

  /** A second owner of the forest, which stays as it is whatever happens to the index. */
  freeze(method: string): NativeIndex {
    const frozen = this.#fresh(this.f);
    this.searchable(method).shareInto(frozen);
    return frozen;
  }

  /**
   * Goes on from the file that `saved` was just written to, unless the contents are others by now, here or there: another
   * process may have saved under the same name.
   */
  async continueFrom(
    path: string,
    description: AnnoyDescription,
    saved: NativeIndex,
    generation: number,
  ): Promise<boolean> {
    const isOvertaken = (): boolean => this.state !== 'built' || this.generation !== generation;
    if (isOvertaken()) return false;
    const file = followLinks(path);
    const mapped = this.#fresh(this.f);
    let identity: string;
    try {
      identity = identityOf(file);
      mapped.load(file);
      const isSame = await runNativeTask('save', {}, (task) => mapped.equals(saved, task));
      if (!isSame || isOvertaken()) return false;
      this.accelerator.attach(mapped, file, description);
      mapped.shareInto(this.nativeFor(this.f));
    } finally {
      mapped.close();
    }
    this.setFile(path, { description, warning: undefined, identity });
    this.#refresh();
    return true;
  }

  /**
   * Derives the accelerator while searches go on, writes it beside the file where there is one, and searches with it.
   */
  async accelerate(method: string, derive: (frozen: NativeIndex) => Promise<void>): Promise<void> {
    const frozen = this.freeze(method);
    const { generation } = this;
    const path = this.path === undefined ? undefined : followLinks(this.path);
    try {
      await derive(frozen);
      if (path !== undefined) await frozen.saveAccelerator(acceleratorPath(path));
      if (this.generation !== generation || this.state !== 'built' || this.native === undefined) return;
      if (path === undefined) frozen.shareInto(this.native);
      else this.accelerator.attach(this.native, path, this.description);
    } finally {
      frozen.close();
    }
  }

  setFile(path: string | undefined, known: KnownFile | undefined): void {
    this.path = path;
    this.known = known;
  }

  /** What the sidecar says of the file behind the index. */
  get description(): AnnoyDescription | undefined {
    return this.known?.description;
  }

  /** Where the forest comes from, for a sidecar. */
  origin(): Origin {
    const { seed, threads } = this.description ?? this.built;
    return { metric: this.metric, dimensions: this.f, seed, threads };
  }

  /** Becomes an index of which only the file is known. */
  enterUnloaded(path: string, known: KnownFile): void {
    this.setFile(path, known);
    this.state = 'unloaded';
    this.loadMode = 'lazy';
    this.countsKnown = false;
    this.#count(known);
  }

  /** Reads the sidecar of an unloaded index again: another process may have saved meanwhile. Never fails. */
  refreshUnloaded(): void {
    if (this.state !== 'unloaded' || this.path === undefined) return;
    try {
      const known = describeNow('info', this.path, this);
      if (known.identity !== this.known?.identity) this.countsKnown = false;
      this.known = known;
      this.#count(known);
    } catch {
      // The file is gone, or of another index: the next search reports that.
    }
  }

  unload(method: string): void {
    this.expectIdle(method);
    if (this.state === 'unloaded') return;
    this.native?.unload();
    this.#onDisk = undefined;
    this.built = unknownBuild;
    this.generation++;
    if (this.path !== undefined) {
      this.state = 'unloaded';
      return;
    }
    this.state = 'adding';
    this.#refresh();
  }

  close(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.#stop?.abort();
    this.native?.close();
    this.items = 0;
    this.trees = 0;
  }

  /** Counts and sizes; all 0 before there is a native object. */
  facts(): NativeFacts | undefined {
    return this.native?.facts();
  }

  #fresh(f: number): NativeIndex {
    return new (addon().Index)(METRICS.indexOf(this.metric), f);
  }

  #isClosed(): boolean {
    return this.state === 'closed';
  }

  /** Puts a forest that could not get its name in place, from its temporary file, which goes with the index. */
  #keepTemporary(native: NativeIndex, temporary: string): void {
    try {
      if (!this.#isClosed()) {
        native.load(temporary);
        native.ownDisk(temporary);
        return;
      }
    } catch {
      // Not even that is possible: it is removed, and what failed first is reported.
    }
    rmSync(temporary, { force: true });
  }

  #loadNow(path: string): NativeIndex {
    const file = followLinks(path);
    const native = this.nativeFor(this.f);
    const known = mapNow(native, file, this);
    this.accelerator.attach(native, file, known.description);
    this.known = known;
    this.state = 'built';
    this.#refresh();
    if (this.prefault) native.prefault().catch(() => undefined);
    return native;
  }

  #count({ description }: KnownFile): void {
    if (description === undefined) return;
    this.items = description.items;
    this.trees = description.trees;
    this.countsKnown = true;
  }

  #refresh(): void {
    this.generation++;
    if (this.state === 'unloaded') return;
    this.countsKnown = true;
    const facts = this.native?.facts();
    this.items = facts?.items ?? 0;
    this.trees = facts?.trees ?? 0;
  }
}
