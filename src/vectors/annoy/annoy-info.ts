import { addon } from '../../addon/addon.js';
import type { Metric } from '../../types.js';
import { followLinks } from '../regular-file.js';
import type { AnnoyCore } from './annoy-core.js';
import { sizeIn } from './annoy-description.js';
import { type GraphStatus, graphStatus } from './annoy-graph.js';
import { type AnnoyState, buildOf } from './annoy-state.js';
import { ENGINE, sidecarPath } from './sidecar.js';

/** Result of `AnnoyIndex.info()`. */
export interface AnnoyInfo {
  /** Dimensions of the vectors; 0 until the first vector sets them. */
  readonly f: number;
  readonly metric: Metric;
  readonly state: AnnoyState;
  readonly isLoaded: boolean;
  /** Undefined while unknown: for a lazily opened file without sidecar. */
  readonly items: number | undefined;
  readonly trees: number | undefined;
  /** Seed and threads of the build; undefined when unknown. */
  readonly seed: number | undefined;
  readonly threads: number | undefined;
  /** The file behind the index, the id in its sidecar, and its size in bytes. */
  readonly path: string | undefined;
  readonly id: string | undefined;
  readonly fileSize: number | undefined;
  /** Path of the sidecar that describes the file; undefined without one. */
  readonly sidecar: string | undefined;
  /** Why the sidecar beside the file is not used: it describes another file. Otherwise undefined. */
  readonly warning: string | undefined;
  /** SHA-256 of the items, from the sidecar. */
  readonly checksum: string | undefined;
  /** Whether the file was opened to be mapped at once or at the first search. */
  readonly loadMode: 'eager' | 'lazy';
  /** Whether the whole file is read into memory when it is mapped. */
  readonly prefault: boolean;
  readonly memory: AnnoyMemory;
  /** Whether searches use the graph index, and if not, why. */
  readonly graph: GraphStatus;
  readonly engine: string;
  /** Instruction set of the distance functions: scalar, avx2, avx512 or neon. */
  readonly instructionSet: string;
}

/** Bytes in memory: `heap` belongs to this process, `mapped` to a file that other processes may share. */
export interface AnnoyMemory {
  readonly heap: number;
  readonly mapped: number;
}

export function graphOf(core: AnnoyCore): GraphStatus {
  const { state, settings, loaded } = core;
  return graphStatus(settings.engine, loaded, state.kind === 'built' ? state.ignoredGraph : undefined);
}

export function memoryOf(core: AnnoyCore): AnnoyMemory {
  const facts = core.facts();
  return { heap: facts?.heapBytes ?? 0, mapped: facts?.mappedBytes ?? 0 };
}

export function infoOf(core: AnnoyCore): AnnoyInfo {
  core.refreshUnloaded();
  const { f, metric, state, file, counts, loading } = core;
  const { seed, threads } = buildOf(state);
  const description = file?.known.description;
  return {
    f,
    metric,
    state: state.kind,
    isLoaded: state.kind === 'built',
    items: counts?.items,
    trees: counts?.trees,
    seed: seed ?? undefined,
    threads: threads ?? undefined,
    path: file?.path,
    id: description?.id,
    fileSize: file === undefined ? undefined : sizeIn(file.known.identity),
    sidecar: file === undefined || description === undefined ? undefined : sidecarPath(followLinks(file.path)),
    warning: file?.known.warning,
    checksum: description?.sha256.items,
    loadMode: loading.loadMode,
    prefault: loading.prefault,
    memory: memoryOf(core),
    graph: graphOf(core),
    engine: description?.engine ?? ENGINE,
    instructionSet: addon().instructionSet(),
  };
}

/** One line for each field, for a console: the fields that bigANNOY prints, and a few more. */
export function summaryOf(info: AnnoyInfo): string {
  const { inUse, reason } = info.graph;
  const fields: readonly (readonly [string, unknown])[] = [
    ['path', info.path],
    ['sidecar', info.sidecar],
    ['id', info.id],
    ['metric', info.metric],
    ['dimensions', info.f === 0 ? undefined : info.f],
    ['items', info.items],
    ['trees', info.trees],
    ['seed', info.seed],
    ['threads', info.threads],
    ['engine', info.engine],
    ['load mode', info.loadMode],
    ['state', info.state],
    ['loaded', info.isLoaded ? 'yes' : 'no'],
    ['prefault', info.prefault ? 'yes' : 'no'],
    ['file size', info.fileSize],
    ['checksum', info.checksum],
    ['graph', inUse ? 'yes' : `no (${reason})`],
  ];
  const lines = fields.map(([name, value]) => `  ${`${name}:`.padEnd(13)}${value === undefined ? '-' : String(value)}`);
  if (info.warning !== undefined) lines.push(`  ${'warning:'.padEnd(13)}${info.warning}`);
  return ['AnnoyIndex', ...lines].join('\n');
}
