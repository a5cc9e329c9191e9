import { SemanticIndexError } from '../errors.js';

/** A text that the provider does not embed, while it embeds others. */
export interface RefusedText {
  /** Its place among the texts of the call. */
  readonly index: number;
  readonly error: SemanticIndexError;
}

/** HTTP: a bad request, a body that is too large, an input that cannot be processed. */
const refusingStatuses = new Set([400, 413, 422]);

/** Whether a failed call may be the fault of one of its texts: smaller calls can tell which. */
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
 * Whether an answer is right except for a vector that is not finite or all zero. A vector of another length or type makes the
 * whole answer doubtful.
 */
export function isVectorFault({ details }: SemanticIndexError): boolean {
  return details.fault !== undefined;
}

/** The place of the text that an error names, where it names one of the `count` texts of its call. */
export function namedText(error: SemanticIndexError, count: number): number | undefined {
  const { index } = error.details;
  const named = error.code === 'INPUT_TOO_LONG' || error.code === 'INVALID_TEXT';
  return named && Number.isInteger(index) && (index as number) >= 0 && (index as number) < count
    ? (index as number)
    : undefined;
}

/** The error of a text under its place in the whole call; its own place meant the part in which it was sent. */
export function refusal(index: number, error: SemanticIndexError): SemanticIndexError {
  const { index: _, ...details } = error.details;
  return new SemanticIndexError(error.code, `Text ${index} cannot be embedded: ${error.message}`, {
    hint: error.hint,
    cause: error,
    details: { ...details, index },
  });
}
