import { SemanticIndexError } from '../../errors.js';
import type { ResolvedSearchOptions } from '../../options.js';
import type { DegradedSearch } from '../../types.js';

/** The options that decide what happens when a query cannot be embedded. */
export type EmbedFallback = Pick<ResolvedSearchOptions, 'onProviderFailure' | 'embedBudget' | 'signal'>;

/** Failures of the provider itself. Others, such as a model that does not fit the index, are mistakes that words would hide. */
const failures = new Set(['PROVIDER_FAILED', 'PROVIDER_INVALID']);

/**
 * Runs an embedding of queries within its budget. Resolves to the reason if it failed and searches by words are to take its place,
 * else to undefined.
 *
 * @throws what `embed` throws where words are not wanted instead; PROVIDER_FAILED when the budget is used up.
 */
export async function embedOrFallBack(
  embed: (signal: AbortSignal | undefined) => Promise<void>,
  { onProviderFailure, embedBudget, signal }: EmbedFallback,
): Promise<DegradedSearch | undefined> {
  const budget = embedBudget === undefined ? undefined : AbortSignal.timeout(embedBudget);
  try {
    await embed(budget === undefined || signal === undefined ? (budget ?? signal) : AbortSignal.any([signal, budget]));
    return undefined;
  } catch (cause) {
    signal?.throwIfAborted();
    const isLate = budget?.aborted === true && cause === budget.reason;
    const error = isLate ? overBudget(embedBudget as number, cause) : cause;
    if (onProviderFailure === 'error' || !isProviderFailure(error)) throw error;
    return { reason: isLate ? 'embed-budget' : 'provider-failure', message: error.message };
  }
}

function isProviderFailure(error: unknown): error is SemanticIndexError {
  return SemanticIndexError.is(error) && failures.has(error.code);
}

function overBudget(milliseconds: number, cause: unknown): SemanticIndexError {
  return new SemanticIndexError('PROVIDER_FAILED', `The query was not embedded within ${milliseconds} ms`, {
    hint: "Raise embedBudget, or pass onProviderFailure: 'text' to search by words then.",
    cause,
  });
}
