import { types } from 'node:util';
import { SemanticIndexError } from '../../errors.js';
import {
  type AnnoyDeserializeOptions,
  type AnnoyIndexOptions,
  type AnnoyMapOptions,
  type AnnoyOpenOptions,
  type AnnoySerializeOptions,
  type AnnoySnapshotOptions,
  annoyDeserializeDefaults,
  annoyMapDefaults,
  annoyOpenDefaults,
  annoySerializeDefaults,
  annoySnapshotDefaults,
  describe,
  resolveOptions,
} from '../../options.js';
import type { Metric } from '../../types.js';
import { followLinks } from '../regular-file.js';
import { checkPath } from '../vector-arguments.js';
import { checkCompression, compressBytes, copyBytes, expandBytes } from './annoy-bytes.js';
import type { AnnoyCore, Loading } from './annoy-core.js';
import { checkAgreement, describeAs, describeFile, type KnownFile, mapLater } from './annoy-description.js';
import { saveForest } from './annoy-file.js';
import { attachGraph, graphPath, removeForeignGraph } from './annoy-graph.js';
import { type AnnoySnapshot, isSameFile } from './annoy-snapshot.js';
import { unknownBuild } from './annoy-state.js';

/** A checked request to open a file. */
export interface Opening extends Loading {
  readonly path: string;
  readonly f: number;
  readonly metric: Metric;
  readonly known: KnownFile;
  /** Options of the constructor. */
  readonly settings: AnnoyIndexOptions;
}

/** Checks the options of `open` and reads the sidecar. */
export async function prepareOpening(path: string | URL, options?: AnnoyOpenOptions): Promise<Opening> {
  const method = 'AnnoyIndex.open';
  const { f, metric, loadMode, prefault, ...settings } = resolveOptions(method, options, annoyOpenDefaults);
  if (loadMode !== 'eager' && loadMode !== 'lazy') {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `${method}: expected loadMode "eager" or "lazy", got ${describe(loadMode)}`,
    );
  }
  const file = checkPath(method, path);
  const known = await describeFile(file, f !== undefined && f > 0 && metric !== undefined);
  const dimensions = f ?? known.description?.dimensions;
  const distance = metric ?? known.description?.metric;
  if (dimensions === undefined || dimensions === 0 || distance === undefined) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: ${file} has no sidecar`, {
      hint: 'Pass f and metric: an Annoy file does not contain them.',
    });
  }
  return { path: file, f: dimensions, metric: distance, known, loadMode, prefault, settings };
}

/** Loads the file, or leaves that to the first search. */
export async function finishOpening(core: AnnoyCore, opening: Opening): Promise<void> {
  const { path, known, loadMode, prefault } = opening;
  checkAgreement('AnnoyIndex.open', path, core, known.description);
  if (loadMode === 'eager') await load(core, path, { prefault }, known);
  else core.openLazily(path, known);
  core.loading = { loadMode, prefault };
}

/** @throws INVALID_FILE, with the index closed, unless its file is the one of the snapshot. */
export function expectFileOf(snapshot: AnnoySnapshot & { mode: 'disk' }, core: AnnoyCore): void {
  if (isSameFile(snapshot, core.file?.known)) return;
  core.close();
  throw new SemanticIndexError('INVALID_FILE', `${snapshot.path} is not the file that the snapshot was taken of`, {
    hint: 'Take the snapshot again, or with mode "byte".',
  });
}

export async function save(core: AnnoyCore, path: string | URL, options?: AnnoyMapOptions): Promise<void> {
  const given = checkPath('save', path);
  const file = followLinks(given);
  const { prefault } = resolveOptions('save', options, annoyMapDefaults);
  const frozen = core.freeze('save');
  const { state } = core;
  try {
    const description = await saveForest(frozen, file, core.origin());
    if (frozen.facts().graphBytes > 0) await frozen.saveGraph(graphPath(file));
    else await removeForeignGraph(frozen, file, description);
    const moved = await core.continueFrom(state, given, description, frozen);
    if (moved && prefault) await core.loaded?.prefault();
  } finally {
    frozen.close();
  }
  core.log(() => `saved ${given}`);
}

/** Loads the file; `described` is its description where that was read a moment ago. */
export async function load(
  core: AnnoyCore,
  path: string | URL,
  options?: AnnoyMapOptions,
  described?: KnownFile,
): Promise<void> {
  const given = checkPath('load', path);
  const { prefault } = resolveOptions('load', options, annoyMapDefaults);
  expectNoItems(core, 'load');
  const { metric } = core;
  const { engine } = core.settings;
  await core.whileBusy('load', {}, async () => {
    const file = followLinks(given);
    let known = described ?? (await describeAs('load', file, core));
    const f = core.f > 0 ? core.f : expectLength('load', known.description?.dimensions);
    let ignored: string | undefined;
    await core.replaceBy(f, async (fresh) => {
      known = await mapLater(fresh, file, { f, metric }, prefault, known);
      ignored = attachGraph(engine, fresh, file, known.description);
    });
    return { next: core.builtState({ path: given, known }, unknownBuild, ignored) };
  });
  core.log(() => `loaded ${core.counts?.items} items and ${core.counts?.trees} trees from ${given}`);
}

export function unload(core: AnnoyCore): void {
  core.unload('unload');
  core.log(() => 'unloaded');
}

export async function serialize(core: AnnoyCore, options?: AnnoySerializeOptions): Promise<Uint8Array> {
  const { compress } = resolveOptions('serialize', options, annoySerializeDefaults);
  checkCompression('serialize', compress);
  const frozen = core.freeze('serialize');
  try {
    return await compressBytes(await copyBytes('serialize', frozen), compress);
  } finally {
    frozen.close();
  }
}

export async function deserialize(
  core: AnnoyCore,
  bytes: Uint8Array,
  options?: AnnoyDeserializeOptions,
): Promise<void> {
  const { maxBytes } = resolveOptions('deserialize', options, annoyDeserializeDefaults);
  expectNoItems(core, 'deserialize');
  expectLength('deserialize', core.f);
  if (!types.isUint8Array(bytes)) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `deserialize: expected bytes as a Uint8Array, got ${describe(bytes)}`,
    );
  }
  await core.whileBusy('deserialize', {}, async () => {
    const expanded = await expandBytes('deserialize', bytes, maxBytes);
    await core.replaceBy(core.f, (fresh) => fresh.fromBytes(expanded));
    return { next: core.builtState(undefined, unknownBuild) };
  });
  core.log(() => `deserialized ${core.counts?.items} items and ${core.counts?.trees} trees`);
}

export async function toSnapshot(core: AnnoyCore, options?: AnnoySnapshotOptions): Promise<AnnoySnapshot> {
  const { mode, compress } = resolveOptions('toSnapshot', options, annoySnapshotDefaults);
  if (mode !== 'byte' && mode !== 'disk' && mode !== 'auto') {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `toSnapshot: expected mode "byte", "disk" or "auto", got ${describe(mode)}`,
    );
  }
  const { fileBytes: fileSize } = core.searchable('toSnapshot').facts();
  const { f, metric, file } = core;
  const common = { kind: 'semantic-index.annoy', version: 1, f, metric } as const;
  if (mode === 'byte' || (mode === 'auto' && file === undefined)) {
    return { ...common, mode: 'byte', compress, bytes: await serialize(core, { compress }), fileSize };
  }
  if (file === undefined) {
    throw new SemanticIndexError('INVALID_ARGUMENT', 'toSnapshot: expected an index with a file, got one in memory', {
      hint: 'Save the index first, or use mode "byte".',
    });
  }
  const { path, known } = file;
  return { ...common, mode: 'disk', path, id: known.description?.id, fileSize, identity: known.identity };
}

/** @throws INVALID_ARGUMENT when items were added that a load would drop. */
function expectNoItems(core: AnnoyCore, method: string): void {
  const state = core.expectIdle(method);
  if (state.kind !== 'adding' || state.items === 0) return;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `${method}: expected an index without added items, got one with ${state.items}`,
    { hint: 'Call unload() to drop them, or load into a new AnnoyIndex.' },
  );
}

/** @throws INVALID_ARGUMENT when the dimensions are unknown. */
function expectLength(method: string, f: number | undefined): number {
  if (f !== undefined && f > 0) return f;
  throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: expected a known f, got 0`, {
    hint: 'Pass the number of dimensions to the constructor: an Annoy file does not contain it.',
  });
}
