// Every public option with its default, one file per subject.
export * from './options/annoy-index.js';
export * from './options/documents.js';
export * from './options/evaluate.js';
export * from './options/files.js';
export * from './options/open.js';
export * from './options/providers.js';
export * from './options/rag.js';
export * from './options/resolve-options.js';
export * from './options/search.js';
export * from './options/snippet.js';
export * from './options/tune.js';
export * from './options/upkeep.js';
export * from './options/vector-matrix.js';
