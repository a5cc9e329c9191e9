import { rmSync } from 'node:fs';
import { addon } from '../../addon/addon.js';
import type { NativeFacts, NativeIndex } from '../../addon/native-index.js';
import { runNativeTask } from '../../addon/native-task.js';
import { SemanticIndexError } from '../../errors.js';
import type { AnnoyEngine } from '../../options.js';
import type { LongWorkOptions, Metric } from '../../types.js';
import { METRICS } from '../metric.js';
import { followLinks } from '../regular-file.js';
import { describeNow, identityOf, type KnownFile, mapNow } from './annoy-description.js';
import { checkTarget, ON_DISK_ENDING, type Origin, publishForest, temporaryPath } from './annoy-file.js';
import { attachGraph, graphPath, removeForeignGraph } from './annoy-graph.js';
import {
  type Adding,
  type BackingFile,
  type BuildOrigin,
  type Built,
  buildOf,
  type Counts,
  countsOf,
  empty,
  fileOf,
  type Idle,
  type OnDiskTarget,
  type State,
  transition,
  unknownBuild,
} from './annoy-state.js';
import type { AnnoyDescription } from './sidecar.js';

type LongWork = { [K in keyof LongWorkOptions]?: LongWorkOptions[K] | undefined };

/** How an operation leaves the index: its next state, and the error to throw where the operation failed all the same. */
export interface Outcome {
  readonly next: Idle;
  readonly failure?: { readonly error: unknown };
}

/** Settings of an index, fixed by the constructor except for `seed` and `verbose`. */
export interface AnnoySettings {
  readonly metric: Metric;
  readonly engine: AnnoyEngine;
  readonly maxGap: number;
  readonly logger: ((message: string) => void) | undefined;
  seed: number;
  verbose: boolean;
}

/** How the file was opened. */
export interface Loading {
  readonly loadMode: 'eager' | 'lazy';
  /** Whether to read the whole file when the first search maps it. */
  readonly prefault: boolean;
}

/**
 * The state of one AnnoyIndex and its native object. Every transition happens here; the functions in annoy-building,
 * annoy-reading and annoy-persistence check arguments and call it.
 */
export class AnnoyCore {
  readonly settings: AnnoySettings;
  loading: Loading = { loadMode: 'eager', prefault: false };
  #state: State = empty();
  /** Dimensions and native object are set together, once: by the constructor, the first vector or the first file. */
  #f = 0;
  #native: NativeIndex | undefined;

  constructor(f: number, settings: AnnoySettings) {
    this.settings = settings;
    if (f > 0) this.#nativeFor(f);
  }

  /** Dimensions; 0 until they are known. */
  get f(): number {
    return this.#f;
  }

  get metric(): Metric {
    return this.settings.metric;
  }

  get state(): State {
    return this.#state;
  }

  /** Items and trees; undefined for an unloaded file without sidecar. */
  get counts(): Counts | undefined {
    return countsOf(this.#state);
  }

  get file(): BackingFile | undefined {
    return fileOf(this.#state);
  }

  /** The native object while it holds a forest. */
  get loaded(): NativeIndex | undefined {
    return this.#state.kind === 'built' ? this.#native : undefined;
  }

  /** Counts and sizes; undefined before the dimensions are known. */
  facts(): NativeFacts | undefined {
    return this.#native?.facts();
  }

  /** What a sidecar records about the forest beyond its bytes. */
  origin(build: BuildOrigin = buildOf(this.#state)): Origin {
    return { metric: this.metric, dimensions: this.#f, seed: build.seed, threads: build.threads };
  }

  /** Calls the logger while `verbose` is on. */
  log(message: () => string): void {
    if (this.settings.verbose) this.settings.logger?.(message());
  }

  /** @throws CLOSED, BUSY */
  expectIdle(method: string): Idle {
    const state = this.#state;
    if (state.kind === 'closed') throw new SemanticIndexError('CLOSED', `${method}: the index is closed`);
    if (state.kind !== 'busy') return state;
    throw new SemanticIndexError('BUSY', `${method}: ${state.method} is still running`, {
      hint: `Await the promise of ${state.method} first.`,
    });
  }

  /** @throws CLOSED, BUSY, ALREADY_BUILT */
  expectAdding(method: string): Adding {
    const state = this.expectIdle(method);
    if (state.kind === 'adding') return state;
    throw new SemanticIndexError('ALREADY_BUILT', `${method}: expected an index that is not built yet`, {
      hint: 'Call unbuild() first, or create a new AnnoyIndex.',
    });
  }

  /** The native object with a forest; an unloaded file is mapped first. @throws CLOSED, BUSY, NOT_BUILT, and as `load`. */
  searchable(method: string): NativeIndex {
    if (this.#state.kind === 'built' && this.#native !== undefined) return this.#native;
    const state = this.expectIdle(method);
    if (state.kind === 'unloaded') return this.#loadNow(state.file.path);
    throw new SemanticIndexError('NOT_BUILT', `${method}: expected a built index, got one without trees`, {
      hint: 'Call build() first, or load a file.',
    });
  }

  /** The native object with items, built or not. @throws CLOSED, BUSY, and as `load`. */
  readable(method: string): NativeIndex {
    return this.#state.kind === 'adding' ? this.#nativeFor(this.#f) : this.searchable(method);
  }

  /** A second owner of the forest, unaffected by later changes to the index. The caller closes it. */
  freeze(method: string): NativeIndex {
    const native = this.searchable(method);
    const frozen = this.#fresh(this.#f);
    native.shareInto(frozen);
    return frozen;
  }

  /** Adds rows from item `first` on. */
  add(state: Adding, first: number, rows: Float32Array, f: number): void {
    this.#nativeFor(f).addItems(first, rows);
    state.items = Math.max(state.items, first + rows.length / f);
  }

  /** Keeps the items in a file from now on. */
  startOnDisk(method: string, path: string): void {
    const state = this.expectAdding(method);
    if (state.items > 0 || state.onDisk !== undefined) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: expected to be called once, before the first item`, {
        hint: 'Create a new AnnoyIndex and call it first.',
      });
    }
    const file = followLinks(path);
    checkTarget(file, ON_DISK_ENDING);
    const onDisk = { path, file, temporary: temporaryPath(file) };
    this.#native?.startOnDisk(onDisk.temporary);
    this.#enter({ ...state, onDisk });
  }

  /**
   * Runs `work` in the state `busy`, then enters the state that it returns. When `work` throws, the state is as before.
   *
   * @throws CLOSED when the index was closed meanwhile.
   */
  async whileBusy(method: string, options: LongWork, work: (long: LongWork) => Promise<Outcome>): Promise<void> {
    const before = this.expectIdle(method);
    const stop = new AbortController();
    const { signal, onProgress } = options;
    this.#enter({ kind: 'busy', method, before, stop });
    let outcome: Outcome;
    try {
      outcome = await work({
        signal: signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]),
        onProgress,
      });
    } catch (error) {
      outcome = { next: before, failure: { error } };
    }
    if (stop.signal.aborted) throw new SemanticIndexError('CLOSED', `${method}: the index was closed`);
    this.#enter(outcome.next);
    if (outcome.failure !== undefined) throw outcome.failure.error;
  }

  /** Builds the forest. A build in memory that fails after its trees were complete is undone; on disk they are kept. */
  async build({ onDisk }: Adding, build: BuildOrigin, run: (native: NativeIndex) => Promise<void>): Promise<Outcome> {
    const native = this.#nativeFor(this.#f);
    try {
      await run(native);
    } catch (error) {
      if (native.facts().trees === 0) throw error;
      if (onDisk !== undefined) return { next: this.builtState(undefined, build), failure: { error } };
      await native.unbuild();
      throw error;
    }
    return onDisk === undefined ? { next: this.builtState(undefined, build) } : this.#publish(native, onDisk, build);
  }

  /** Removes the forest. */
  async unbuild(method: string): Promise<void> {
    const native = this.searchable(method);
    await this.whileBusy(method, {}, async () => {
      await native.unbuild();
      return { next: { ...empty(), items: native.facts().items } };
    });
  }

  /** Replaces the contents by those that `prepare` puts into a native object of its own, so that a failure changes nothing. */
  async replaceBy(f: number, prepare: (fresh: NativeIndex) => Promise<void>): Promise<void> {
    const fresh = this.#fresh(f);
    try {
      await prepare(fresh);
      if (this.#isOpen()) fresh.shareInto(this.#nativeFor(f));
    } finally {
      fresh.close();
    }
  }

  /** The state of an index whose native object holds a forest. */
  builtState(file: BackingFile | undefined, build: BuildOrigin, ignoredGraph?: string): Built {
    const { items = 0, trees = 0 } = this.#native?.facts() ?? {};
    return { kind: 'built', items, trees, file, build, ignoredGraph };
  }

  /**
   * Moves the index to the file that `saved` was just written to. Returns false when the index has left `state` meanwhile, or
   * another process has saved under the same name.
   */
  async continueFrom(state: State, path: string, description: AnnoyDescription, saved: NativeIndex): Promise<boolean> {
    if (state.kind !== 'built' || this.#state !== state) return false;
    const file = followLinks(path);
    const mapped = this.#fresh(this.#f);
    try {
      const identity = identityOf(file);
      mapped.load(file);
      const isSame = await runNativeTask('save', {}, (task) => mapped.equals(saved, task));
      if (!isSame || this.#state !== state) return false;
      const ignored = attachGraph(this.settings.engine, mapped, file, description);
      mapped.shareInto(this.#nativeFor(this.#f));
      this.#enter(
        this.builtState({ path, known: { description, warning: undefined, identity } }, state.build, ignored),
      );
      return true;
    } finally {
      mapped.close();
    }
  }

  /** Derives the graph index while searches continue, writes it beside the file where there is one, and searches with it. */
  async buildGraph(method: string, derive: (frozen: NativeIndex) => Promise<void>): Promise<void> {
    const frozen = this.freeze(method);
    const state = this.#state;
    const path = this.file === undefined ? undefined : followLinks(this.file.path);
    try {
      await derive(frozen);
      if (path !== undefined) await frozen.saveGraph(graphPath(path));
      if (state.kind !== 'built' || this.#state !== state || this.#native === undefined) return;
      if (path === undefined) {
        frozen.shareInto(this.#native);
        return;
      }
      const { engine } = this.settings;
      const ignoredGraph = attachGraph(engine, this.#native, path, state.file?.known.description);
      if (ignoredGraph !== state.ignoredGraph) this.#enter({ ...state, ignoredGraph });
    } finally {
      frozen.close();
    }
  }

  /** Becomes an index whose file the first search maps. */
  openLazily(path: string, known: KnownFile): void {
    this.#enter({ kind: 'unloaded', file: { path, known }, counts: known.description });
  }

  /** Reads the sidecar of an unloaded index again: another process may have saved meanwhile. Never throws. */
  refreshUnloaded(): void {
    const state = this.#state;
    if (state.kind !== 'unloaded') return;
    const { path, known: before } = state.file;
    try {
      const known = describeNow('info', path, this);
      const counts = known.identity === before.identity ? state.counts : undefined;
      this.#enter({ kind: 'unloaded', file: { path, known }, counts: known.description ?? counts });
    } catch {
      // The file is gone, or belongs to another index: the next search reports that.
    }
  }

  unload(method: string): void {
    const state = this.expectIdle(method);
    if (state.kind === 'unloaded') return;
    this.#native?.unload();
    const file = fileOf(state);
    this.#enter(file === undefined ? empty() : { kind: 'unloaded', file, counts: countsOf(state) });
  }

  close(): void {
    const state = this.#state;
    if (state.kind === 'closed') return;
    this.#enter({ kind: 'closed', before: state.kind === 'busy' ? state.before : state });
    if (state.kind === 'busy') state.stop.abort();
    this.#native?.close();
  }

  #enter(next: State): void {
    this.#state = transition(this.#state, next);
  }

  #isOpen(): boolean {
    return this.#state.kind !== 'closed';
  }

  #fresh(f: number): NativeIndex {
    return new (addon().Index)(METRICS.indexOf(this.metric), f);
  }

  #nativeFor(f: number): NativeIndex {
    if (this.#native === undefined) {
      const native = this.#fresh(f);
      const onDisk = this.#state.kind === 'adding' ? this.#state.onDisk : undefined;
      if (onDisk !== undefined) native.startOnDisk(onDisk.temporary);
      this.#native = native;
      this.#f = f;
    }
    return this.#native;
  }

  #loadNow(path: string): NativeIndex {
    const file = followLinks(path);
    const native = this.#nativeFor(this.#f);
    const known = mapNow(native, file, this);
    const ignored = attachGraph(this.settings.engine, native, file, known.description);
    this.#enter(this.builtState({ path, known }, unknownBuild, ignored));
    if (this.loading.prefault) native.prefault().catch(() => undefined);
    return native;
  }

  /**
   * Gives the temporary file of an on-disk build its name and maps it. Where that fails, the index stays built on the
   * temporary file, so that it can be saved elsewhere.
   */
  async #publish(native: NativeIndex, target: OnDiskTarget, build: BuildOrigin): Promise<Outcome> {
    const { path, file, temporary } = target;
    native.releaseDisk();
    native.unload();
    const probe = this.#fresh(this.#f);
    try {
      const description = await publishForest(probe, temporary, file, this.origin(build));
      native.load(file);
      probe.load(file);
      await removeForeignGraph(probe, file, description);
      const ignored = attachGraph(this.settings.engine, native, file, description);
      const known = { description, warning: undefined, identity: identityOf(file) };
      return { next: this.builtState({ path, known }, build, ignored) };
    } catch (error) {
      if (!this.#keepTemporary(native, temporary)) return { next: empty(), failure: { error } };
      return { next: this.builtState(undefined, build), failure: { error: withSaveHint(error) } };
    } finally {
      probe.close();
    }
  }

  /** Maps the temporary file, which is removed with the index. Removes it where that fails, or after `close`. */
  #keepTemporary(native: NativeIndex, temporary: string): boolean {
    try {
      if (this.#isOpen()) {
        native.load(temporary);
        native.ownDisk(temporary);
        return true;
      }
    } catch {
      // The error of the caller, which came first, is reported.
    }
    rmSync(temporary, { force: true });
    return false;
  }
}

function withSaveHint(error: unknown): unknown {
  if (!SemanticIndexError.is(error)) return error;
  return new SemanticIndexError(error.code, error.message, {
    cause: error,
    hint: 'The forest is built and kept: call save(path) with another path.',
    ...(error.details === undefined ? {} : { details: error.details }),
  });
}
