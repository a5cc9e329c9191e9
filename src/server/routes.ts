import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  type DocumentId,
  type DocumentInput,
  type Given,
  type Query,
  type SearchOptions,
  SemanticIndexError,
  type Where,
} from '../index.js';
import type { ServerOptions } from '../options/server.js';
import { answerMcp, createMcpServer } from './mcp.js';
import { schemasOf } from './schemas.js';
import type { ServedIndex } from './served-index.js';

type SearchBody = Given<SearchOptions> & { query?: string; vector?: number[]; id?: DocumentId };
type BatchBody = Given<SearchOptions> & { queries: Query[] };
type IdRequest = { Params: { id: string }; Querystring: { type: 'string' | 'number' } };

/** All routes but /metrics. */
export function addRoutes(app: FastifyInstance, served: ServedIndex, options: ServerOptions): void {
  const schemas = schemasOf(options);
  const signalOf = (reply: FastifyReply) => deadline(reply, options.answerTimeout);

  app.get('/health', { schema: schemas.health }, async (_, reply) => {
    const { state } = served;
    const loaded = state === 'ok' || state === 'closing';
    return reply.code(loaded ? 200 : 503).send({ status: state });
  });
  app.get('/ready', { schema: schemas.ready }, async (_, reply) => {
    const ready = served.state === 'ok';
    return reply.code(ready ? 200 : 503).send({ ready, status: served.state });
  });

  app.post<{ Body: SearchBody }>('/search', { schema: schemas.search }, async ({ body }, reply) => {
    const { query, vector, id, ...searchOptions } = body;
    const asked = query ?? (vector === undefined ? { id: id as DocumentId } : vector);
    const began = performance.now();
    const hits = await served.index.search(asked, { ...searchOptions, signal: signalOf(reply) });
    return { hits, milliseconds: performance.now() - began };
  });
  app.post<{ Body: BatchBody }>('/search/batch', { schema: schemas.searchBatch }, async ({ body }, reply) => {
    const { queries, ...searchOptions } = body;
    const began = performance.now();
    const found = await served.index.searchMany(queries, { ...searchOptions, signal: signalOf(reply) });
    return { results: found.map((hits) => ({ hits })), milliseconds: performance.now() - began };
  });

  app.post<{ Body: { documents: (string | DocumentInput)[] } }>(
    '/documents',
    { schema: schemas.add },
    async ({ body }, reply) => served.index.addDocuments(body.documents, { signal: signalOf(reply) }),
  );
  app.get<{ Querystring: { limit: number; after?: string; where?: string } }>(
    '/documents',
    { schema: schemas.list },
    async ({ query }) => {
      const { limit, after, where } = query;
      return served.index.listDocuments({ limit, after, where: where === undefined ? undefined : parseWhere(where) });
    },
  );
  app.delete<{ Body: { ids?: DocumentId[]; where?: Where } }>(
    '/documents',
    { schema: schemas.delete },
    async ({ body: { ids, where } }) => ({
      deleted: await served.index.deleteDocuments(ids ?? { where: where as Where }),
    }),
  );
  app.get<IdRequest>('/documents/:id', { schema: schemas.get }, async (request) => {
    const id = idOf(request);
    const document = await served.index.getDocument(id);
    if (document === undefined)
      throw new SemanticIndexError('NOT_FOUND', `No document has the id ${JSON.stringify(id)}`);
    return document;
  });
  app.delete<IdRequest>('/documents/:id', { schema: schemas.deleteOne }, async (request) => ({
    deleted: await served.index.deleteDocuments(idOf(request)),
  }));

  app.get('/stats', { schema: schemas.stats }, async () => served.index.stats());
  app.get<{ Querystring: { level: 'quick' | 'full' } }>('/validate', { schema: schemas.validate }, async ({ query }) =>
    served.index.validate({ level: query.level }),
  );
  if (options.mcp) {
    app.post('/mcp', { schema: { hide: true } }, async (request, reply) => {
      const { maxHits, answerTimeout, host, socketPath, allowHost, allowOrigin } = options;
      const server = await createMcpServer(served.index, { maxHits, answerTimeout });
      reply.hijack();
      await answerMcp(server, request.raw, reply.raw, request.body, { host, socketPath, allowHost, allowOrigin });
    });
  }
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

/** Aborts when the client has gone, and with TIMEOUT when the time is over. */
function deadline(reply: FastifyReply, milliseconds: number): AbortSignal {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new SemanticIndexError('TIMEOUT', `The answer took longer than ${milliseconds} ms`)),
    milliseconds,
  );
  reply.raw.once('close', () => {
    clearTimeout(timer);
    if (!reply.raw.writableFinished) controller.abort(new SemanticIndexError('UNAVAILABLE', 'The client has gone'));
  });
  return controller.signal;
}

function parseWhere(text: string): Where {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SemanticIndexError('INVALID_FILTER', '`where` is no JSON', { cause });
  }
}

function idOf({ params, query }: Pick<FastifyRequest<IdRequest>, 'params' | 'query'>): DocumentId {
  return query.type === 'number' ? Number(params.id) : params.id;
}
