import { SemanticIndexError } from '../errors.js';
import type { CountTokens } from './rag.js';
import { describe, type Listed, type Resolved, resolveOptions } from './resolve-options.js';

/**
 * Options of snippets: the option `snippet` of a search.
 *
 * @example
 * const snippet: SnippetOptions = { maxTokens: 40, highlight: ['<b>', '</b>'] };
 */
export interface SnippetOptions {
  /** Maximum number of tokens of a snippet, without markers. Default 64. */
  maxTokens?: number | undefined;
  /** What is put before and behind each matched word in `highlighted`. Default `['**', '**']`. */
  highlight?: readonly [before: string, behind: string] | undefined;
  /** Counts tokens. Default: `estimateTokens`. */
  countTokens?: CountTokens | undefined;
}

/** Defaults of {@link SnippetOptions}. */
export const snippetDefaults = {
  maxTokens: 64,
  highlight: ['**', '**'] as readonly [string, string],
  countTokens: undefined,
} satisfies Listed<SnippetOptions>;

/** {@link SnippetOptions}, completed by the defaults. */
export type ResolvedSnippetOptions = Resolved<SnippetOptions, typeof snippetDefaults>;

/**
 * The option `snippet` of a method, completed; undefined where no snippets are wanted.
 *
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION.
 */
export function resolveSnippet(
  method: string,
  given: boolean | SnippetOptions | undefined,
): ResolvedSnippetOptions | undefined {
  if (given === undefined || given === false) return undefined;
  if (given === true) return snippetDefaults;
  const refused = (expected: string, received: unknown, hint: string): SemanticIndexError =>
    new SemanticIndexError('INVALID_ARGUMENT', `${method}: expected ${expected}, got ${describe(received)}`, { hint });
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw refused('true or an object as snippet', given, 'Pass true, or { maxTokens, highlight }.');
  }
  const options = resolveOptions(`${method}: snippet`, given, snippetDefaults);
  const { maxTokens, highlight } = options;
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 1) {
    throw refused('a positive integer as snippet.maxTokens', maxTokens, 'Pass an integer from 1 up, such as 64.');
  }
  if (highlight.length !== 2 || !highlight.every((marker) => typeof marker === 'string')) {
    throw refused('two strings as snippet.highlight', highlight, "Pass what comes before and behind: ['<b>', '</b>'].");
  }
  return options;
}
