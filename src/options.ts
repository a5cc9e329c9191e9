// Every public option with its default, one file per class that takes them.
export * from './options/annoy-index.js';
export * from './options/dedupe.js';
export * from './options/providers.js';
export * from './options/rag.js';
export * from './options/resolve-options.js';
export * from './options/semantic-index.js';
export * from './options/tune.js';
export * from './options/vector-matrix.js';
