import { stat, unlink } from 'node:fs/promises';
import { SemanticIndexError } from '../errors.js';
import type { AnnoyEngine } from '../options.js';
import type { LongWorkOptions, Metric } from '../types.js';
import { AcceleratorKeeper, acceleratorPath, removeForeignAccelerator } from './annoy-accelerator.js';
import { type Origin, publishForest, systemError, temporaryPath } from './annoy-file.js';
import { addon, type NativeFacts, type NativeIndex } from './binding.js';
import { METRICS } from './metric.js';
import { runNativeTask } from './native-task.js';
import { type AnnoyDescription, readSidecar } from './sidecar.js';

/**
 * Where an index is in its life. `adding`: items can be added. `busy`: a build, load or the like is under way.
 * `built`: it can be searched. `unloaded`: its file is known and the next search maps it. `closed`: it is over.
 */
export type AnnoyState = 'adding' | 'busy' | 'built' | 'unloaded' | 'closed';

type LongWork = { [K in keyof LongWorkOptions]?: LongWorkOptions[K] | undefined };

/**
 * The life of one index: its state, the native object and the file behind it, and which step may follow which. AnnoyIndex
 * checks what callers pass; this checks when they may.
 */
export class AnnoyLifecycle {
  readonly metric: Metric;
  /** Length of the vectors; 0 while no vector was seen. */
  f: number;
  state: AnnoyState = 'adding';
  items = 0;
  trees = 0;
  native: NativeIndex | undefined;
  readonly accelerator: AcceleratorKeeper;
  /** The file behind the index and what its sidecar says. */
  path: string | undefined;
  description: AnnoyDescription | undefined;
  /** Seed and threads of a build here. */
  built: { readonly seed: number | null; readonly threads: number | null } = { seed: null, threads: null };
  /** Whether the file is read as a whole when it is mapped at the first search. */
  prefault = false;
  /** Counts changes of the contents, so that work in several steps sees whether it was overtaken. */
  generation = 0;
  /** Where an on-disk build will put its file, and where that grows until then. */
  #onDisk: { readonly path: string; readonly temporary: string } | undefined;
  #busyWith = '';
  #stop: AbortController | undefined;

  constructor(metric: Metric, f: number, engine: AnnoyEngine) {
    this.metric = metric;
    this.accelerator = new AcceleratorKeeper(engine);
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
    const target = { path, temporary: temporaryPath(path) };
    this.native?.startOnDisk(target.temporary);
    this.#onDisk = target;
  }

  /** Gives the file of an on-disk build its name and goes on from it; does nothing for others. */
  async publish(): Promise<void> {
    const native = this.native;
    if (this.#onDisk === undefined || native === undefined) return;
    const { path, temporary } = this.#onDisk;
    this.#onDisk = undefined;
    native.releaseDisk();
    native.unload();
    const probe = this.#fresh(this.f);
    try {
      const description = await publishForest(probe, temporary, path, this.origin());
      native.load(path);
      probe.load(path);
      await removeForeignAccelerator(probe, path, description);
      this.accelerator.attach(native, path, description);
      this.setFile(path, description);
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
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
      fresh.shareInto(this.nativeFor(this.f));
      this.#onDisk = undefined;
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
    const mapped = this.#fresh(this.f);
    try {
      mapped.load(path);
      const isSame = await runNativeTask('save', {}, (task) => mapped.equals(saved, task));
      if (!isSame || isOvertaken()) return false;
      this.accelerator.attach(mapped, path, description);
      mapped.shareInto(this.nativeFor(this.f));
    } finally {
      mapped.close();
    }
    this.setFile(path, description);
    this.#refresh();
    return true;
  }

  /**
   * Derives the accelerator while searches go on, writes it beside the file where there is one, and searches with it.
   */
  async accelerate(method: string, derive: (frozen: NativeIndex) => Promise<void>): Promise<void> {
    const frozen = this.freeze(method);
    const { generation, path } = this;
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

  setFile(path: string | undefined, description: AnnoyDescription | undefined): void {
    this.path = path;
    this.description = description;
  }

  /** Where the forest comes from, for a sidecar. */
  origin(): Origin {
    const { seed, threads } = this.description ?? this.built;
    return { metric: this.metric, dimensions: this.f, seed, threads };
  }

  /** Becomes an index of which only the file is known. */
  enterUnloaded(path: string, description: AnnoyDescription | undefined): void {
    this.setFile(path, description);
    this.state = 'unloaded';
    this.items = description?.items ?? 0;
    this.trees = description?.trees ?? 0;
  }

  unload(method: string): void {
    this.expectIdle(method);
    if (this.state === 'unloaded') return;
    this.native?.unload();
    this.#onDisk = undefined;
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

  #loadNow(path: string): NativeIndex {
    const native = this.nativeFor(this.f);
    native.load(path);
    try {
      checkFacts(path, native.facts(), this.description);
    } catch (error) {
      native.unload();
      throw error;
    }
    this.accelerator.attach(native, path, this.description);
    this.state = 'built';
    this.#refresh();
    if (this.prefault) native.prefault().catch(() => undefined);
    return native;
  }

  #refresh(): void {
    this.generation++;
    if (this.state === 'unloaded') return;
    const facts = this.native?.facts();
    this.items = facts?.items ?? 0;
    this.trees = facts?.trees ?? 0;
  }
}

/**
 * What the sidecar of a file says, or undefined when it has none.
 *
 * @throws IO when there is no such file; INVALID_FILE when the sidecar is of another file; as `readSidecar`.
 */
export async function describeFile(path: string): Promise<AnnoyDescription | undefined> {
  const file = await stat(path).catch((cause: unknown) => {
    throw systemError(`${path} cannot be opened`, cause);
  });
  if (!file.isFile()) {
    throw new SemanticIndexError('IO', `${path} is no file`, { hint: 'Pass the path of a file, not of a folder.' });
  }
  const description = await readSidecar(path);
  if (description === undefined || description.fileSize === file.size) return description;
  throw new SemanticIndexError(
    'INVALID_FILE',
    `${path} has ${file.size} bytes, but its sidecar says ${description.fileSize}`,
    { details: { expected: description.fileSize, actual: file.size } },
  );
}

/** @throws INVALID_FILE when a file does not hold what its sidecar says. */
export function checkFacts(path: string, facts: NativeFacts, description: AnnoyDescription | undefined): void {
  if (description === undefined) return;
  for (const field of ['items', 'trees'] as const) {
    if (facts[field] === description[field]) continue;
    throw new SemanticIndexError(
      'INVALID_FILE',
      `${path} has ${facts[field]} ${field}, but its sidecar says ${description[field]}`,
      { details: { expected: description[field], actual: facts[field] } },
    );
  }
}

/** @throws DIMENSION_MISMATCH or INVALID_ARGUMENT when what the caller says of a file is not what its sidecar says. */
export function checkAgreement(
  method: string,
  path: string,
  f: number,
  metric: Metric,
  description: AnnoyDescription | undefined,
): void {
  if (description === undefined) return;
  if (f > 0 && f !== description.dimensions) {
    throw new SemanticIndexError(
      'DIMENSION_MISMATCH',
      `${method}: ${path} has ${description.dimensions} dimensions, not ${f}`,
      { details: { expected: description.dimensions, actual: f } },
    );
  }
  if (metric !== description.metric) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `${method}: ${path} has metric ${description.metric}, not ${metric}`,
    );
  }
}
