import type { DocumentId } from '../types.js';

/** A document of a writer: metadata says which lane wrote it, and `version` is never used twice. */
export interface WrittenDocument {
  readonly id: DocumentId;
  readonly text: string;
  readonly metadata: { readonly lane: number; readonly group: number; readonly version: string };
  /** Given instead of embedded. */
  readonly vector?: Float32Array;
}

/** What a writer does to its index. Each of the first three is one transaction. */
export type Operation =
  | { readonly kind: 'add'; readonly documents: readonly WrittenDocument[] }
  | { readonly kind: 'delete'; readonly ids: readonly DocumentId[] }
  | { readonly kind: 'deleteGroup'; readonly lane: number; readonly group: number }
  | { readonly kind: 'build' | 'compact' | 'rebuild' | 'rebuildFromTexts' | 'validate' }
  | { readonly kind: 'backup'; readonly target: string };

/** What a writer is told at its start. */
export interface WriterOrders {
  readonly directory: string;
  readonly seed: number;
  readonly durability: 'process' | 'full';
  /** Folder for backups. */
  readonly backups: string;
  /** What the third lane does most: the first word of a step. */
  readonly emphasis: string;
  /** How many operations each lane does before the writer closes the index and ends. */
  readonly operations: number;
}

/**
 * What a writer says, in order: each operation is announced before it begins and acknowledged when its promise has
 * resolved. An announcement has left the process before the operation begins.
 */
export type WriterMessage =
  | { readonly about: 'opening' | 'opened' | 'closing' | 'closed' }
  | { readonly about: 'intent'; readonly lane: number; readonly operation: Operation }
  | { readonly about: 'acknowledged'; readonly lane: number }
  | { readonly about: 'failed'; readonly lane: number; readonly message: string };
