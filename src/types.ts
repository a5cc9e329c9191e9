// Every shared type, one file per subject.
export type * from './types/base.js';
export type * from './types/documents.js';
export type * from './types/evaluation.js';
export type * from './types/events.js';
export type * from './types/facets.js';
export type * from './types/figures.js';
export type * from './types/filter.js';
export type * from './types/hit-explanation.js';
export type * from './types/matrix.js';
export type * from './types/provider.js';
export type * from './types/search.js';
export type * from './types/where-of.js';
