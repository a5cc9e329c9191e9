import { SemanticIndexError } from '../errors.js';
import { describe } from './describe.js';

/** The type of an option's value. An option without a kind is checked where it is used. */
export type OptionKind = 'string' | 'number' | 'boolean' | 'function' | 'list' | 'object' | 'signal';

/** Kinds of options that have no default, by name; those of a default are of its type. */
const kinds: Readonly<Record<string, OptionKind>> = {
  after: 'string',
  against: 'object',
  apiKey: 'string',
  answerTimeout: 'number',
  bands: 'list',
  baseURL: 'string',
  batchSize: 'number',
  blockRows: 'number',
  bodyMemory: 'number',
  cacheDir: 'string',
  chunker: 'function',
  client: 'object',
  collection: 'string',
  columns: 'number',
  compare: 'list',
  connectionString: 'string',
  countTokens: 'function',
  dimensions: 'number',
  diversity: 'number',
  documentPrefix: 'string',
  dtype: 'string',
  duration: 'number',
  embedBudget: 'number',
  embeddings: 'string',
  encoding: 'string',
  exact: 'boolean',
  f: 'number',
  first: 'number',
  field: 'string',
  folder: 'string',
  format: 'function',
  groupBy: 'string',
  interval: 'string',
  judge: 'function',
  keep: 'function',
  language: 'string',
  lines: 'list',
  logger: 'function',
  maxBatchSize: 'number',
  maxBatchTokens: 'number',
  maxBytes: 'number',
  maxInputTokens: 'number',
  maxTokens: 'number',
  measure: 'string',
  metric: 'string',
  minScore: 'number',
  mode: 'string',
  name: 'string',
  onCall: 'function',
  onEvent: 'function',
  onProgress: 'function',
  order: 'string',
  package: 'string',
  pages: 'list',
  pool: 'object',
  polling: 'number',
  pooling: 'string',
  pricePerMillionTokens: 'number',
  queries: 'list',
  queryPrefix: 'string',
  readonly: 'boolean',
  recall: 'number',
  remoteHost: 'string',
  reranker: 'function',
  replicas: 'list',
  rerankBudget: 'number',
  rerankDepth: 'number',
  rerankWeight: 'number',
  retryAfter: 'function',
  ranges: 'list',
  rows: 'number',
  sample: 'number',
  searchK: 'number',
  seed: 'number',
  shards: 'list',
  signal: 'signal',
  socketPath: 'string',
  sort: 'object',
  threshold: 'number',
  token: 'string',
  trees: 'list',
  typos: 'boolean',
  vectorWeight: 'number',
};

/** Options that are checked where they are used, as what they may be cannot be said by one type. */
export const checkedWhereUsed: readonly string[] = [
  'allowed',
  'allowHost',
  'allowOrigin',
  'boost',
  'distances',
  'facets',
  'fields',
  'fit',
  'languageField',
  'neighbors',
  'provider',
  'rerank',
  'schema',
  'snippet',
  'textFields',
  'textTemplate',
  'where',
];

const words: Readonly<Record<OptionKind, string>> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  function: 'a function',
  list: 'an array',
  object: 'an object',
  signal: 'an AbortSignal',
};

/** The kind of an option, by its default or else its name. */
export function kindOf(name: string, fallback: unknown): OptionKind | undefined {
  if (checkedWhereUsed.includes(name)) return undefined;
  if (fallback === undefined) return Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (Array.isArray(fallback)) return 'list';
  const type = typeof fallback;
  return type === 'string' || type === 'number' || type === 'boolean' ? type : undefined;
}

/** @throws INVALID_ARGUMENT unless the value is of the kind of the option. */
export function checkKind(method: string, name: string, value: unknown, fallback: unknown, group = ''): void {
  const kind = kindOf(name, fallback);
  if (kind === undefined || isOfKind(value, kind)) return;
  const otherwise = fallback === undefined ? 'Leave it out for the default.' : `Default: ${describe(fallback)}.`;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `${method}: expected ${words[kind]} as ${group}${name}, got ${describe(value)}`,
    { hint: otherwise, details: { option: `${group}${name}` } },
  );
}

function isOfKind(value: unknown, kind: OptionKind): boolean {
  switch (kind) {
    case 'list':
      return Array.isArray(value);
    case 'object':
      return (typeof value === 'object' && value !== null) || typeof value === 'function';
    case 'signal':
      return value instanceof AbortSignal;
    case 'number':
      return typeof value === 'number' && !Number.isNaN(value);
    default:
      return typeof value === kind;
  }
}
