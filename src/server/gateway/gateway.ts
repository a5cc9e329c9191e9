import {
  createServer,
  request as forward,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { SemanticIndexError } from '../../index.js';
import type { ResolvedServerOptions } from '../../options/server.js';
import { BodyBudget } from '../http/body-budget.js';
import { HostCheck } from '../http/host-check.js';
import { cannotListen, httpErrorOf } from '../http/http-errors.js';
import { isToken } from '../http/token.js';
import { refuseConnection } from './refuse-connection.js';
import { type PooledWorker, WorkerPool } from './worker-pool.js';

/** Workers that a request may be sent to, one after the other: one that ends each of them must not end all. */
const maxAttempts = 3;
/** Milliseconds that a request waits for a worker that is ready. */
const longestWait = 5000;
/** Max. milliseconds for completing pending requests at shutdown. */
const longestEnd = 10_000;
/** Milliseconds for which a client's idle connection stays open: as long as a worker keeps one. */
const idleTime = 72_000;
/** Bytes of an answer up to which it is kept until it is whole, so that a worker that dies within it cuts nothing. */
const keptAnswer = 1024 * 1024;

/** What is of one connection and not of the request (RFC 9110, 7.6.1). */
const ofConnection = new Set(
  'connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade expect'.split(
    ' ',
  ),
);

/** A request that a client waits for, whole. */
interface ProxiedRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer | undefined;
  /** Aborts when the client has gone, or has its answer. */
  readonly over: AbortSignal;
}

/**
 * Takes the requests of all clients and sends each to a worker. One that only reads is sent to another worker when the
 * first dies before its answer was whole; any other gets 503, because it may or may not have completed.
 */
export class Gateway {
  readonly workers = new WorkerPool();
  readonly #options: ResolvedServerOptions;
  readonly #hostCheck: HostCheck;
  readonly #bodies: BodyBudget;
  readonly #server: Server;
  #closing = false;

  constructor(options: ResolvedServerOptions) {
    this.#options = options;
    this.#hostCheck = new HostCheck(options);
    this.#bodies = new BodyBudget(options);
    const { receiveTimeout } = options;
    const limits = {
      requestTimeout: receiveTimeout,
      headersTimeout: receiveTimeout,
      connectionsCheckingInterval: Math.min(1000, receiveTimeout / 4),
      keepAliveTimeout: idleTime,
    };
    this.#server = createServer(limits, (request, response) => this.#receive(request, response));
    this.#server.on('clientError', refuseConnection);
  }

  /**
   * Listens, and returns the address.
   *
   * @throws IO when the port is taken.
   */
  async listen(): Promise<string> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause) => reject(cannotListen(`${host}:${port}`, cause)));
      this.#server.listen({ host, port }, resolve);
    });
    const { address, family, port: taken } = this.#server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
  }

  /** /ready returns 503, connections close after their next response, and pending requests are completed. */
  async close(): Promise<void> {
    this.#closing = true;
    await sleep(this.#options.drainTime);
    const timer = setTimeout(() => this.#server.closeAllConnections(), longestEnd);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    clearTimeout(timer);
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const { bodyLimit, token } = this.#options;
    const over = new AbortController();
    response.once('close', () => over.abort());
    response.on('error', () => {});
    request.on('error', () => {});
    if (this.#refuseForeign(request, response)) return;
    if (this.#closing && /^\/ready(?:\?|$)/.test(request.url ?? '')) {
      request.resume();
      this.#send(response, 503, { ready: false, status: 'closing' });
      return;
    }
    const { 'content-length': length, 'transfer-encoding': encoding, authorization } = request.headers;
    if (length === undefined && encoding === undefined) {
      request.resume();
      void this.#answer({ request, response, body: undefined, over: over.signal });
      return;
    }
    // Reject unauthenticated requests before buffering the body; the worker checks the token again.
    if (token !== undefined && !isToken(authorization, token)) {
      request.resume();
      response.setHeader('www-authenticate', 'Bearer');
      this.#refuse(response, new SemanticIndexError('UNAUTHORIZED', 'The token is missing or wrong'));
      return;
    }
    const tooLarge = (): void => {
      // What still comes is read and dropped, so that the client comes to read the answer.
      request.removeAllListeners('data').removeAllListeners('end').resume();
      this.#refuse(response, new SemanticIndexError('TOO_LARGE', `The body is larger than ${bodyLimit} bytes`));
    };
    if (Number(length ?? 0) > bodyLimit) {
      tooLarge();
      return;
    }
    try {
      response.once('close', this.#bodies.take(request));
    } catch (error) {
      request.resume();
      this.#refuse(response, error);
      return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > bodyLimit) tooLarge();
    });
    request.once('end', () => {
      const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      void this.#answer({ request, response, body, over: over.signal });
    });
  }

  /** Answers what the check of Host and Origin refuses, and preflight requests; true when it has. */
  #refuseForeign(request: IncomingMessage, response: ServerResponse): boolean {
    try {
      this.#hostCheck.check(request);
    } catch (error) {
      request.resume();
      this.#refuse(response, error);
      return true;
    }
    const preflight = this.#hostCheck.preflightHeaders(request);
    if (preflight !== undefined) {
      request.resume();
      response.writeHead(204, preflight).end();
      return true;
    }
    for (const [name, value] of Object.entries(this.#hostCheck.corsHeaders(request) ?? {})) {
      response.setHeader(name, value);
    }
    return false;
  }

  async #answer(asked: ProxiedRequest): Promise<void> {
    const { request, response, over } = asked;
    try {
      for (let attempt = 1; ; attempt++) {
        const worker = await this.workers.next(longestWait, over);
        if (over.aborted) return;
        if (worker === undefined) throw new SemanticIndexError('UNAVAILABLE', 'No worker of the service is ready');
        try {
          await this.#ask(worker, asked);
          return;
        } catch (cause) {
          if (over.aborted) return;
          this.workers.suspend(worker);
          if (response.headersSent) {
            response.destroy();
            return;
          }
          // Connection refused: the worker never received the request, so it is safe to retry.
          const unreached = (cause as NodeJS.ErrnoException).syscall === 'connect';
          if (!unreached && !isReading(request)) throw undecided(cause);
          if (attempt === maxAttempts)
            throw new SemanticIndexError('UNAVAILABLE', `${attempt} workers ended before they answered`, { cause });
        }
      }
    } catch (error) {
      this.#refuse(response, error);
    }
  }

  /**
   * Sends a request to a worker; resolves when its answer is on the way to the client, rejects when there is none in
   * whole.
   */
  #ask({ socketPath, agent }: PooledWorker, { request, response, body, over }: ProxiedRequest): Promise<void> {
    const { method, url, headers, socket } = request;
    const sent: OutgoingHttpHeaders = endToEnd(headers);
    const before = headers['x-forwarded-for'];
    const address = socket.remoteAddress ?? '';
    sent['x-forwarded-for'] = before === undefined ? address : `${before}, ${address}`;
    if (body !== undefined) sent['content-length'] = body.length;
    return new Promise((resolve, reject) => {
      const asking = forward({ socketPath, agent, method, path: url, headers: sent }, (answer) => {
        answer.on('error', reject);
        const size = Number(answer.headers['content-length'] ?? Number.POSITIVE_INFINITY);
        if (size > keptAnswer) {
          this.#head(response, answer);
          pipeline(answer, response, (error) => (error ? reject(error) : resolve()));
          return;
        }
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('end', () => {
          this.#head(response, answer);
          response.end(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
          resolve();
        });
      });
      const hangUp = (): void => void asking.destroy();
      over.addEventListener('abort', hangUp, { once: true });
      asking.once('close', () => over.removeEventListener('abort', hangUp));
      asking.on('error', reject);
      asking.end(body);
    });
  }

  #head(response: ServerResponse, { statusCode = 502, statusMessage, headers }: IncomingMessage): void {
    if (this.#closing) response.setHeader('connection', 'close');
    response.writeHead(statusCode, statusMessage, endToEnd(headers));
  }

  #refuse(response: ServerResponse, error: unknown): void {
    const { status, body } = httpErrorOf(error);
    if (status === 503) response.setHeader('retry-after', '1');
    this.#send(response, status, body);
  }

  #send(response: ServerResponse, status: number, value: unknown): void {
    const body = JSON.stringify(value);
    if (this.#closing) response.setHeader('connection', 'close');
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  }
}

/** Whether a request changes nothing, so that to send it again does no harm. */
function isReading({ method, url = '' }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD' || (method === 'POST' && /^\/search(?:\/batch)?(?:\?|$)/.test(url));
}

function undecided(cause: unknown): SemanticIndexError {
  return new SemanticIndexError('UNAVAILABLE', 'The worker ended before it answered', {
    hint: 'It may have been done or not. To add or delete the same documents again does no harm.',
    cause,
  });
}

/** The headers of a message without those of its connection. */
function endToEnd(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const kept: OutgoingHttpHeaders = {};
  const named = headers.connection?.toLowerCase().split(/ *, */) ?? [];
  for (const name of Object.keys(headers)) {
    if (!ofConnection.has(name) && !named.includes(name)) kept[name] = headers[name];
  }
  return kept;
}
