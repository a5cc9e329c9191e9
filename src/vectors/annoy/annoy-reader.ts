import type { AnnoyBatchOptions, AnnoySearchOptions, AnnoyValidateOptions, Given } from '../../options.js';
import { annoyValidateDefaults, resolveOptions } from '../../options.js';
import type { Metric, ValidationReport } from '../../types.js';
import { addon } from '../binding.js';
import { isMatrixSource, type MatrixSource, type StreamingOptions, searchMatrix } from '../matrix/matrix-search.js';
import { followLinks } from '../regular-file.js';
import { allocateFloats, checkCount, checkItem, toVector, type Vector, type VectorRows } from '../vector-arguments.js';
import type { NeighborRows } from '../vector-buffer.js';
import type { AcceleratorStatus } from './annoy-accelerator.js';
import { sizeIn } from './annoy-description.js';
import type { AnnoyLifecycle, AnnoyState } from './annoy-lifecycle.js';
import { type Neighbors, searchMany, searchOne } from './annoy-search.js';
import { summaryOf } from './annoy-summary.js';
import { throwUnlessValid, validateIndex } from './annoy-validation.js';
import { ENGINE, sidecarPath } from './sidecar.js';

/** What `AnnoyIndex.info()` tells. */
export interface AnnoyInfo {
  readonly f: number;
  readonly metric: Metric;
  readonly state: AnnoyState;
  readonly isLoaded: boolean;
  /** Undefined while they are not known: for a lazily opened file without sidecar. */
  readonly items: number | undefined;
  readonly trees: number | undefined;
  /** Seed and threads of the build; undefined when not known. */
  readonly seed: number | undefined;
  readonly threads: number | undefined;
  /** The file behind the index, the id in its sidecar, and its size in bytes. */
  readonly path: string | undefined;
  readonly id: string | undefined;
  readonly fileSize: number | undefined;
  /** The sidecar that describes the file; undefined without one. */
  readonly sidecar: string | undefined;
  /** Why a sidecar beside the file is not used: it describes another file. Undefined when there is nothing to report. */
  readonly warning: string | undefined;
  /** SHA-256 of the items in the sidecar. */
  readonly checksum: string | undefined;
  /** Whether the file was to be mapped when it was opened, or at the first search, and to be read as a whole. */
  readonly loadMode: 'eager' | 'lazy';
  readonly prefault: boolean;
  readonly memory: AnnoyMemory;
  /** Whether searches are accelerated, and why not. */
  readonly accelerator: AcceleratorStatus;
  readonly engine: string;
  /** What distances are computed with: scalar, avx2, avx512 or neon. */
  readonly instructionSet: string;
}

/** Bytes in memory: `heap` is this process's own, `mapped` belongs to a file that others may share. */
export interface AnnoyMemory {
  readonly heap: number;
  readonly mapped: number;
}

/** Options of a search that returns distances, too. */
export type WithDistances = Given<Omit<AnnoySearchOptions, 'includeDistances'>> & { includeDistances: true };

/** What can be done with an AnnoyIndex that does not change it: searching, reading, looking after it. */
export class AnnoyReader {
  readonly #life: AnnoyLifecycle;

  protected constructor(life: AnnoyLifecycle) {
    this.#life = life;
  }

  /** Length of the vectors; 0 until the first vector decides it. */
  get f(): number {
    return this.#life.f;
  }

  get metric(): Metric {
    return this.#life.metric;
  }

  get state(): AnnoyState {
    return this.#life.state;
  }

  /** Whether a search would find the index in memory, without loading it first. */
  get isLoaded(): boolean {
    return this.#life.state === 'built';
  }

  /** Whether searches go by the accelerator now; `info().accelerator` says why not. */
  get isAccelerated(): boolean {
    return this.isLoaded && this.#life.accelerator.status(this.#life.native).inUse;
  }

  /** The file behind the index: the one it was opened from or saved to last. */
  get path(): string | undefined {
    return this.#life.path;
  }

  /**
   * The `n` nearest neighbours of an item, itself among them.
   *
   * @throws INVALID_ARGUMENT, NOT_BUILT, and as `load` when that is still to be done.
   */
  getNnsByItem(item: number, n: number, options: WithDistances): Neighbors;
  getNnsByItem(item: number, n: number, options?: Given<AnnoySearchOptions>): Int32Array;
  getNnsByItem(item: number, n: number, options?: Given<AnnoySearchOptions>): Int32Array | Neighbors {
    const native = this.#life.searchable('getNnsByItem');
    const { items } = this.#life;
    checkItem('getNnsByItem', item, items);
    return searchOne('getNnsByItem', n, options, items, (k, searchK, allowed, found, distances) =>
      native.searchItem(item, k, searchK, allowed, found, distances),
    );
  }

  /**
   * The `n` nearest neighbours of a vector, nearest first, ties by item. Distances are Annoy's: for angular
   * `sqrt(2 - 2 cos)`, for dot the dot product, of which large is near.
   *
   * @throws DIMENSION_MISMATCH, INVALID_VECTOR, INVALID_ARGUMENT, NOT_BUILT, and as `load` when that is still to be done.
   */
  getNnsByVector(vector: Vector, n: number, options: WithDistances): Neighbors;
  getNnsByVector(vector: Vector, n: number, options?: Given<AnnoySearchOptions>): Int32Array;
  getNnsByVector(vector: Vector, n: number, options?: Given<AnnoySearchOptions>): Int32Array | Neighbors {
    const native = this.#life.searchable('getNnsByVector');
    const query = toVector('getNnsByVector', vector, this.#life.f);
    return searchOne('getNnsByVector', n, options, this.#life.items, (k, searchK, allowed, found, distances) =>
      native.search(query, k, searchK, allowed, found, distances),
    );
  }

  /**
   * The `n` nearest neighbours of each query, off the event loop and on all cores: row r of the results belongs to
   * query r, padded with -1 and NaN. `exact` compares with every item. The queries may be the rows of a VectorMatrix, or
   * of the path of one; with `neighbors` the answers then go into files too, as `searchMatrix` says, and what comes back
   * is the number of queries.
   *
   * @throws as `getNnsByVector`, and the signal's reason.
   */
  getNnsByVectors(queries: MatrixSource, n: number, options: StreamingOptions): Promise<number>;
  getNnsByVectors(
    queries: VectorRows | MatrixSource,
    n: number,
    options?: Given<AnnoyBatchOptions>,
  ): Promise<NeighborRows>;
  async getNnsByVectors(
    queries: VectorRows | MatrixSource,
    n: number,
    options?: StreamingOptions | Given<AnnoyBatchOptions>,
  ): Promise<NeighborRows | number> {
    const native = this.#life.searchable('getNnsByVectors');
    if (isMatrixSource(queries)) return searchMatrix(this, queries, n, options);
    return searchMany('getNnsByVectors', native, this.#life.f, this.#life.items, queries, n, options);
  }

  /** A copy of an item's vector, before a build too. @throws INVALID_ARGUMENT when there is none. */
  getItemVector(item: number): Float32Array {
    this.#expectItems('getItemVector');
    const native = this.#life.readable('getItemVector');
    checkItem('getItemVector', item, this.#life.items);
    const vector = new Float32Array(this.#life.f);
    native.itemVector(item, vector);
    return vector;
  }

  /**
   * Copies of the vectors of `count` items from `first` on, one after the other; NaN where a number was left out. By
   * default all of them: for a large index ask for some thousands at a time.
   *
   * @throws INVALID_ARGUMENT when the range goes beyond the items; OUT_OF_MEMORY.
   */
  getItemVectors(first = 0, count?: number): Float32Array {
    if (this.#life.state === 'adding' && this.#life.items === 0) return new Float32Array(0);
    const native = this.#life.readable('getItemVectors');
    const { items, f } = this.#life;
    checkItem('getItemVectors', first, items);
    const rows = checkCount('getItemVectors', count ?? items - first, items - first);
    const vectors = allocateFloats('getItemVectors', rows * f);
    native.itemVectors(first, vectors);
    return vectors;
  }

  /** The distance of two items, before a build too. @throws INVALID_ARGUMENT when one is missing. */
  getDistance(left: number, right: number): number {
    this.#expectItems('getDistance');
    const native = this.#life.readable('getDistance');
    checkItem('getDistance', left, this.#life.items);
    checkItem('getDistance', right, this.#life.items);
    return native.distance(left, right);
  }

  /** Items, numbers left out included: one more than the highest. */
  getNItems(): number {
    this.#expectCounts('getNItems');
    return this.#life.items;
  }

  /** Trees of the forest; 0 before a build. */
  getNTrees(): number {
    this.#expectCounts('getNTrees');
    return this.#life.trees;
  }

  /**
   * Facts about the index and its file. Loads nothing and never throws; for an index that is not loaded, the sidecar is read
   * again.
   *
   * @example index.info().items
   */
  info(): AnnoyInfo {
    this.#life.refreshUnloaded();
    const { f, metric, state, path, known, countsKnown, loadMode, prefault } = this.#life;
    const { isLoaded } = this;
    const { seed, threads } = this.#life.origin();
    const description = known?.description;
    const items = countsKnown ? this.#life.items : undefined;
    const trees = countsKnown ? this.#life.trees : undefined;
    const fileSize = known === undefined ? undefined : sizeIn(known.identity);
    return {
      f,
      metric,
      state,
      isLoaded,
      items,
      trees,
      seed: seed ?? undefined,
      threads: threads ?? undefined,
      path,
      id: description?.id,
      fileSize,
      sidecar: path === undefined || description === undefined ? undefined : sidecarPath(followLinks(path)),
      warning: known?.warning,
      checksum: description?.sha256.items,
      loadMode,
      prefault,
      memory: this.memoryUsage(),
      accelerator: this.#life.accelerator.status(isLoaded ? this.#life.native : undefined),
      engine: description?.engine ?? ENGINE,
      instructionSet: addon().instructionSet(),
    };
  }

  /** The summary that `console.log(index)` prints. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return summaryOf(this.info());
  }

  /** Bytes that the index holds now; all 0 when nothing is loaded. */
  memoryUsage(): AnnoyMemory {
    const facts = this.#life.facts();
    return { heap: facts?.heapBytes ?? 0, mapped: facts?.mappedBytes ?? 0 };
  }

  /** Reads the whole mapped file into memory, so that no search waits for the disk. @throws NOT_BUILT */
  async prefault(): Promise<void> {
    await this.#life.searchable('prefault').prefault();
  }

  /**
   * Checks the file, or the memory, from end to end: that it is what its sidecar says and that every tree is sound. Reads
   * everything; changes nothing.
   *
   * @throws NOT_BUILT; INVALID_FILE with the report in `details` when `strict` and not valid.
   */
  async validate(options?: Given<AnnoyValidateOptions>): Promise<ValidationReport> {
    const { strict, load } = resolveOptions('validate', options, annoyValidateDefaults);
    const life = this.#life;
    life.expectIdle('validate');
    const { f, metric, path } = life;
    const frozen = path === undefined ? life.freeze('validate') : undefined;
    try {
      const report = await validateIndex({ f, metric, path, native: frozen });
      if (strict) throwUnlessValid(report, path ?? 'The index');
      if (load && report.valid) life.searchable('validate');
      return report;
    } finally {
      frozen?.close();
    }
  }

  /** @throws INVALID_ARGUMENT when there is nothing yet. */
  #expectItems(method: string): void {
    if (this.#life.state === 'adding' && this.#life.items === 0) checkItem(method, 0, 0);
  }

  /** Loads a lazily opened file that has no sidecar, for only the file knows. @throws CLOSED, and as `load`. */
  #expectCounts(method: string): void {
    this.#life.refreshUnloaded();
    const { state, countsKnown } = this.#life;
    if (state === 'closed' || !countsKnown) this.#life.searchable(method);
  }
}
