import { SemanticIndexError } from '../errors.js';
import type { ParseFailure } from './parse-messages.js';

/** An error as a message to another thread. */
export function failureOf(error: unknown): ParseFailure {
  if (SemanticIndexError.is(error)) {
    const { code, message, hint, details } = error;
    return { code, message, hint, details };
  }
  // The libraries throw whatever a damaged file leads to.
  const reason = error instanceof RangeError ? 'its parts are nested too deeply, or too large' : 'it is damaged';
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: 'INVALID_FILE',
    message: `${reason}: ${message.split('\n')[0]?.slice(0, 300)}`,
    hint: 'Check that it can be opened, and save it again.',
    details: {},
  };
}
