import { SemanticIndexError } from '../../errors.js';
import type { KnownFile } from './annoy-description.js';

/**
 * State of an index. `adding`: items can be added. `busy`: a build, unbuild, load or deserialize is running. `built`: it can
 * be searched. `unloaded`: its file is known, and the next search maps it. `closed`: every method throws CLOSED.
 */
export type AnnoyState = 'adding' | 'busy' | 'built' | 'unloaded' | 'closed';

/** Where an on-disk build puts its file, and the temporary file that grows until then. */
export interface OnDiskTarget {
  /** As the caller named it. */
  readonly path: string;
  /** `path` with its links followed. */
  readonly file: string;
  readonly temporary: string;
}

/** The file behind an index: its path as the caller named it, and its state when it was last mapped or described. */
export interface BackingFile {
  readonly path: string;
  readonly known: KnownFile;
}

/** Seed and threads of the build; null for a forest of unknown origin. */
export interface BuildOrigin {
  readonly seed: number | null;
  readonly threads: number | null;
}

export interface Counts {
  readonly items: number;
  readonly trees: number;
}

export interface Adding {
  readonly kind: 'adding';
  /** Grows with each addition. The only field that changes in place: a new object for each item would cost time. */
  items: number;
  readonly trees: 0;
  readonly onDisk: OnDiskTarget | undefined;
}

export interface Built extends Counts {
  readonly kind: 'built';
  readonly file: BackingFile | undefined;
  readonly build: BuildOrigin;
  /** Why the graph index beside the file is not used; undefined when it is, or when there is none. */
  readonly ignoredGraph: string | undefined;
}

export interface Unloaded {
  readonly kind: 'unloaded';
  readonly file: BackingFile;
  /** Undefined when no sidecar has them and the file was not mapped yet. */
  readonly counts: Counts | undefined;
}

/** A state in which operations can start. */
export type Idle = Adding | Built | Unloaded;

interface Busy {
  readonly kind: 'busy';
  /** The method that is running. */
  readonly method: string;
  /** The state to return to when it fails. */
  readonly before: Idle;
  readonly stop: AbortController;
}

interface Closed {
  readonly kind: 'closed';
  /** For `info()`. */
  readonly before: Idle;
}

/** Everything about an index that changes after its dimensions are known. */
export type State = Idle | Busy | Closed;

/** Which states may follow a state. `built` follows itself when the index moves to another file. */
const transitions: Readonly<Record<AnnoyState, readonly AnnoyState[]>> = {
  adding: ['adding', 'busy', 'unloaded', 'closed'],
  busy: ['adding', 'built', 'unloaded', 'closed'],
  built: ['adding', 'built', 'busy', 'unloaded', 'closed'],
  unloaded: ['unloaded', 'built', 'busy', 'closed'],
  closed: [],
};

/** Returns `next` when it may follow `state`. @throws INTERNAL */
export function transition(state: State, next: State): State {
  if (transitions[state.kind].includes(next.kind)) return next;
  throw new SemanticIndexError('INTERNAL', `AnnoyIndex: ${next.kind} cannot follow ${state.kind}`);
}

/** A state without items. */
export function empty(): Adding {
  return { kind: 'adding', items: 0, trees: 0, onDisk: undefined };
}

const none: Counts = { items: 0, trees: 0 };

/** Items and trees; undefined while they are not known. */
export function countsOf(state: State): Counts | undefined {
  if (state.kind === 'unloaded') return state.counts;
  if (state.kind === 'busy') return countsOf(state.before);
  return state.kind === 'closed' ? none : state;
}

export function fileOf(state: State): BackingFile | undefined {
  if (state.kind === 'adding') return undefined;
  return 'before' in state ? fileOf(state.before) : state.file;
}

export const unknownBuild: BuildOrigin = { seed: null, threads: null };

/** Seed and threads, from the sidecar where there is one. */
export function buildOf(state: State): BuildOrigin {
  if ('before' in state) return buildOf(state.before);
  const own = state.kind === 'built' ? state.build : unknownBuild;
  return fileOf(state)?.known.description ?? own;
}
