import { SemanticIndexError } from '../../errors.js';
import { serviceMessage } from './service-message.js';

/** A failed request of `openaiProvider`; kept in `details` of the error. */
export interface RequestFailure {
  /** HTTP status; undefined without a response. */
  readonly status: number | undefined;
  /** The error code of the service, such as `insufficient_quota`. */
  readonly code: string | undefined;
  readonly requestId: string | undefined;
  /** Whether a retry may succeed. */
  readonly retryable: boolean;
  /** Retry delay requested by the service, in milliseconds. */
  readonly retryAfter: number | undefined;
}

/** The used members of an error of the package `openai`. */
interface ServiceError {
  readonly message?: string;
  readonly status?: number;
  readonly code?: string | null;
  readonly requestID?: string | null;
  readonly headers?: { get?(name: string): string | null };
  readonly cause?: unknown;
}

/** Max. retry delay in milliseconds; a request whose service asks for more fails. */
export const maxRetryDelay = 120_000;

/** The error of the service as a SemanticIndexError without secrets. */
export function requestError(error: unknown, texts: number, secrets: readonly string[]): SemanticIndexError {
  const { message, status, code, requestID, headers, cause } = error as ServiceError;
  const failure: RequestFailure = {
    status: typeof status === 'number' ? status : undefined,
    code: code ?? undefined,
    requestId: requestID ?? undefined,
    retryable: isRetryable(error as ServiceError),
    retryAfter: waitOf(headers),
  };
  const inner = cause instanceof Error && cause.message !== message ? ` (${cause.message})` : '';
  const text = scrub(`${message ?? String(error)}${inner}`, secrets);
  // The original error is not passed on: it contains the headers of request and response.
  const plain = new Error(text);
  if (error instanceof Error) plain.name = error.constructor.name;
  return new SemanticIndexError(
    'PROVIDER_FAILED',
    `Embedding ${texts} ${texts === 1 ? 'text' : 'texts'} failed: ${text}`,
    {
      hint: hintFor(failure),
      cause: plain,
      details: { ...failure },
    },
  );
}

/**
 * The error in a response with status 200, as OpenRouter and LocalAI send it; undefined if it has none.
 */
export function answerError(
  answer: unknown,
  texts: number,
  secrets: readonly string[],
): SemanticIndexError | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const body = answer as { error?: unknown; detail?: unknown; message?: unknown };
  if (body.error == null && body.detail == null && body.message == null) return undefined;
  const { code } = (typeof body.error === 'object' ? body.error : body) as { code?: unknown };
  const status = Number(code);
  return requestError(
    {
      message: serviceMessage(answer),
      ...(Number.isInteger(status) && status >= 400 && status < 600 ? { status } : { code: code ?? null, status: 400 }),
    },
    texts,
    secrets,
  );
}

/** Whether a server may have refused only `encoding_format`. */
export function mayRefuseForm(error: unknown): boolean {
  const { status } = error as ServiceError;
  return status === 400 || status === 415 || status === 422 || status === 501;
}

/** Redacts the known keys, and anything that looks like a key, in a message. */
export function scrub(text: string, secrets: readonly string[]): string {
  const known = secrets
    .filter((secret) => secret.length > 3)
    .reduce((rest, secret) => rest.replaceAll(secret, '[key]'), text);
  return known.replaceAll(/\bsk-[\w*-]+/g, '[key]').replaceAll(/\bBearer\s+\S+/gi, 'Bearer [key]');
}

function isRetryable(error: ServiceError): boolean {
  const { status, code, headers } = error;
  const says = headers?.get?.('x-should-retry');
  if (says === 'true' || says === 'false') return says === 'true';
  // Insufficient quota is reported as 429 as well, but a retry cannot succeed.
  if (code === 'insufficient_quota' || status === 402) return false;
  if (typeof status === 'number') return status === 408 || status === 409 || status === 429 || status >= 500;
  return isNetworkTrouble(error);
}

/**
 * No response, a truncated one, or one that is not JSON; recognised by names and messages of the package, fetch and
 * sockets.
 */
function isNetworkTrouble(error: ServiceError): boolean {
  const { code, message = '', cause } = error;
  if (error instanceof SyntaxError || /Connection|Timeout/.test(error.constructor.name)) return true;
  if (/^(E[A-Z_]+|UND_ERR_\w+)$/.test(code ?? '')) return true;
  if (/fetch failed|terminated|socket|network|aborted|timed out|hang up/i.test(message)) return true;
  return typeof cause === 'object' && cause !== null && isNetworkTrouble(cause);
}

/** The retry delay in milliseconds, from `retry-after-ms`, or from `retry-after` in seconds or as a date. */
function waitOf(headers: ServiceError['headers']): number | undefined {
  const milliseconds = numberOf(headers?.get?.('retry-after-ms'));
  if (milliseconds !== undefined) return milliseconds;
  const after = headers?.get?.('retry-after');
  const seconds = numberOf(after);
  if (seconds !== undefined) return seconds * 1000;
  const date = after == null ? Number.NaN : Date.parse(after);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function numberOf(value: string | null | undefined): number | undefined {
  const parsed = value == null || value.trim() === '' ? Number.NaN : Number(value);
  return parsed >= 0 ? parsed : undefined;
}

function hintFor({ status, code, retryAfter }: RequestFailure): string {
  if (code === 'insufficient_quota' || status === 402) return 'The account has no credit left.';
  if (status === 401 || status === 403) return 'Check the API key and its permissions.';
  if (status === 404) return 'Check `model` and `baseURL`.';
  if (status === 429 && retryAfter !== undefined && retryAfter > maxRetryDelay)
    return 'The service requests a retry delay of more than two minutes: try again later.';
  if (status === 429) return 'Lower `maxParallelCalls`, or raise `maxRetries`.';
  if (status === undefined) return 'Check `baseURL`, the network and `timeout`.';
  if (status === 413 || status === 422 || status === 400)
    return 'Check the texts, `model` and `dimensions` against the limits of the service.';
  return 'The service failed: try again later.';
}
