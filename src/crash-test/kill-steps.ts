const ofSegments = ['vectors-read', 'forest-built', 'file-written', 'publishing', 'published', 'swept'];

/** Steps that the store names on the diagnostics channel `semantic-index:step` and at which writers are killed. */
export const killSteps: readonly string[] = [
  'open.tables-made',
  'add.vectors-writing',
  'add.vectors-stored',
  'add.writing',
  'add.committed',
  'delete.writing',
  'delete.committed',
  ...['seal', 'merge', 'compact', 'build', 'rebuild', 'heal'].flatMap((kind) =>
    ofSegments.map((step) => `${kind}.${step}`),
  ),
  'rebuild.vectors-replacing',
  'rebuild.vectors-replaced',
  'compact.vectors-purged',
  'compact.pages-released',
  'compact.log-emptied',
  'backup.catalog-copied',
  'backup.segments-copied',
  'backup.renamed',
];
