import { types } from 'node:util';
import { SemanticIndexError } from '../../errors.js';
import {
  type AnnoyAccelerateOptions,
  type AnnoyBuildOptions,
  type AnnoyDeserializeOptions,
  type AnnoyIndexOptions,
  type AnnoyOpenOptions,
  type AnnoySerializeOptions,
  type AnnoySnapshotOptions,
  annoyAccelerateDefaults,
  annoyBuildDefaults,
  annoyDeserializeDefaults,
  annoyIndexDefaults,
  annoyOpenDefaults,
  annoyPrefaultDefaults,
  annoySerializeDefaults,
  annoySnapshotDefaults,
  type Given,
  type MatrixAddOptions,
  resolveOptions,
} from '../../options.js';
import type { Metric } from '../../types.js';
import { addMatrix, expectNoAddition, isMatrixSource, type MatrixSource } from '../matrix/matrix-search.js';
import { checkMetric } from '../metric.js';
import { runNativeTask } from '../native-task.js';
import { followLinks } from '../regular-file.js';
import {
  checkDimensions,
  checkGap,
  checkLogger,
  checkNewItem,
  checkPath,
  checkSeed,
  checkThreads,
  checkTrees,
  checkVerbosity,
  lengthOfFirst,
  toRows,
  toVector,
  type Vector,
  type VectorRows,
} from '../vector-arguments.js';
import { acceleratorPath, checkEngine, removeForeignAccelerator } from './annoy-accelerator.js';
import { checkCompression, compressBytes, copyBytes, expandBytes } from './annoy-bytes.js';
import { checkAgreement, describeAs, describeFile, mapLater } from './annoy-description.js';
import { saveForest } from './annoy-file.js';
import { AnnoyLifecycle } from './annoy-lifecycle.js';
import { AnnoyReader } from './annoy-reader.js';
import { type AnnoySnapshot, checkSnapshot, isSameFile } from './annoy-snapshot.js';

/**
 * Annoy's index: a forest over the vectors of items 0, 1, 2 and so on, in memory or mapped from a file that Spotify's
 * library reads and writes too. Item numbers are dense: a number left out costs as much as an item. What takes long is
 * async, runs off the event loop, and finishes on what it began with whatever happens to the index meanwhile. Each
 * thread has objects of its own; a snapshot carries an index to another thread. `close` frees memory and file at once,
 * garbage collection later.
 *
 * Every method throws CLOSED after `close`, and BUSY while a build, unbuild, load or deserialize is under way.
 */
export class AnnoyIndex extends AnnoyReader {
  readonly #life: AnnoyLifecycle;
  readonly #maxGap: number;
  readonly #logger: AnnoyIndexOptions['logger'];
  #seed: number;
  #verbose = false;

  /**
   * @param f length of the vectors; 0 takes that of the first vector
   * @throws INVALID_ARGUMENT, UNKNOWN_OPTION, ADDON_MISSING
   */
  constructor(f: number, metric: Metric, options?: Given<AnnoyIndexOptions>) {
    const { seed, maxGap, logger, engine } = resolveOptions('AnnoyIndex', options, annoyIndexDefaults);
    const life = new AnnoyLifecycle(
      checkMetric('AnnoyIndex', metric),
      checkDimensions('AnnoyIndex', f),
      checkEngine('AnnoyIndex', engine),
    );
    super(life);
    this.#life = life;
    this.#seed = checkSeed('AnnoyIndex', seed);
    this.#maxGap = checkGap('AnnoyIndex', maxGap);
    this.#logger = checkLogger('AnnoyIndex', logger);
  }

  /**
   * Opens an Annoy file. With its sidecar beside it nothing but the path is needed; without, `f` and `metric` are.
   *
   * @throws IO when the file cannot be read; INVALID_FILE when it is no Annoy file of that metric and `f`, or not the
   * one that its sidecar describes; DIMENSION_MISMATCH or INVALID_ARGUMENT when `f` or `metric` is missing or disagrees
   * with the sidecar; NEWER_FORMAT.
   */
  static async open(path: string | URL, options?: Given<AnnoyOpenOptions>): Promise<AnnoyIndex> {
    const method = 'AnnoyIndex.open';
    const { f, metric, loadMode, prefault, ...rest } = resolveOptions(method, options, annoyOpenDefaults);
    if (loadMode !== 'eager' && loadMode !== 'lazy') {
      throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: loadMode must be "eager" or "lazy"`);
    }
    const file = checkPath(method, path);
    const known = await describeFile(file, f !== undefined && f > 0 && metric !== undefined);
    const { description } = known;
    const dimensions = f ?? description?.dimensions;
    const distance = metric ?? description?.metric;
    if (dimensions === undefined || dimensions === 0 || distance === undefined) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: ${file} has no sidecar`, {
        hint: 'Pass f and metric: an Annoy file does not say what it holds.',
      });
    }
    const index = new AnnoyIndex(dimensions, distance, rest);
    checkAgreement(method, file, index, description);
    if (loadMode === 'eager') {
      await index.load(file, { prefault });
    } else {
      index.#life.enterUnloaded(file, known);
    }
    index.#life.prefault = prefault;
    return index;
  }

  /**
   * The index of which `snapshot` was taken, here or on another thread.
   *
   * @throws as `open` and `deserialize`; INVALID_FILE when the file of a `disk` snapshot was replaced meanwhile.
   */
  static async fromSnapshot(snapshot: AnnoySnapshot, options?: Given<AnnoyIndexOptions>): Promise<AnnoyIndex> {
    const given = checkSnapshot('AnnoyIndex.fromSnapshot', snapshot);
    if (given.mode === 'byte') {
      const index = new AnnoyIndex(given.f, given.metric, options);
      await index.deserialize(given.bytes, { maxBytes: given.fileSize });
      return index;
    }
    const index = await AnnoyIndex.open(given.path, { ...options, f: given.f, metric: given.metric });
    if (isSameFile(given, index.#life.known)) return index;
    index.close();
    throw new SemanticIndexError('INVALID_FILE', `${given.path} is not the file that the snapshot was taken of`, {
      hint: 'Take the snapshot again, or with mode "byte".',
    });
  }

  /**
   * Puts a vector at a number, over what was there. Memory grows to the highest number, as in Annoy.
   *
   * @throws INVALID_ARGUMENT for a number that is negative, fractional, or more than `maxGap` beyond the items there
   * are; DIMENSION_MISMATCH; INVALID_VECTOR for NaN, infinity, and (except for hamming) a length that is not 0 and not
   * from 1e-18 to 1e18; ALREADY_BUILT; OUT_OF_MEMORY.
   */
  addItem(item: number, vector: Vector): void {
    this.#life.expectAdding('addItem');
    checkNewItem('addItem', item, this.#life.items, this.#maxGap);
    const floats = toVector('addItem', vector, this.#life.f);
    this.#life.add(item, floats, floats.length);
  }

  /**
   * Puts rows at the numbers from `first` on, by default after the items there are, and returns the number after the
   * last. All rows or none. The rows of a VectorMatrix, or of the path of one, are added block by block as `addMatrix`
   * says, which is async and may stop in between.
   *
   * @throws as `addItem`
   */
  addItems(rows: VectorRows, first?: number): number;
  addItems(matrix: MatrixSource, options?: Given<MatrixAddOptions>): Promise<number>;
  addItems(rows: VectorRows | MatrixSource, rest?: number | Given<MatrixAddOptions>): number | Promise<number> {
    if (isMatrixSource(rows)) return addMatrix(this, rows, rest as Given<MatrixAddOptions>);
    this.#life.expectAdding('addItems');
    if (rest === undefined) expectNoAddition(this, 'addItems');
    const first = (rest ?? this.#life.items) as number;
    checkNewItem('addItems', first, this.#life.items, this.#maxGap);
    const f = this.#life.f > 0 ? this.#life.f : lengthOfFirst('addItems', rows);
    const floats = toRows('addItems', rows, f);
    if (floats.length === 0) return first;
    const end = first + floats.length / f;
    checkNewItem('addItems', end - 1, end, 0);
    this.#life.add(first, floats, f);
    return end;
  }

  /**
   * Builds the forest, after which it can be searched and no item be added. -1 trees means as many as Annoy would
   * choose: nodes for twice the items. The bytes depend on items, metric, trees and seed only, not on threads or
   * machine. An abort leaves the items as they were.
   *
   * @throws ALREADY_BUILT; INVALID_ARGUMENT without items; OUT_OF_MEMORY; IO; the signal's reason.
   */
  async build(nTrees = -1, options?: Given<AnnoyBuildOptions>): Promise<void> {
    const life = this.#life;
    life.expectAdding('build');
    expectNoAddition(this, 'build');
    const trees = checkTrees('build', nTrees);
    const given = resolveOptions('build', options, annoyBuildDefaults);
    const threads = checkThreads('build', given.threads);
    const seed = checkSeed('build', given.seed ?? this.#seed);
    const { native } = life;
    if (native === undefined || life.items === 0) {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'build: there are no items', { hint: 'Call addItem first.' });
    }
    const start = performance.now();
    await life.whileBusy('build', given, 'built', async (long) => {
      await life.buildOrUndo(() => runNativeTask('build', long, (task) => native.build(trees, seed, threads, task)));
      life.built = { seed, threads };
      await life.publish();
    });
    const took = Math.round(performance.now() - start);
    this.#log(() => `built ${life.trees} trees over ${life.items} items in ${took} ms`);
  }

  /**
   * Derives the accelerator of the forest: a graph of near items with a copy of the vectors in a quarter of their size,
   * about 570 bytes an item at 384 dimensions, with which searches take a fraction of the time at the same recall. With a
   * file behind the index it is written beside it, as `NAME.ann.accel`, and found there by whoever opens the file; else it
   * is in memory, and `save` writes it. Searches go on meanwhile. The bytes depend on the forest only. For
   * angular, euclidean and dot. See native/FORMAT.md.
   *
   * @throws NOT_BUILT; INVALID_ARGUMENT for other metrics, and for an index with `engine: 'annoy'`; INVALID_FILE when the
   * trees contradict themselves; IO; OUT_OF_MEMORY; the signal's reason.
   */
  async accelerate(options?: Given<AnnoyAccelerateOptions>): Promise<void> {
    const given = resolveOptions('accelerate', options, annoyAccelerateDefaults);
    const threads = checkThreads('accelerate', given.threads);
    if (this.#life.accelerator.engine === 'annoy') {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'accelerate: the index has the engine annoy', {
        hint: 'Open it without the option engine.',
      });
    }
    const start = performance.now();
    await this.#life.accelerate('accelerate', (frozen) =>
      runNativeTask('accelerate', given, (task) => frozen.accelerate(threads, task)),
    );
    const took = Math.round(performance.now() - start);
    this.#log(() => `derived the accelerator in ${took} ms`);
  }

  /**
   * Takes the forest away, so that items can be added again. Of an index that is mapped from a file, or is being
   * searched, the items are copied into memory.
   *
   * @throws NOT_BUILT, OUT_OF_MEMORY
   */
  async unbuild(): Promise<void> {
    const native = this.#life.searchable('unbuild');
    await this.#life.whileBusy('unbuild', {}, 'adding', () => native.unbuild());
    this.#life.setFile(undefined, undefined);
    this.#life.built = { seed: null, threads: null };
    this.#log(() => 'removed the forest');
  }

  /**
   * From now on the items, and later the forest, grow in a file beside `path` instead of in memory; `build` gives it
   * that name. To be called before the first item; no save is needed afterwards. Until then `path` is untouched.
   *
   * @throws ALREADY_BUILT; INVALID_ARGUMENT after the first item; IO
   */
  onDiskBuild(path: string | URL): void {
    this.#life.startOnDisk('onDiskBuild', checkPath('onDiskBuild', path));
  }

  /**
   * Writes the Annoy file and its sidecar, then goes on from the file, so that its memory is shared with all who map
   * it. Durable when it resolves; after a failure, or a crash at any moment, `path` leads to the old file or the new
   * one, whole. The accelerator in use is written beside the file; one of another forest that lies there is removed.
   *
   * @throws NOT_BUILT, IO
   */
  async save(path: string | URL, options?: Given<{ prefault: boolean }>): Promise<void> {
    const given = checkPath('save', path);
    const file = followLinks(given);
    const { prefault } = resolveOptions('save', options, annoyPrefaultDefaults);
    const frozen = this.#life.freeze('save');
    const { generation } = this.#life;
    try {
      const description = await saveForest(frozen, file, this.#life.origin());
      if (frozen.facts().acceleratorBytes > 0) await frozen.saveAccelerator(acceleratorPath(file));
      else await removeForeignAccelerator(frozen, file, description);
      const goesOn = await this.#life.continueFrom(given, description, frozen, generation);
      if (goesOn && prefault) await this.#life.native?.prefault();
    } finally {
      frozen.close();
    }
    this.#log(() => `saved ${given}`);
  }

  /**
   * Maps an Annoy file in place of what was there. A sidecar beside it must agree with this index. On failure the index
   * is as it was.
   *
   * @throws as `open`; INVALID_ARGUMENT when items were added.
   */
  async load(path: string | URL, options?: Given<{ prefault: boolean }>): Promise<void> {
    const life = this.#life;
    const given = checkPath('load', path);
    const { prefault } = resolveOptions('load', options, annoyPrefaultDefaults);
    this.#expectNoItems('load');
    await life.whileBusy('load', {}, 'built', async () => {
      const file = followLinks(given);
      const first = await describeAs('load', file, life);
      if (life.f === 0) life.f = this.#knownLength('load', first.description?.dimensions);
      let known = first;
      await life.replaceBy(async (fresh) => {
        known = await mapLater(fresh, file, life, prefault);
        life.accelerator.attach(fresh, file, known.description);
      });
      life.setFile(given, known);
    });
    this.#log(() => `loaded ${life.items} items and ${life.trees} trees from ${given}`);
  }

  /**
   * Frees the memory of this handle. With a file behind it the index stays usable: the next search maps the file again.
   * Without one it is empty, and items can be added.
   */
  unload(): void {
    this.#life.unload('unload');
    this.#log(() => 'unloaded');
  }

  /** Sets where the random choices of later builds start. */
  setSeed(seed: number): void {
    this.#life.expectIdle('setSeed');
    this.#seed = checkSeed('setSeed', seed);
  }

  /**
   * Switches the messages to the logger of the constructor on or off; numbers are Annoy's levels, of which 0 is off.
   * Default on.
   *
   * @throws INVALID_ARGUMENT for another value, and for on without a logger.
   * @example index.verbose(true)
   */
  verbose(level: boolean | number = true): void {
    const value = checkVerbosity('verbose', level);
    if (value && this.#logger === undefined) {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'verbose: expected an index with a logger, got one without', {
        hint: 'Pass the option logger to the constructor, for example `{ logger: console.log }`.',
      });
    }
    this.#verbose = value;
  }

  /** The bytes of the Annoy file that `save` would write. @throws NOT_BUILT, OUT_OF_MEMORY */
  async serialize(options?: Given<AnnoySerializeOptions>): Promise<Uint8Array> {
    const { compress } = resolveOptions('serialize', options, annoySerializeDefaults);
    checkCompression('serialize', compress);
    const frozen = this.#life.freeze('serialize');
    try {
      return await compressBytes(await copyBytes('serialize', frozen), compress);
    } finally {
      frozen.close();
    }
  }

  /**
   * Puts the index in place that `serialize`, or Annoy's own, turned into bytes; compression is recognised. On failure
   * the index is as it was. Compressed bytes that expand to more than `maxBytes` are refused before they take more memory:
   * by default 32 times their size, at least 64 MiB.
   *
   * @throws INVALID_FILE; INVALID_ARGUMENT when items were added or f is 0; OUT_OF_MEMORY.
   * @example await index.deserialize(await other.serialize({ compress: 'gzip' }))
   */
  async deserialize(bytes: Uint8Array, options?: Given<AnnoyDeserializeOptions>): Promise<void> {
    const { maxBytes } = resolveOptions('deserialize', options, annoyDeserializeDefaults);
    this.#expectNoItems('deserialize');
    this.#knownLength('deserialize', this.#life.f);
    if (!types.isUint8Array(bytes)) {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'deserialize: bytes must be a Uint8Array');
    }
    await this.#life.whileBusy('deserialize', {}, 'built', async () => {
      const expanded = await expandBytes('deserialize', bytes, maxBytes);
      await this.#life.replaceBy((fresh) => fresh.fromBytes(expanded));
      this.#life.setFile(undefined, undefined);
    });
    this.#log(() => `deserialized ${this.#life.items} items and ${this.#life.trees} trees`);
  }

  /**
   * A plain object that `postMessage` accepts and `fromSnapshot` turns into an index again.
   *
   * @throws NOT_BUILT; INVALID_ARGUMENT for mode `disk` without a file behind the index.
   */
  async toSnapshot(options?: Given<AnnoySnapshotOptions>): Promise<AnnoySnapshot> {
    const { mode, compress } = resolveOptions('toSnapshot', options, annoySnapshotDefaults);
    if (mode !== 'byte' && mode !== 'disk' && mode !== 'auto') {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'toSnapshot: mode must be "byte", "disk" or "auto"');
    }
    const native = this.#life.searchable('toSnapshot');
    const { f, metric, path, known } = this.#life;
    const common = { kind: 'semantic-index.annoy', version: 1, f, metric } as const;
    if (mode === 'byte' || (mode === 'auto' && path === undefined)) {
      const fileSize = native.facts().fileBytes;
      return { ...common, mode: 'byte', compress, bytes: await this.serialize({ compress }), fileSize };
    }
    if (path === undefined) {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'toSnapshot: there is no file behind the index', {
        hint: 'Save the index first, or use mode "byte".',
      });
    }
    const { fileBytes } = native.facts();
    return {
      ...common,
      mode: 'disk',
      path,
      id: known?.description?.id,
      fileSize: fileBytes,
      identity: known?.identity,
    };
  }

  /**
   * Frees everything at once and removes the unfinished file of an on-disk build. Work that is under way finishes on what it
   * began with; a build stops and rejects with CLOSED. Other indexes on the same file go on. Closing twice is fine.
   */
  close(): void {
    this.#life.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #log(message: () => string): void {
    if (this.#verbose) this.#logger?.(message());
  }

  /** @throws INVALID_ARGUMENT when there are items that are not built: they would be lost. */
  #expectNoItems(method: string): void {
    this.#life.expectIdle(method);
    if (this.#life.state !== 'adding' || this.#life.items === 0) return;
    throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: there are items that were added`, {
      hint: 'Call unload() to drop them, or load into a new AnnoyIndex.',
    });
  }

  /** @throws INVALID_ARGUMENT when nothing tells the length of the vectors. */
  #knownLength(method: string, f: number | undefined): number {
    if (f !== undefined && f > 0) return f;
    throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: f is not known`, {
      hint: 'Make the index with the length of its vectors: an Annoy file does not say it.',
    });
  }
}
