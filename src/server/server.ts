import { createHash, timingSafeEqual } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Given, type SemanticIndex, SemanticIndexError } from '../index.js';
import { resolveOptions } from '../options/resolve-options.js';
import { type ServerOptions, serverDefaults } from '../options/server.js';
import { httpErrorOf } from './http-errors.js';
import { addMetrics } from './metrics.js';
import { addRoutes } from './routes.js';
import { ServedIndex } from './served-index.js';
import { serverPackages } from './server-packages.js';
import { allMetricsOfWorkers } from './workers.js';

export type { ServerOptions } from '../options/server.js';
export { awaitSuccessor, stopOfWorker, superviseWorkers, type WorkersOptions } from './workers.js';

const openRoutes = ['/health', '/ready'];
const knownMethods = ['GET', 'HEAD', 'POST', 'DELETE'] as const;

/**
 * An index as a service over HTTP. It listens before the index is loaded, and answers 503 until then; every failure is
 * `{ error: { code, message, hint } }`. Requests see each generation of the index as soon as it is there.
 */
export class SearchServer {
  /** The fastify instance behind it, to add routes and plug-ins before `listen`. */
  readonly app: FastifyInstance;
  readonly #served: ServedIndex;
  readonly #options: ServerOptions;
  #closing: Promise<void> | undefined;

  /** @internal Made by `createServer`. */
  constructor(app: FastifyInstance, served: ServedIndex, options: ServerOptions) {
    this.app = app;
    this.#served = served;
    this.#options = options;
  }

  /** Resolves when the index is loaded; rejects with why it cannot be. */
  get loaded(): Promise<void> {
    return this.#served.loaded;
  }

  /**
   * Listens, and returns the address, such as `http://127.0.0.1:8080`.
   *
   * @throws IO when the port is taken.
   */
  async listen(): Promise<string> {
    const { host, port } = this.#options;
    try {
      return await this.app.listen({ host, port });
    } catch (cause) {
      throw new SemanticIndexError('IO', `Cannot listen on ${host}:${port}: ${(cause as Error).message}`, {
        hint: 'Choose another port; 0 takes a free one.',
        cause,
      });
    }
  }

  /**
   * Ends in order: /ready turns 503, open connections are told to close with their next answer, requests under way are
   * answered, and the index is closed. Closing twice is no error.
   */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#served.drain();
      if (this.app.server.listening) await sleep(this.#options.drainTime);
      await this.app.close();
      await this.#served.close();
    })();
    return this.#closing;
  }
}

/**
 * A service for the index that `open` opens, not yet listening. The service closes the index when it closes.
 *
 * @throws MISSING_PEER (fastify, @fastify/swagger or prom-client), UNKNOWN_OPTION.
 */
export async function createServer(
  open: () => Promise<SemanticIndex>,
  options?: Given<ServerOptions>,
): Promise<SearchServer> {
  const resolved = resolveOptions('createServer', options, serverDefaults);
  const { bodyLimit, receiveTimeout, token, log } = resolved;
  const { fastify, fastifySwagger, prometheus } = await serverPackages();
  const app: FastifyInstance = fastify({
    logger: log,
    bodyLimit,
    requestTimeout: receiveTimeout,
    // What comes while we close is answered, with the word that the connection ends.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 4096 },
    // Wrong types are refused, not bent; the numbers of a query string are the exception, see below.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: false } },
    http: { headersTimeout: receiveTimeout, connectionsCheckingInterval: Math.min(1000, receiveTimeout / 4) },
    clientErrorHandler: refuseConnection,
    // What fails before there is a route, such as a percent sign that stands for nothing.
    frameworkErrors: (error, _, reply: FastifyReply) => {
      const { status, body } = httpErrorOf(error);
      return reply.code(status).send(body);
    },
  });
  const served = new ServedIndex(open);
  app.addHook('onRequest', async ({ headers, routeOptions }) => {
    if (token === undefined || openRoutes.includes(routeOptions.url ?? '')) return;
    if (!isToken(headers.authorization, token))
      throw new SemanticIndexError('UNAUTHORIZED', 'The token is missing or wrong');
  });
  app.addHook('preValidation', async ({ query }) => {
    const limit = (query as Record<string, unknown>).limit;
    if (typeof limit === 'string' && /^\d{1,9}$/.test(limit)) (query as Record<string, unknown>).limit = Number(limit);
  });
  app.addHook('onSend', async (_, reply) => {
    if (served.state === 'closing') reply.header('connection', 'close');
  });
  app.setErrorHandler((error, request, reply) => {
    const { status, body } = httpErrorOf(error);
    if (status >= 500) request.log.error(error);
    if (status === 401) reply.header('www-authenticate', 'Bearer');
    if (status === 503) reply.header('retry-after', '1');
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] as string;
    const allowed = knownMethods.filter((method) => app.hasRoute({ url: path, method }));
    if (allowed.length > 0) {
      const wrong = new SemanticIndexError('UNSUPPORTED', `${path.slice(0, 200)} knows no ${request.method}`, {
        hint: `Send ${allowed.join(' or ')}.`,
      });
      return reply.code(405).header('allow', allowed.join(', ')).send(httpErrorOf(wrong).body);
    }
    const missing = new SemanticIndexError('NOT_FOUND', `There is no ${request.method} ${request.url.slice(0, 200)}`, {
      hint: 'See /openapi.json for what there is.',
    });
    return reply.code(404).send(httpErrorOf(missing).body);
  });
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.0.3',
      info: { title: 'semantic-index', description: 'Search by meaning over HTTP.', version: '1' },
      ...(token === undefined
        ? {}
        : {
            components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
            security: [{ bearer: [] }],
          }),
    },
  });
  addMetrics(app, served, prometheus, allMetricsOfWorkers(prometheus));
  addRoutes(app, served, resolved);
  return new SearchServer(app, served, resolved);
}

/** Compares hashes, which are of one length, in a time that does not tell how much of the token is right. */
function isToken(header: string | undefined, token: string): boolean {
  const given = /^Bearer +(.+)$/i.exec(header ?? '')?.[1] ?? '';
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(token));
}

/** Answers what is no HTTP, or never arrives in whole. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const status = late ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
  const known = late
    ? new SemanticIndexError('TIMEOUT', 'The request did not arrive in time')
    : new SemanticIndexError(status === 431 ? 'TOO_LARGE' : 'INVALID_ARGUMENT', 'The request is no proper HTTP', {
        hint: 'Check the client.',
      });
  const body = JSON.stringify(httpErrorOf(known).body);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
