import { SemanticIndexError } from '../errors.js';

/** A text that the provider refuses while it embeds others. */
export interface RefusedText {
  /** Position among the texts of the call. */
  readonly index: number;
  readonly error: SemanticIndexError;
}

/** HTTP: a bad request, a body that is too large, an input that cannot be processed. */
const refusingStatuses = new Set([400, 413, 422]);

/** Whether one of the texts may have caused the failure of a call; bisecting finds it. */
export function mayBeOneText(error: unknown): boolean {
  if (!SemanticIndexError.is(error)) return false;
  if (error.code === 'INPUT_TOO_LONG' || error.code === 'INVALID_TEXT') return true;
  if (error.code === 'PROVIDER_INVALID') return isVectorFault(error);
  if (error.code !== 'PROVIDER_FAILED') return false;
  const cause = (error.cause ?? {}) as { status?: unknown; statusCode?: unknown };
  const status = error.details.status ?? cause.status ?? cause.statusCode;
  return typeof status === 'number' && refusingStatuses.has(status);
}

/**
 * Whether the only fault of a response is a vector that is not finite or all zero. A vector of the wrong length or type
 * invalidates the whole response.
 */
export function isVectorFault({ details }: SemanticIndexError): boolean {
  return details.fault !== undefined;
}

/** The position of the text that an error names, if it is one of the `count` texts of the call. */
export function namedText(error: SemanticIndexError, count: number): number | undefined {
  const { index } = error.details;
  const named = error.code === 'INPUT_TOO_LONG' || error.code === 'INVALID_TEXT';
  return named && Number.isInteger(index) && (index as number) >= 0 && (index as number) < count
    ? (index as number)
    : undefined;
}

/** The error of a text with its position in the whole call, instead of the position in the bisected part. */
export function refusal(index: number, error: SemanticIndexError): SemanticIndexError {
  const { index: _, ...details } = error.details;
  return new SemanticIndexError(error.code, `Text ${index} cannot be embedded: ${error.message}`, {
    hint: error.hint,
    cause: error,
    details: { ...details, index },
  });
}
