import {
  type AnnoyBatchOptions,
  type AnnoySearchOptions,
  type AnnoyValidateOptions,
  annoyValidateDefaults,
  resolveOptions,
} from '../../options.js';
import type { ValidationReport } from '../../types.js';
import { allocateFloats, checkCount, checkItem, toVector, type Vector, type VectorRows } from '../vector-arguments.js';
import type { NeighborRows } from '../vector-buffer.js';
import type { AnnoyCore } from './annoy-core.js';
import { type Neighbors, searchMany, searchOne } from './annoy-search.js';
import { countsOf } from './annoy-state.js';
import { throwUnlessValid, validateIndex } from './annoy-validation.js';

export function neighborsOfItem(
  core: AnnoyCore,
  item: number,
  n: number,
  options?: AnnoySearchOptions,
): Int32Array | Neighbors {
  const method = 'getNnsByItem';
  const native = core.searchable(method);
  const items = itemsOf(core);
  checkItem(method, item, items);
  return searchOne(method, n, options, items, (k, searchK, allowed, found, distances) =>
    native.searchItem(item, k, searchK, allowed, found, distances),
  );
}

export function neighborsOfVector(
  core: AnnoyCore,
  vector: Vector,
  n: number,
  options?: AnnoySearchOptions,
): Int32Array | Neighbors {
  const method = 'getNnsByVector';
  const native = core.searchable(method);
  const query = toVector(method, vector, core.f);
  return searchOne(method, n, options, itemsOf(core), (k, searchK, allowed, found, distances) =>
    native.search(query, k, searchK, allowed, found, distances),
  );
}

export async function neighborsOfVectors(
  core: AnnoyCore,
  queries: VectorRows,
  n: number,
  options?: AnnoyBatchOptions,
): Promise<NeighborRows> {
  const native = core.searchable('getNnsByVectors');
  return searchMany('getNnsByVectors', native, core.f, itemsOf(core), queries, n, options);
}

export function itemVector(core: AnnoyCore, item: number): Float32Array {
  expectItems(core, 'getItemVector');
  const native = core.readable('getItemVector');
  checkItem('getItemVector', item, itemsOf(core));
  const vector = new Float32Array(core.f);
  native.itemVector(item, vector);
  return vector;
}

export function itemVectors(core: AnnoyCore, first: number, count: number | undefined): Float32Array {
  if (isEmpty(core)) return new Float32Array(0);
  const native = core.readable('getItemVectors');
  const items = itemsOf(core);
  checkItem('getItemVectors', first, items);
  const rows = checkCount('getItemVectors', count ?? items - first, items - first);
  const vectors = allocateFloats('getItemVectors', rows * core.f);
  native.itemVectors(first, vectors);
  return vectors;
}

export function distanceOf(core: AnnoyCore, left: number, right: number): number {
  expectItems(core, 'getDistance');
  const native = core.readable('getDistance');
  checkItem('getDistance', left, itemsOf(core));
  checkItem('getDistance', right, itemsOf(core));
  return native.distance(left, right);
}

/** Items or trees. Maps a lazily opened file without sidecar, because only the file has them. @throws CLOSED, and as `load`. */
export function countOf(core: AnnoyCore, method: string, field: 'items' | 'trees'): number {
  core.refreshUnloaded();
  if (core.state.kind === 'closed' || core.counts === undefined) core.searchable(method);
  return core.counts?.[field] ?? 0;
}

/** Reads the whole mapped file into memory. */
export async function prefault(core: AnnoyCore): Promise<void> {
  await core.searchable('prefault').prefault();
}

export async function validate(core: AnnoyCore, options?: AnnoyValidateOptions): Promise<ValidationReport> {
  const { strict, load } = resolveOptions('validate', options, annoyValidateDefaults);
  core.expectIdle('validate');
  const { f, metric, file } = core;
  const frozen = file === undefined ? core.freeze('validate') : undefined;
  try {
    const report = await validateIndex({ f, metric, path: file?.path, native: frozen });
    if (strict) throwUnlessValid(report, file?.path ?? 'The index');
    if (load && report.valid) core.searchable('validate');
    return report;
  } finally {
    frozen?.close();
  }
}

function itemsOf(core: AnnoyCore): number {
  return countsOf(core.state)?.items ?? 0;
}

function isEmpty({ state }: AnnoyCore): boolean {
  return state.kind === 'adding' && state.items === 0;
}

/** @throws INVALID_ARGUMENT when nothing was added yet. */
function expectItems(core: AnnoyCore, method: string): void {
  if (isEmpty(core)) checkItem(method, 0, 0);
}
