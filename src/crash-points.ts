import { channel } from 'node:diagnostics_channel';

/** Kinds of background work that publish a segment. */
export type MergeKind = 'repair' | 'seal' | 'compact' | 'merge' | 'build' | 'rebuild';

/** Points at which a process may die without losing anything: a step of the store has ended, or is about to be durable. */
export type CrashPoint =
  | 'open.tables-made'
  | 'add.vectors-writing'
  | 'add.vectors-stored'
  | 'add.writing'
  | 'add.committed'
  | 'delete.writing'
  | 'delete.committed'
  | `${MergeKind}.vectors-read`
  | `${MergeKind}.forest-built`
  | `${MergeKind}.file-written`
  | `${MergeKind}.terms-written`
  | `${MergeKind}.columns-written`
  | `${MergeKind}.publishing`
  | `${MergeKind}.published`
  | `${MergeKind}.swept`
  | 'tail-image.written'
  | 'tail-image.publishing'
  | 'tail-image.published'
  | 'analyze.terms-written'
  | 'analyze.columns-written'
  | 'analyze.publishing'
  | 'analyze.published'
  | 'migrate.begun'
  | 'migrate.switching'
  | 'migrate.switched'
  | 'rebuild.vectors-replacing'
  | 'rebuild.vectors-replaced'
  | 'compact.vectors-purged'
  | 'compact.pages-released'
  | 'compact.log-emptied'
  | 'backup.catalog-copied'
  | 'backup.segments-copied'
  | 'backup.renamed';

const steps = channel('semantic-index:step');

/**
 * Publishes a crash point on the diagnostics channel `semantic-index:step`, in the thread that reaches it; a name that
 * ends in
 * -ing is inside a transaction. Free without subscribers.
 */
export function crashPoint(step: CrashPoint): void {
  if (steps.hasSubscribers) steps.publish({ step });
}
