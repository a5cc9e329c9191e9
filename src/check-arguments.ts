import { SemanticIndexError } from './errors.js';
import {
  type AddOptions,
  addDefaults,
  type DuplicateMeasure,
  defaultThresholds,
  describe,
  type OpenOptions,
  openDefaults,
  type ResolvedAddOptions,
  type ResolvedOpenOptions,
  type ResolvedSearchOptions,
  type ResolvedTuneOptions,
  resolveOptions,
  resolveSnippet,
  type SearchOptions,
  searchDefaults,
  type TuneOptions,
  tuneDefaults,
} from './options.js';
import type { Metadata } from './types.js';

/** True for an iterable or async iterable object. */
export function isIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

/** @throws INVALID_ARGUMENT unless it is iterable. */
export function checkIterable(method: string, documents: unknown): void {
  if (isIterable(documents)) return;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `${method}: expected an iterable of documents, got ${describe(documents)}`,
    {
      hint: 'Pass an array or an iterable of strings or documents.',
    },
  );
}

/** @throws INVALID_ARGUMENT unless it is an open index, or has the method that is called; a promise of one is the usual mistake. */
export function checkIndex(method: string, index: unknown, called = 'addDocuments'): void {
  // A string has a method `search` as well.
  const isObject = typeof index === 'object' && index !== null;
  if (isObject && typeof (index as Readonly<Record<string, unknown>>)[called] === 'function') return;
  throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: expected a SemanticIndex, got ${describe(index)}`, {
    hint: 'Pass what `await SemanticIndex.open(path)` returns.',
  });
}

/** Options of `open`, checked as far as they are numbers and paths. */
export function checkOpen(given: OpenOptions | undefined): ResolvedOpenOptions {
  const options = resolveOptions('SemanticIndex.open', given, openDefaults) as ResolvedOpenOptions;
  const { ann, cache, recall } = options;
  checkOneOf('SemanticIndex.open', 'ann.loadMode', ann.loadMode, ['lazy', 'eager']);
  checkOneOf('SemanticIndex.open', 'storage.durability', options.storage.durability, ['process', 'full']);
  checkPositive('SemanticIndex.open', 'ann.sealAt', ann.sealAt);
  if (ann.searchK !== undefined) checkPositive('SemanticIndex.open', 'ann.searchK', ann.searchK);
  checkPositive('SemanticIndex.open', 'ann.trees', ann.trees);
  checkWhole('SemanticIndex.open', 'ann.seed', ann.seed);
  // -1 is one thread per core.
  if (ann.threads !== -1) checkPositive('SemanticIndex.open', 'ann.threads', ann.threads);
  checkWhole('SemanticIndex.open', 'storage.busyTimeout', options.storage.busyTimeout);
  checkWhole('SemanticIndex.open', 'cache.queries', cache.queries);
  checkWhole('SemanticIndex.open', 'cache.embeddingsMaxBytes', cache.embeddingsMaxBytes);
  if (cache.embeddings !== undefined) checkPath('cache.embeddings', cache.embeddings, { orMemory: true });
  if (recall !== undefined) checkShare('SemanticIndex.open', 'recall', recall);
  return options;
}

/** Options of an add, checked. */
export function checkAdd(given: AddOptions | undefined): ResolvedAddOptions {
  const options = resolveOptions('addDocuments', given, addDefaults);
  checkPositive('addDocuments', 'batchSize', options.batchSize);
  checkOneOf('addDocuments', 'onDuplicate', options.onDuplicate, ['add', 'skip', 'replace', 'link']);
  // Checked again when the measure is known.
  duplicateThreshold('addDocuments', { ...options, measure: options.measure ?? 'similarity' });
  return options;
}

/** The threshold of duplicates, by default that of the measure. @throws INVALID_ARGUMENT for another measure or no number. */
export function duplicateThreshold(
  method: string,
  { measure, threshold }: { readonly measure: DuplicateMeasure; readonly threshold: number | undefined },
): number {
  checkOneOf(method, 'measure', measure, ['probability', 'similarity']);
  const value = threshold ?? defaultThresholds[measure];
  const valid = Number.isFinite(value) && (measure === 'similarity' || (value >= 0 && value <= 1));
  if (valid) return value;
  const expected = measure === 'similarity' ? 'a number' : 'a probability from 0 to 1';
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `${method}: expected threshold as ${expected}, got ${describe(threshold)}`,
    {
      hint: `Pass a number, such as ${defaultThresholds[measure]}.`,
    },
  );
}

/** More hits than an index has documents: a larger k asks for all of them as well. */
const allHits = 2 ** 27;

/** Options of a search, checked; `searchK` is that of the index. */
export function checkSearch<M extends Metadata>(
  given: SearchOptions<M> | undefined,
  searchK: number | undefined,
): ResolvedSearchOptions<M> {
  const resolved = resolveOptions('search', given, searchDefaults);
  // The object is this call's own: a copy of all members would take longer than checking them.
  const options = Object.assign(resolved, {
    searchK: resolved.searchK ?? searchK,
    snippet: resolveSnippet('search', resolved.snippet),
  });
  checkPositive('search', 'k', options.k);
  checkPositive('search', 'rerankDepth', options.rerankDepth);
  options.k = Math.min(options.k, allHits);
  options.rerankDepth = Math.min(options.rerankDepth, allHits);
  checkReranking(options);
  if (options.searchK !== undefined) checkPositive('search', 'searchK', options.searchK);
  if (options.maxBytes !== undefined) checkPositive('search', 'maxBytes', options.maxBytes);
  checkOneOf('search', 'mode', options.mode, ['vector', 'text', 'hybrid']);
  checkOneOf('search', 'syntax', options.syntax, ['plain', 'operators']);
  checkOneOf('search', 'consistency', options.consistency, ['session', 'eventual', 'strong']);
  checkOneOf('search', 'onProviderFailure', options.onProviderFailure, ['error', 'text']);
  if (options.embedBudget !== undefined) checkPositive('search', 'embedBudget', options.embedBudget);
  const { vectorWeight } = options;
  if (vectorWeight !== undefined && !(vectorWeight >= 0 && vectorWeight <= 1)) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `search: expected a number from 0 to 1 as vectorWeight, got ${describe(vectorWeight)}`,
      { hint: '0 ranks by words, 1 by meaning; a third is the default.' },
    );
  }
  if (!(options.diversity >= 0 && options.diversity <= 1)) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `search: expected a number from 0 to 1 as diversity, got ${describe(options.diversity)}`,
      {
        hint: '0 returns the best hits, 1 the most different ones.',
      },
    );
  }
  return options;
}

/** @throws INVALID_ARGUMENT unless the options of reranking are what they may be. */
function checkReranking<M extends Metadata>(options: ResolvedSearchOptions<M>): void {
  const { rerank, rerankWeight, rerankBudget } = options;
  const refused = (expected: string, received: unknown, hint: string): SemanticIndexError =>
    new SemanticIndexError('INVALID_ARGUMENT', `search: expected ${expected}, got ${describe(received)}`, { hint });
  if (rerank !== undefined && rerank !== 'tokens' && typeof rerank !== 'function') {
    throw refused(
      "a function or 'tokens' as rerank",
      rerank,
      "Pass (query, hits) => scores, with one number per hit, or 'tokens'.",
    );
  }
  if (rerankWeight !== undefined && !(rerankWeight >= 0 && rerankWeight <= 1)) {
    throw refused(
      'a number from 0 to 1 as rerankWeight',
      rerankWeight,
      '0 keeps the order, 1 ranks by the new scores alone.',
    );
  }
  if (rerankBudget === undefined) return;
  checkPositive('search', 'rerankBudget', rerankBudget);
  if (typeof rerank !== 'function') {
    throw refused('a function as rerank with rerankBudget', rerank, 'Pass a function, or leave the budget out.');
  }
}

/** Options of a tuning, checked. */
export function checkTune(given: TuneOptions | undefined): ResolvedTuneOptions {
  const options = resolveOptions('tune', given, tuneDefaults);
  checkShare('tune', 'recall', options.recall);
  checkPositive('tune', 'k', options.k);
  if (options.sample !== undefined) checkPositive('tune', 'sample', options.sample);
  for (const trees of options.trees ?? []) checkPositive('tune', 'trees', trees);
  checkConfidence('tune', options.confidence, tuneDefaults.confidence);
  return options;
}

/** @throws INVALID_ARGUMENT unless it is a number from 0.5 to below 1. */
export function checkConfidence(method: string, confidence: number, example: number): void {
  if (confidence >= 0.5 && confidence < 1) return;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `${method}: expected a number from 0.5 to below 1 as confidence, got ${describe(confidence)}`,
    { hint: `For example ${example}.` },
  );
}

/** @throws INVALID_ARGUMENT unless it is a number above 0 and at most 1. */
export function checkShare(method: string, name: string, value: number): void {
  if (value > 0 && value <= 1) return;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `${method}: expected a number above 0 and at most 1 as ${name}, got ${describe(value)}`,
    {
      hint: 'For example 0.95.',
    },
  );
}

/**
 * @throws INVALID_ARGUMENT unless it is a path as the file system reads it: an address, or a path that a shell would expand,
 *   would become a directory of that name in the working directory, as would ':memory:' where no index is opened.
 */
export function checkPath(method: string, path: unknown, { orMemory = false } = {}): string {
  const refused = (expected: string, hint: string): SemanticIndexError =>
    new SemanticIndexError('INVALID_ARGUMENT', `${method}: expected ${expected}, got ${describe(path)}`, { hint });
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    const hint = path instanceof URL ? 'Pass fileURLToPath(url) of node:url.' : 'Pass a path as a string.';
    throw refused(orMemory ? "a path, or ':memory:' for an index in memory" : 'a path', hint);
  }
  if (path === ':memory:' && !orMemory) throw refused('a path', 'Only `SemanticIndex.open` has indexes in memory.');
  if (/^~(?:[\\/]|$)/.test(path))
    throw refused('a path without ~', 'Pass join(homedir(), …) of node:os and node:path.');
  if (/^file:/i.test(path)) throw refused('a path', 'Pass fileURLToPath(address) of node:url.');
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(path))
    throw refused('a path of this machine', 'An index lies in a local directory.');
  return path;
}

/** @throws INVALID_ARGUMENT unless it is one of the known values. */
export function checkOneOf(method: string, name: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `${method}: expected one of ${known.join(', ')} as ${name}, got ${describe(value)}`,
    {
      hint: `Pass ${known.map((one) => `'${one}'`).join(' or ')}.`,
    },
  );
}

/** @throws INVALID_ARGUMENT unless it is zero or a positive integer. */
export function checkWhole(method: string, name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `${method}: expected a non-negative integer as ${name}, got ${describe(value)}`,
    { hint: 'Pass an integer from 0 up.' },
  );
}

/** @throws INVALID_ARGUMENT unless it is a positive integer. */
export function checkPositive(method: string, name: string, value: number): void {
  if (Number.isSafeInteger(value) && value > 0) return;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `${method}: expected a positive integer as ${name}, got ${describe(value)}`,
    {
      hint: 'Pass an integer from 1 up.',
    },
  );
}
