import { type ErrorCode, SemanticIndexError } from '../../index.js';

/** What the body of every failed request is. */
export interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly hint: string;
    readonly details?: Readonly<Record<string, unknown>>;
  };
}

/** An error as an HTTP response. */
export interface HttpError {
  readonly status: number;
  readonly body: ErrorBody;
}

const statusOf: Partial<Record<ErrorCode, number>> = {
  INVALID_ARGUMENT: 400,
  UNKNOWN_OPTION: 400,
  INVALID_TEXT: 400,
  INVALID_VECTOR: 400,
  INVALID_ID: 400,
  INVALID_METADATA: 400,
  INVALID_FILTER: 400,
  DUPLICATE_ID: 400,
  DIMENSION_MISMATCH: 400,
  INPUT_TOO_LONG: 400,
  UNSUPPORTED: 415,
  UNAUTHORIZED: 401,
  READ_ONLY: 403,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  TIMEOUT: 503,
  SPACE_MISMATCH: 409,
  TOO_LARGE: 413,
  PROVIDER_FAILED: 502,
  PROVIDER_INVALID: 502,
  BUSY: 503,
  CLOSED: 503,
  UNAVAILABLE: 503,
};

/** Details that a client may see; paths and the like stay here. */
const publicDetails = ['expected', 'actual', 'option', 'known'];

/** Any error as a response. Unexpected errors are 500 without internal details. */
export function httpErrorOf(error: unknown): HttpError {
  if (SemanticIndexError.is(error)) {
    const status = statusOf[error.code] ?? 500;
    const message = status === 500 ? 'The service failed' : error.message;
    return answer(status, error.code, message, error.hint, error.details);
  }
  const { statusCode, code, message } = error as { statusCode?: number; code?: string; message?: string };
  // Nested so deeply that walking it exhausts the stack: nothing but input can be.
  if (error instanceof RangeError && /call stack/.test(error.message)) {
    return answer(400, 'INVALID_ARGUMENT', 'The body is nested too deeply', 'Send something flatter.');
  }
  if (statusCode === 413) return known('TOO_LARGE', 413, `The body is too large: ${message}`);
  if (statusCode === 415) return known('UNSUPPORTED', 415, `${message}: send application/json`);
  if (statusCode === 404) return known('NOT_FOUND', 404, String(message));
  if (statusCode === 503) return known('UNAVAILABLE', 503, String(message));
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    const hint = 'See /openapi.json for what the request may hold.';
    return answer(statusCode, 'INVALID_ARGUMENT', String(message ?? code), hint);
  }
  return known('INTERNAL', 500, 'The service failed');
}

/** IO, for an address that is taken or not ours. */
export function cannotListen(address: string, cause: unknown): SemanticIndexError {
  return new SemanticIndexError('IO', `Cannot listen on ${address}: ${(cause as Error).message}`, {
    hint: 'Choose another port; 0 takes a free one.',
    cause,
  });
}

function known(code: ErrorCode, status: number, message: string): HttpError {
  return answer(status, code, message, new SemanticIndexError(code, message).hint);
}

function answer(
  status: number,
  code: ErrorCode,
  message: string,
  hint: string,
  details: Readonly<Record<string, unknown>> = {},
): HttpError {
  const shown = Object.entries(details).filter(([name]) => publicDetails.includes(name));
  const body = { code, message, hint, ...(shown.length === 0 ? {} : { details: Object.fromEntries(shown) }) };
  return { status, body: { error: body } };
}
