import { SemanticIndexError } from '../../errors.js';
import { serviceMessage } from './service-message.js';

/** What `openaiProvider` knows about a failed request; kept in `details`. */
export interface RequestFailure {
  /** HTTP status; undefined when no answer came. */
  readonly status: number | undefined;
  /** The service's own code, such as `insufficient_quota`. */
  readonly code: string | undefined;
  readonly requestId: string | undefined;
  /** Whether trying again may help. */
  readonly retryable: boolean;
  /** Milliseconds that the service asked to wait. */
  readonly retryAfter: number | undefined;
}

/** As far as it is read here, an error of the package `openai`. */
interface ServiceError {
  readonly message?: string;
  readonly status?: number;
  readonly code?: string | null;
  readonly requestID?: string | null;
  readonly headers?: { get?(name: string): string | null };
  readonly cause?: unknown;
}

/** Longest wait that a service may ask for before the request counts as failed. */
export const longestWait = 120_000;

/** The service's error as one of ours, with nothing secret in it. */
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
  // The original error is not passed on: it holds the request's and the answer's headers.
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
 * The error of an answer with status 200 that holds an error in place of vectors, as OpenRouter and LocalAI send it; undefined
 * when it holds none.
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

/** Whether a server may have refused the form in which vectors were asked for, and not the rest of the request. */
export function mayRefuseForm(error: unknown): boolean {
  const { status } = error as ServiceError;
  return status === 400 || status === 415 || status === 422 || status === 501;
}

/** Replaces keys, and what looks like one, in a message. */
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
  // An account without money answers 429, too; it does not fill up by waiting.
  if (code === 'insufficient_quota' || status === 402) return false;
  if (typeof status === 'number') return status === 408 || status === 409 || status === 429 || status >= 500;
  return isNetworkTrouble(error);
}

/** No answer, half an answer, or one that is not JSON: names and messages of the package, of fetch and of sockets. */
function isNetworkTrouble(error: ServiceError): boolean {
  const { code, message = '', cause } = error;
  if (error instanceof SyntaxError || /Connection|Timeout/.test(error.constructor.name)) return true;
  if (/^(E[A-Z_]+|UND_ERR_\w+)$/.test(code ?? '')) return true;
  if (/fetch failed|terminated|socket|network|aborted|timed out|hang up/i.test(message)) return true;
  return typeof cause === 'object' && cause !== null && isNetworkTrouble(cause);
}

/** Milliseconds, from `retry-after-ms`, or from `retry-after` in seconds or as a date. */
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
  if (status === 401 || status === 403) return 'Check the API key and what it may do.';
  if (status === 404) return 'Check `model` and `baseURL`.';
  if (status === 429 && retryAfter !== undefined && retryAfter > longestWait)
    return 'The service asks to come back much later.';
  if (status === 429) return 'Lower `maxParallelCalls`, or raise `maxRetries`.';
  if (status === undefined) return 'Check `baseURL`, the network and `timeout`.';
  if (status === 413 || status === 422 || status === 400)
    return 'Check the texts, `model` and `dimensions` against what the service accepts.';
  return 'The service failed: try again later.';
}
