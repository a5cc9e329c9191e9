import { refuseRemovedMethods } from '../../options/removed-methods.js';
import type {
  AnnoyBatchOptions,
  AnnoyBuildGraphOptions,
  AnnoyBuildOptions,
  AnnoyDeserializeOptions,
  AnnoyIndexOptions,
  AnnoyMapOptions,
  AnnoyOpenOptions,
  AnnoySearchOptions,
  AnnoySerializeOptions,
  AnnoySnapshotOptions,
  AnnoyValidateOptions,
  MatrixAddOptions,
} from '../../options.js';
import type { Metric, ValidationReport } from '../../types.js';
import {
  addMatrix,
  expectNoAddition,
  isMatrixSource,
  type MatrixSource,
  type StreamingOptions,
  searchMatrix,
} from '../matrix/matrix-search.js';
import { registerNative } from '../native-vectors.js';
import type { Vector, VectorRows } from '../vector-arguments.js';
import type { NeighborRows } from '../vector-buffer.js';
import * as building from './annoy-building.js';
import type { AnnoyCore } from './annoy-core.js';
import { type AnnoyInfo, type AnnoyMemory, graphOf, infoOf, memoryOf, summaryOf } from './annoy-info.js';
import * as persistence from './annoy-persistence.js';
import * as reading from './annoy-reading.js';
import type { Neighbors } from './annoy-search.js';
import { type AnnoySnapshot, checkSnapshot } from './annoy-snapshot.js';
import type { AnnoyState } from './annoy-state.js';

/** Search options of a call that returns distances too. */
export type WithDistances = Omit<AnnoySearchOptions, 'includeDistances'> & { includeDistances: true };

/**
 * An Annoy index: a forest of random projection trees over the vectors of items 0, 1, 2, ..., in memory or mapped from a file
 * in the format of Spotify's Annoy, which both libraries read and write. Items are dense: a skipped number costs as much
 * memory as an item.
 *
 * Long operations are asynchronous and run off the event loop; each completes on the contents that it started with. An
 * instance belongs to one thread; `toSnapshot` carries an index to another. `close` frees memory and file at once, garbage
 * collection later.
 *
 * Every method throws CLOSED after `close`, and BUSY while a build, unbuild, load or deserialize is running.
 *
 * @example
 * const index = new AnnoyIndex(384, 'angular');
 * index.addItems(vectors);
 * await index.build();
 * const items = index.getNnsByVector(query, 10);
 */
export class AnnoyIndex {
  readonly #core: AnnoyCore;

  /**
   * @param f number of dimensions; 0 takes it from the first vector
   * @throws INVALID_ARGUMENT, UNKNOWN_OPTION, ADDON_MISSING
   * @example const index = new AnnoyIndex(384, 'angular', { seed: 1 })
   */
  constructor(f: number, metric: Metric, options?: AnnoyIndexOptions) {
    this.#core = building.createCore(f, metric, options);
    registerNative(this, () => this.#core.searchable('search'));
  }

  /**
   * Opens an Annoy file. The sidecar that `save` writes beside it holds `f` and `metric`; pass them for a file without one.
   *
   * @throws IO when the file cannot be read; INVALID_FILE when it is not an Annoy file of that metric and `f`, or not the
   * one that its sidecar describes; DIMENSION_MISMATCH or INVALID_ARGUMENT when `f` or `metric` is missing or disagrees
   * with the sidecar; NEWER_FORMAT.
   * @example const index = await AnnoyIndex.open('items.ann', { loadMode: 'lazy' })
   */
  static async open(path: string | URL, options?: AnnoyOpenOptions): Promise<AnnoyIndex> {
    const opening = await persistence.prepareOpening(path, options);
    const index = new AnnoyIndex(opening.f, opening.metric, opening.settings);
    await persistence.finishOpening(index.#core, opening);
    return index;
  }

  /**
   * Restores the index of which `snapshot` was taken, on this thread or another.
   *
   * @throws as `open` and `deserialize`; INVALID_FILE when the file of a `disk` snapshot was replaced meanwhile.
   * @example const index = await AnnoyIndex.fromSnapshot(workerData.snapshot)
   */
  static async fromSnapshot(snapshot: AnnoySnapshot, options?: AnnoyIndexOptions): Promise<AnnoyIndex> {
    const given = checkSnapshot('AnnoyIndex.fromSnapshot', snapshot);
    if (given.mode === 'byte') {
      const index = new AnnoyIndex(given.f, given.metric, options);
      await index.deserialize(given.bytes, { maxBytes: given.fileSize });
      return index;
    }
    const index = await AnnoyIndex.open(given.path, { ...options, f: given.f, metric: given.metric });
    persistence.expectFileOf(given, index.#core);
    return index;
  }

  /** Number of dimensions; 0 until the first vector sets it. @example index.f // 384 */
  get f(): number {
    return this.#core.f;
  }

  /** @example index.metric // 'angular' */
  get metric(): Metric {
    return this.#core.metric;
  }

  /** @example index.state // 'built' */
  get state(): AnnoyState {
    return this.#core.state.kind;
  }

  /** Whether a search finds the index in memory or mapped, without loading it first. @example index.isLoaded // true */
  get isLoaded(): boolean {
    return this.#core.state.kind === 'built';
  }

  /** Whether searches use the graph index; if not, `info().graph` has the reason. @example index.hasGraph // true */
  get hasGraph(): boolean {
    return graphOf(this.#core).inUse;
  }

  /** The file behind the index: the one it was opened from or last saved to. @example index.path // '/data/items.ann' */
  get path(): string | undefined {
    return this.#core.file?.path;
  }

  /**
   * Stores a vector as item `item`, replacing an earlier one. Memory grows to the highest item, as in Annoy.
   *
   * @throws INVALID_ARGUMENT for an item that is negative, fractional, or more than `maxGap` beyond the number of items;
   * DIMENSION_MISMATCH; INVALID_VECTOR for NaN, infinity, and (except for hamming) a norm other than 0 and outside
   * 1e-18 to 1e18; ALREADY_BUILT; OUT_OF_MEMORY.
   * @example index.addItem(0, new Float32Array([0.1, 0.2, 0.3]))
   */
  addItem(item: number, vector: Vector): void {
    building.addItem(this.#core, item, vector);
  }

  /**
   * Adds rows as the items from `first` on and returns the number after the last item. `first` defaults to the number of
   * items. All rows are added, or none. A VectorMatrix, or the path of one, is added block by block and asynchronously; an
   * abort or failure keeps the blocks added before.
   *
   * @throws as `addItem`
   * @example
   * index.addItems(new Float32Array(1000 * index.f));
   * await index.addItems('vectors.npy');
   */
  addItems(rows: VectorRows, first?: number): number;
  addItems(matrix: MatrixSource, options?: MatrixAddOptions): Promise<number>;
  addItems(rows: VectorRows | MatrixSource, rest?: number | MatrixAddOptions): number | Promise<number> {
    if (isMatrixSource(rows)) return addMatrix(this, rows, rest as MatrixAddOptions);
    if (rest === undefined) this.#expectNoAddition('addItems');
    return building.addRows(this.#core, rows, rest as number | undefined);
  }

  /**
   * Builds the forest; afterwards the index can be searched, and items cannot be added. With -1 trees, Annoy's rule decides:
   * as many as fit into twice as many nodes as there are items. The bytes depend on items, metric, trees and seed only, not
   * on threads or machine. An abort leaves the items as they were.
   *
   * @throws ALREADY_BUILT; INVALID_ARGUMENT without items; OUT_OF_MEMORY; IO; the signal's reason.
   * @example await index.build(10, { threads: 4, onProgress: ({ done, total }) => console.log(done, total) })
   */
  async build(nTrees = -1, options?: AnnoyBuildOptions): Promise<void> {
    this.#expectNoAddition('build');
    await building.build(this.#core, nTrees, options);
  }

  /**
   * Derives the graph index of the forest: a neighbor graph with quantized copies of the vectors, about 570 bytes an item at
   * 384 dimensions. Searches then take a fraction of the time at the same recall, and continue while it is derived. With a
   * file behind the index it is written beside it, as `NAME.ann.accel`, where every process that opens the file finds it;
   * otherwise it stays in memory until `save` writes it. The bytes depend on the forest only. Supports angular, euclidean
   * and dot. The format is described in native/FORMAT.md.
   *
   * @throws NOT_BUILT; INVALID_ARGUMENT for other metrics, and for an index with `engine: 'annoy'`; INVALID_FILE when the
   * trees contradict each other; IO; OUT_OF_MEMORY; the signal's reason.
   * @example await index.buildGraph()
   */
  async buildGraph(options?: AnnoyBuildGraphOptions): Promise<void> {
    await building.buildGraph(this.#core, options);
  }

  /**
   * Removes the forest, so that items can be added again. If the index is mapped from a file, or a search is running, the
   * items are copied into memory.
   *
   * @throws NOT_BUILT, OUT_OF_MEMORY
   * @example await index.unbuild()
   */
  async unbuild(): Promise<void> {
    await building.unbuild(this.#core);
  }

  /**
   * Keeps the items, and later the forest, in a temporary file beside `path` instead of in memory. `build` renames it to
   * `path`, which is untouched until then; no `save` is needed. Call it before the first item.
   *
   * @throws ALREADY_BUILT; INVALID_ARGUMENT after the first item; IO
   * @example index.onDiskBuild('items.ann')
   */
  onDiskBuild(path: string | URL): void {
    building.onDiskBuild(this.#core, path);
  }

  /**
   * Returns the `n` nearest neighbors of an item, the item included.
   *
   * @throws INVALID_ARGUMENT, NOT_BUILT, and as `load` when the file is still to be loaded.
   * @example const { items, distances } = index.getNnsByItem(0, 10, { includeDistances: true })
   */
  getNnsByItem(item: number, n: number, options: WithDistances): Neighbors;
  getNnsByItem(item: number, n: number, options?: AnnoySearchOptions): Int32Array;
  getNnsByItem(item: number, n: number, options?: AnnoySearchOptions): Int32Array | Neighbors {
    return reading.neighborsOfItem(this.#core, item, n, options);
  }

  /**
   * Returns the `n` nearest neighbors of a vector, nearest first, ties by item. Distances are Annoy's: `sqrt(2 - 2 cos)` for
   * angular; for dot the dot product, where larger is nearer.
   *
   * @throws DIMENSION_MISMATCH, INVALID_VECTOR, INVALID_ARGUMENT, NOT_BUILT, and as `load` when the file is still to be
   * loaded.
   * @example const items = index.getNnsByVector(query, 10, { searchK: 5000 })
   */
  getNnsByVector(vector: Vector, n: number, options: WithDistances): Neighbors;
  getNnsByVector(vector: Vector, n: number, options?: AnnoySearchOptions): Int32Array;
  getNnsByVector(vector: Vector, n: number, options?: AnnoySearchOptions): Int32Array | Neighbors {
    return reading.neighborsOfVector(this.#core, vector, n, options);
  }

  /**
   * Searches many queries off the event loop and on all cores. Row r of the results belongs to query r, padded with -1 and
   * NaN. `exact` compares with every item. The queries may be a VectorMatrix, or the path of one; with `neighbors`, the
   * results of one are written to files, and the call resolves to the number of queries.
   *
   * @throws as `getNnsByVector`, and the signal's reason.
   * @example
   * const { items } = await index.getNnsByVectors(queries, 10, { exact: true });
   * await index.getNnsByVectors('queries.npy', 10, { neighbors: 'neighbors.npy' });
   */
  getNnsByVectors(queries: MatrixSource, n: number, options: StreamingOptions): Promise<number>;
  getNnsByVectors(queries: VectorRows | MatrixSource, n: number, options?: AnnoyBatchOptions): Promise<NeighborRows>;
  async getNnsByVectors(
    queries: VectorRows | MatrixSource,
    n: number,
    options?: StreamingOptions | AnnoyBatchOptions,
  ): Promise<NeighborRows | number> {
    this.#core.searchable('getNnsByVectors');
    if (isMatrixSource(queries)) return searchMatrix(this, queries, n, options);
    return reading.neighborsOfVectors(this.#core, queries, n, options);
  }

  /**
   * Returns a copy of an item's vector; works before `build` too.
   *
   * @throws INVALID_ARGUMENT when there is no such item.
   * @example const vector = index.getItemVector(0)
   */
  getItemVector(item: number): Float32Array {
    return reading.itemVector(this.#core, item);
  }

  /**
   * Returns copies of the vectors of `count` items from `first` on, row after row; NaN where a number was skipped. Default:
   * all items. Read a large index in ranges of some thousands.
   *
   * @throws INVALID_ARGUMENT when the range ends beyond the items; OUT_OF_MEMORY.
   * @example const firstThousand = index.getItemVectors(0, 1000)
   */
  getItemVectors(first = 0, count?: number): Float32Array {
    return reading.itemVectors(this.#core, first, count);
  }

  /**
   * Returns the distance between two items; works before `build` too.
   *
   * @throws INVALID_ARGUMENT when an item does not exist.
   * @example const distance = index.getDistance(0, 1)
   */
  getDistance(left: number, right: number): number {
    return reading.distanceOf(this.#core, left, right);
  }

  /** Returns the highest item number plus one; skipped numbers count. @example index.getNItems() // 10000 */
  getNItems(): number {
    return reading.countOf(this.#core, 'getNItems', 'items');
  }

  /** Returns the number of trees; 0 before a build. @example index.getNTrees() // 10 */
  getNTrees(): number {
    return reading.countOf(this.#core, 'getNTrees', 'trees');
  }

  /**
   * Describes the index and its file. Loads nothing and never throws; of an unloaded index, the sidecar is read again.
   *
   * @example const { items, trees, graph } = index.info()
   */
  info(): AnnoyInfo {
    return infoOf(this.#core);
  }

  /** The summary that `console.log(index)` prints. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return summaryOf(this.info());
  }

  /** Returns the bytes that the index holds now; 0 while nothing is loaded. @example index.memoryUsage().mapped */
  memoryUsage(): AnnoyMemory {
    return memoryOf(this.#core);
  }

  /**
   * Reads the whole mapped file into memory, so that searches do not wait for the disk.
   *
   * @throws NOT_BUILT
   * @example await index.prefault()
   */
  async prefault(): Promise<void> {
    await reading.prefault(this.#core);
  }

  /**
   * Checks the whole file, or the index in memory, against its sidecar, and the structure of every tree. Changes nothing.
   *
   * @throws NOT_BUILT; INVALID_FILE with the report in `details` when `strict` is set and a check fails.
   * @example const { valid, checks } = await index.validate()
   */
  async validate(options?: AnnoyValidateOptions): Promise<ValidationReport> {
    return reading.validate(this.#core, options);
  }

  /**
   * Writes the Annoy file and its sidecar, then maps the file, so that its memory is shared with other processes. The file
   * is durable when the promise resolves; after a failure, or a crash at any moment, `path` is the complete old or new file.
   * The graph index in use is written beside the file; one of another forest there is removed.
   *
   * @throws NOT_BUILT, IO
   * @example await index.save('items.ann')
   */
  async save(path: string | URL, options?: AnnoyMapOptions): Promise<void> {
    await persistence.save(this.#core, path, options);
  }

  /**
   * Maps an Annoy file and replaces the contents by it. A sidecar beside the file must agree with this index. On failure the
   * index is unchanged.
   *
   * @throws as `open`; INVALID_ARGUMENT when items were added.
   * @example await index.load('items.ann', { prefault: true })
   */
  async load(path: string | URL, options?: AnnoyMapOptions): Promise<void> {
    await persistence.load(this.#core, path, options);
  }

  /**
   * Frees the memory of this instance. With a file behind it the index stays usable: the next search maps the file again.
   * Without one it is empty, and items can be added.
   *
   * @example index.unload()
   */
  unload(): void {
    persistence.unload(this.#core);
  }

  /** Sets the seed of later builds. @throws INVALID_ARGUMENT @example index.setSeed(42) */
  setSeed(seed: number): void {
    building.setSeed(this.#core, seed);
  }

  /**
   * Turns the messages to the constructor's `logger` on or off; numbers are Annoy's levels, where 0 is off. Default on.
   *
   * @throws INVALID_ARGUMENT for another value, and for on without a logger.
   * @example index.verbose(true)
   */
  verbose(level: boolean | number = true): void {
    building.setVerbose(this.#core, level);
  }

  /**
   * Returns the bytes of the Annoy file that `save` would write.
   *
   * @throws NOT_BUILT, OUT_OF_MEMORY
   * @example const bytes = await index.serialize({ compress: 'gzip' })
   */
  async serialize(options?: AnnoySerializeOptions): Promise<Uint8Array> {
    return persistence.serialize(this.#core, options);
  }

  /**
   * Replaces the contents by the bytes that `serialize`, or Annoy's own `serialize`, returned; compression is detected. On
   * failure the index is unchanged. Compressed data that expands to more than `maxBytes` is refused before it is expanded
   * further. Default limit: 32 times the compressed size, at least 64 MiB.
   *
   * @throws INVALID_FILE; INVALID_ARGUMENT when items were added or f is 0; OUT_OF_MEMORY.
   * @example await index.deserialize(await other.serialize({ compress: 'gzip' }))
   */
  async deserialize(bytes: Uint8Array, options?: AnnoyDeserializeOptions): Promise<void> {
    await persistence.deserialize(this.#core, bytes, options);
  }

  /**
   * Returns a plain object that `postMessage` accepts and `fromSnapshot` turns into an index again.
   *
   * @throws NOT_BUILT; INVALID_ARGUMENT for mode `disk` without a file behind the index.
   * @example worker.postMessage(await index.toSnapshot())
   */
  async toSnapshot(options?: AnnoySnapshotOptions): Promise<AnnoySnapshot> {
    return persistence.toSnapshot(this.#core, options);
  }

  /**
   * Frees everything at once and removes the unfinished file of an on-disk build. Running searches complete; a running build
   * stops and rejects with CLOSED. Other indexes on the same file are unaffected. Closing twice has no effect.
   *
   * @example index.close()
   */
  close(): void {
    this.#core.close();
  }

  /** Same as `close`. @example using index = await AnnoyIndex.open('items.ann') */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @throws CLOSED, BUSY, ALREADY_BUILT; BUSY while the rows of a matrix are being added. */
  #expectNoAddition(method: string): void {
    this.#core.expectAdding(method);
    expectNoAddition(this, method);
  }
}

refuseRemovedMethods('AnnoyIndex', AnnoyIndex.prototype);
