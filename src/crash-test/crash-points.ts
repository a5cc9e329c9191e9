import type { CrashPoint } from '../crash-points.js';

const segmentPoints = [
  'vectors-read',
  'forest-built',
  'file-written',
  'terms-written',
  'columns-written',
  'publishing',
  'published',
  'swept',
] as const;

/** Crash points of the store at which writers are killed. */
export const crashPoints: readonly CrashPoint[] = [
  'open.tables-made',
  'add.vectors-writing',
  'add.vectors-stored',
  'add.writing',
  'add.committed',
  'delete.writing',
  'delete.committed',
  ...(['seal', 'merge', 'compact', 'build', 'rebuild', 'repair'] as const).flatMap((kind) =>
    segmentPoints.map((point) => `${kind}.${point}` as const),
  ),
  'tail-image.written',
  'tail-image.publishing',
  'tail-image.published',
  'analyze.terms-written',
  'analyze.columns-written',
  'analyze.publishing',
  'analyze.published',
  'rebuild.vectors-replacing',
  'rebuild.vectors-replaced',
  'compact.vectors-purged',
  'compact.pages-released',
  'compact.log-emptied',
  'backup.catalog-copied',
  'backup.segments-copied',
  'backup.renamed',
];
