import { runNativeTask } from '../../addon/native-task.js';
import { SemanticIndexError } from '../../errors.js';
import {
  type AnnoyBuildGraphOptions,
  type AnnoyBuildOptions,
  type AnnoyIndexOptions,
  annoyBuildDefaults,
  annoyBuildGraphDefaults,
  annoyIndexDefaults,
  resolveOptions,
} from '../../options.js';
import type { Metric } from '../../types.js';
import { checkMetric } from '../metric.js';
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
import { AnnoyCore } from './annoy-core.js';
import { checkEngine } from './annoy-graph.js';

/** Checks the arguments of the constructor. */
export function createCore(f: number, metric: Metric, options?: AnnoyIndexOptions): AnnoyCore {
  const { seed, maxGap, logger, engine } = resolveOptions('AnnoyIndex', options, annoyIndexDefaults);
  const checkedMetric = checkMetric('AnnoyIndex', metric);
  const dimensions = checkDimensions('AnnoyIndex', f);
  return new AnnoyCore(dimensions, {
    metric: checkedMetric,
    engine: checkEngine('AnnoyIndex', engine),
    seed: checkSeed('AnnoyIndex', seed),
    maxGap: checkGap('AnnoyIndex', maxGap),
    logger: checkLogger('AnnoyIndex', logger),
    verbose: false,
  });
}

export function addItem(core: AnnoyCore, item: number, vector: Vector): void {
  const state = core.expectAdding('addItem');
  checkNewItem('addItem', item, state.items, core.settings.maxGap);
  const floats = toVector('addItem', vector, core.f);
  core.add(state, item, floats, floats.length);
}

/** Adds rows from item `first` on; returns the number after the last. */
export function addRows(core: AnnoyCore, rows: VectorRows, first: number | undefined): number {
  const state = core.expectAdding('addItems');
  const start = first ?? state.items;
  checkNewItem('addItems', start, state.items, core.settings.maxGap);
  const f = core.f > 0 ? core.f : lengthOfFirst('addItems', rows);
  const floats = toRows('addItems', rows, f);
  if (floats.length === 0) return start;
  const end = start + floats.length / f;
  checkNewItem('addItems', end - 1, end, 0);
  core.add(state, start, floats, f);
  return end;
}

export async function build(core: AnnoyCore, nTrees: number, options?: AnnoyBuildOptions): Promise<void> {
  const state = core.expectAdding('build');
  const trees = checkTrees('build', nTrees);
  const given = resolveOptions('build', options, annoyBuildDefaults);
  const threads = checkThreads('build', given.threads);
  const seed = checkSeed('build', given.seed ?? core.settings.seed);
  if (state.items === 0) {
    throw new SemanticIndexError('INVALID_ARGUMENT', 'build: expected at least 1 item, got 0', {
      hint: 'Call addItem first.',
    });
  }
  const start = performance.now();
  await core.whileBusy('build', given, (long) =>
    core.build(state, { seed, threads }, (native) =>
      runNativeTask('build', long, (task) => native.build(trees, seed, threads, task)),
    ),
  );
  const took = Math.round(performance.now() - start);
  core.log(() => `built ${core.counts?.trees} trees over ${core.counts?.items} items in ${took} ms`);
}

export async function buildGraph(core: AnnoyCore, options?: AnnoyBuildGraphOptions): Promise<void> {
  const given = resolveOptions('buildGraph', options, annoyBuildGraphDefaults);
  const threads = checkThreads('buildGraph', given.threads);
  if (core.settings.engine === 'annoy') {
    throw new SemanticIndexError('INVALID_ARGUMENT', 'buildGraph: expected an index with engine "graph", got "annoy"', {
      hint: 'Open it without the option engine.',
    });
  }
  const start = performance.now();
  await core.buildGraph('buildGraph', (frozen) =>
    runNativeTask('buildGraph', given, (task) => frozen.buildGraph(threads, task)),
  );
  const took = Math.round(performance.now() - start);
  core.log(() => `derived the graph index in ${took} ms`);
}

export async function unbuild(core: AnnoyCore): Promise<void> {
  await core.unbuild('unbuild');
  core.log(() => 'removed the forest');
}

export function onDiskBuild(core: AnnoyCore, path: string | URL): void {
  core.startOnDisk('onDiskBuild', checkPath('onDiskBuild', path));
}

export function setSeed(core: AnnoyCore, seed: number): void {
  core.expectIdle('setSeed');
  core.settings.seed = checkSeed('setSeed', seed);
}

export function setVerbose(core: AnnoyCore, level: boolean | number): void {
  const value = checkVerbosity('verbose', level);
  if (value && core.settings.logger === undefined) {
    throw new SemanticIndexError('INVALID_ARGUMENT', 'verbose: expected an index with a logger, got one without', {
      hint: 'Pass the option logger to the constructor, for example `{ logger: console.log }`.',
    });
  }
  core.settings.verbose = value;
}
