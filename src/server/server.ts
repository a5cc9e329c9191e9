import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type SemanticIndex, SemanticIndexError } from '../index.js';
import { describe, resolveOptions } from '../options/resolve-options.js';
import { type ResolvedServerOptions, type ServerOptions, serverDefaults } from '../options/server.js';
import { refuseConnection } from './gateway/refuse-connection.js';
import { allMetricsOfWorkers } from './gateway/workers.js';
import { BodyBudget } from './http/body-budget.js';
import { HostCheck } from './http/host-check.js';
import { cannotListen, httpErrorOf } from './http/http-errors.js';
import { parseJsonBody } from './http/json-body.js';
import { serverPackages } from './http/server-packages.js';
import { isToken } from './http/token.js';
import { addMetrics } from './metrics.js';
import { refuseCostly } from './request-cost.js';
import { addRoutes } from './routes.js';
import { schemaMessage } from './schema-messages.js';
import { ServedIndex } from './served-index.js';

export type { ServerOptions } from '../options/server.js';

const openRoutes = ['/health', '/ready'];
const openapiHint = { hint: 'See /openapi.json for what the request may hold.' };
const jsonHint = { hint: 'Send JSON with the header `Content-Type: application/json`.' };
const knownMethods = ['GET', 'HEAD', 'POST', 'DELETE'] as const;

/**
 * An index as a service over HTTP. It listens before the index is loaded, and answers 503 until then; every failure is
 * `{ error: { code, message, hint } }`. Requests see each generation of the index as soon as it is there.
 */
export class SearchServer {
  /** The fastify instance behind it, to add routes and plug-ins before `listen`. */
  readonly app: FastifyInstance;
  readonly #served: ServedIndex;
  readonly #options: ResolvedServerOptions;
  #closing: Promise<void> | undefined;

  /** @internal Made by `createServer`. */
  constructor(app: FastifyInstance, served: ServedIndex, options: ResolvedServerOptions) {
    this.app = app;
    this.#served = served;
    this.#options = options;
  }

  /** Resolves when the index is loaded; rejects with why it cannot be. */
  get loaded(): Promise<void> {
    return this.#served.loaded;
  }

  /**
   * Listens, and returns the address, such as `http://127.0.0.1:8080`, or the socket.
   *
   * @throws IO when the port is taken.
   */
  async listen(): Promise<string> {
    const { host, port, socketPath } = this.#options;
    try {
      // A socket belongs to this process alone, also where it is one of several workers.
      if (socketPath !== undefined) return await this.app.listen({ path: socketPath, exclusive: true });
      return await this.app.listen({ host, port });
    } catch (cause) {
      throw cannotListen(socketPath ?? `${host}:${port}`, cause);
    }
  }

  /**
   * Shuts down gracefully: /ready returns 503, connections close after their next response, pending requests are
   * completed, and the index is closed. Further calls have no effect.
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
export async function createServer(open: () => Promise<SemanticIndex>, options?: ServerOptions): Promise<SearchServer> {
  const resolved = resolveOptions('createServer', options, serverDefaults);
  if (typeof open !== 'function') {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `createServer: expected a function that opens the index, got ${describe(open)}`,
      { hint: 'Pass () => SemanticIndex.open(path).' },
    );
  }
  const { bodyLimit, receiveTimeout, token, log, socketPath } = resolved;
  const hostCheck = new HostCheck(resolved);
  const bodies = new BodyBudget(resolved);
  const { fastify, fastifySwagger, prometheus } = await serverPackages();
  const app: FastifyInstance = fastify({
    logger: log,
    bodyLimit,
    requestTimeout: receiveTimeout,
    // What comes while we close is answered, with the word that the connection ends.
    return503OnClosing: false,
    // On a socket, requests come from the gateway, which appends the address of the client.
    trustProxy: (_, hop) => socketPath !== undefined && hop === 0,
    routerOptions: { maxParamLength: 4096 },
    // Wrong types are refused, not bent; the numbers of a query string are the exception, see below.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: false, verbose: true } },
    schemaErrorFormatter: (findings, part) =>
      new SemanticIndexError('INVALID_ARGUMENT', schemaMessage(findings, part), openapiHint),
    http: { headersTimeout: receiveTimeout, connectionsCheckingInterval: Math.min(1000, receiveTimeout / 4) },
    clientErrorHandler: refuseConnection,
    // What fails before there is a route, such as a percent sign that stands for nothing.
    frameworkErrors: (error, request, reply: FastifyReply) => {
      let failure: unknown = error;
      try {
        hostCheck.check(request.raw);
      } catch (foreign) {
        failure = foreign;
      }
      const { status, body } = httpErrorOf(failure);
      return reply.code(status).send(body);
    },
  });
  const parseDefault = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    const parsePiece = (text: string): unknown => {
      let result: unknown;
      parseDefault(request, text, (error, parsed) => {
        if (error !== null) throw error;
        result = parsed;
      });
      return result;
    };
    return parseJsonBody(body, parsePiece);
  });
  // Of a body that is not JSON the type is wrong, whatever it looks like.
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser('*', (request, _, done) => {
    const type = request.headers['content-type'] ?? 'none';
    done(
      new SemanticIndexError(
        'UNSUPPORTED',
        `Expected the content type application/json, got ${describe(type)}`,
        jsonHint,
      ),
    );
  });
  const served = new ServedIndex(open);
  // Before everything else, and for addresses without a route as well.
  app.addHook('onRequest', async ({ raw }, reply) => {
    hostCheck.check(raw);
    const preflight = hostCheck.preflightHeaders(raw);
    if (preflight !== undefined) return reply.code(204).headers(preflight).send();
    reply.headers(hostCheck.corsHeaders(raw) ?? {});
  });
  app.addHook('onRequest', async ({ headers, routeOptions }) => {
    if (token === undefined || openRoutes.includes(routeOptions.url ?? '')) return;
    if (!isToken(headers.authorization, token))
      throw new SemanticIndexError('UNAUTHORIZED', 'The token is missing or wrong');
  });
  // After the token, before the body.
  app.addHook('onRequest', async ({ raw }, reply) => {
    reply.raw.once('close', bodies.take(raw));
  });
  app.addHook('preValidation', async ({ body, routeOptions }) => {
    if (routeOptions.url !== '/mcp') return refuseCostly(body, resolved);
    for (const message of Array.isArray(body) ? body : [body]) {
      await refuseCostly((message as { params?: { arguments?: unknown } } | null)?.params?.arguments, resolved);
    }
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
      const wrong = new SemanticIndexError(
        'UNSUPPORTED',
        `${request.method} is not supported by ${path.slice(0, 200)}`,
        {
          hint: `Send ${allowed.join(' or ')}.`,
        },
      );
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
