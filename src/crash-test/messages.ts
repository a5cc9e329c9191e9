import type { DocumentId } from '../types.js';

/** A document of a writer. Metadata has the lane that wrote it; `version` is unique. */
export interface WrittenDocument {
  readonly id: DocumentId;
  readonly text: string;
  readonly metadata: { readonly lane: number; readonly group: number; readonly version: string };
  /** Passed instead of embedded. */
  readonly vector?: Float32Array;
}

/** An operation on the index. Each of the first three is one transaction. */
export type Operation =
  | { readonly kind: 'add'; readonly documents: readonly WrittenDocument[] }
  | { readonly kind: 'delete'; readonly ids: readonly DocumentId[] }
  | { readonly kind: 'deleteGroup'; readonly lane: number; readonly group: number }
  | { readonly kind: 'build' | 'compact' | 'rebuild' | 'rebuildFromTexts' | 'validate' }
  | { readonly kind: 'backup'; readonly target: string };

/** Arguments of a writer process. */
export interface WriterOrders {
  readonly directory: string;
  readonly seed: number;
  readonly durability: 'process' | 'full';
  /** Directory for backups. */
  readonly backups: string;
  /** The operation that the third lane runs most often: the first word of a crash point. */
  readonly emphasis: string;
  /** Operations of each lane before the writer closes the index and exits. */
  readonly operations: number;
}

/**
 * Messages of a writer, in order. An operation is announced before it starts and acknowledged when its promise has resolved;
 * the announcement leaves the process before the operation starts.
 */
export type WriterMessage =
  | { readonly about: 'opening' | 'opened' | 'closing' | 'closed' }
  | { readonly about: 'intent'; readonly lane: number; readonly operation: Operation }
  | { readonly about: 'acknowledged'; readonly lane: number }
  | { readonly about: 'failed'; readonly lane: number; readonly message: string };
