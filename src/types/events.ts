import type { SemanticIndexError } from '../errors.js';
import type { DocumentId } from './base.js';

/** A segment was written for documents that had none. */
export interface SealEvent {
  readonly type: 'seal';
  readonly message: string;
  /** File of the new segment in `segments/`. Absent if every document was deleted meanwhile. */
  readonly segment?: string;
  readonly documents: number;
  readonly milliseconds: number;
}

/** Segments were merged into one, or rewritten without deleted documents. */
export interface MergeEvent {
  readonly type: 'merge';
  readonly message: string;
  /** File of the new segment in `segments/`. Absent if every document was deleted. */
  readonly segment?: string;
  readonly documents: number;
  readonly milliseconds: number;
}

/** A damaged or missing file was rebuilt from the catalog. */
export interface RepairEvent {
  readonly type: 'repair';
  readonly message: string;
  /** The file that replaces the damaged one, in `segments/`. Absent if every document was deleted. */
  readonly file?: string;
  readonly documents: number;
  readonly milliseconds: number;
}

/** Damage was found. Damaged segments are searched exactly until they are repaired in the background. */
export interface DamageEvent {
  readonly type: 'damage';
  readonly message: string;
  /** The damaged file, relative to the directory of the index. */
  readonly file: string;
  readonly reason: string;
  /** Documents that are affected, where they are known one by one. */
  readonly ids?: readonly DocumentId[];
  readonly error?: SemanticIndexError;
}

/** A segment has no usable graph index: searches of it are slower until it is rebuilt in the background. */
export interface GraphMissingEvent {
  readonly type: 'graph-missing';
  readonly message: string;
  /** The segment, relative to the directory of the index. */
  readonly file: string;
}

/**
 * Terms of documents are not stored yet, because an earlier version wrote them, or their file was removed. Texts are analyzed
 * before the first search for words, until the terms are stored in the background.
 */
export interface TermsMissingEvent {
  readonly type: 'terms-missing';
  readonly message: string;
  /** The segment, or the catalog for documents without a segment; relative to the directory of the index. */
  readonly file: string;
}

/**
 * The metadata of a segment is not stored in columns yet, because an earlier version wrote it, or the file was removed. Filters
 * read it from the catalog, until the file is written in the background.
 */
export interface ColumnsMissingEvent {
  readonly type: 'columns-missing';
  readonly message: string;
  /** The segment, relative to the directory of the index. */
  readonly file: string;
}

/** Files of replaced segments were removed. */
export interface SweepEvent {
  readonly type: 'sweep';
  readonly message: string;
  readonly files: readonly string[];
}

/** Recall was measured in the background, and searches use the new setting. */
export interface TuneEvent {
  readonly type: 'tune';
  readonly message: string;
  readonly k: number;
  readonly recall: number;
  /** One-sided lower bound of the recall. */
  readonly low: number;
  readonly exact: boolean;
  /** Absent if searches are exact. */
  readonly searchK?: number;
}

/**
 * A replica of PostgreSQL was lost, or is behind what the index has written and read: searches read from other replicas or the primary,
 * until it is restored.
 */
export interface ReplicaEvent {
  readonly type: 'replica';
  readonly message: string;
  readonly state: 'lost' | 'behind' | 'restored';
  /** Its address, without password. */
  readonly replica: string;
  /** Why it is lost. */
  readonly error?: SemanticIndexError;
}

/** Background work failed; it is retried. */
export interface ErrorEvent {
  readonly type: 'error';
  readonly message: string;
  readonly error: SemanticIndexError;
}

/**
 * A background event of an index, for `onEvent` of `open`. `type` selects the members.
 *
 * @example
 * const onEvent = (event: IndexEvent) => {
 *   if (event.type === 'damage') console.warn(event.file, event.reason);
 * };
 */
export type IndexEvent =
  | SealEvent
  | MergeEvent
  | RepairEvent
  | DamageEvent
  | GraphMissingEvent
  | TermsMissingEvent
  | ColumnsMissingEvent
  | SweepEvent
  | TuneEvent
  | ReplicaEvent
  | ErrorEvent;
