import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  type DocumentId,
  type DocumentInput,
  type FacetFields,
  type Query,
  type SearchOptions,
  type SemanticIndex,
  SemanticIndexError,
  type Where,
} from '../index.js';
import { mcpDefaults } from '../options/mcp.js';
import type { ResolvedServerOptions } from '../options/server.js';
import { deadlineIn, untilAborted } from './http/deadline.js';
import { jsonInSlices } from './http/json-answer.js';
import { type RerankRequest, rerankOptions } from './http/rerank-request.js';
import { answerMcp, createMcpServer } from './mcp/mcp.js';
import { schemasOf } from './schemas.js';
import type { ServedIndex } from './served-index.js';

type ServedSearchOptions = Omit<SearchOptions, 'rerank'> & RerankRequest;
type SearchBody = ServedSearchOptions & { query?: string; vector?: number[]; id?: DocumentId };
type BatchBody = ServedSearchOptions & { queries: Query[] };
type IdRequest = { Params: { id: string }; Querystring: { type: 'string' | 'number' } };

/** Bytes of a message to /mcp: its arguments are checked in one go. */
const maxMessageBytes = 1024 * 1024;

/** All routes but /metrics. */
export function addRoutes(app: FastifyInstance, served: ServedIndex, options: ResolvedServerOptions): void {
  const schemas = schemasOf(options);
  /**
   * Does what a route is asked for; what takes longer than the time limit, or has no client any more, is aborted and
   * not waited for.
   */
  const inTime = <T>(
    reply: FastifyReply,
    work: (index: SemanticIndex, signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const { index } = served;
    return untilAborted(signalOf(reply, options.answerTimeout), (signal) => work(index, signal));
  };
  /** The same for answers with a list, which may be long. */
  const sendList = async (
    reply: FastifyReply,
    work: (index: SemanticIndex, signal: AbortSignal) => Promise<unknown>,
  ): Promise<FastifyReply> => {
    const json = await inTime(reply, async (index, signal) => jsonInSlices(await work(index, signal), signal));
    return reply.type('application/json; charset=utf-8').send(json);
  };
  const maxBytes = options.maxAnswerBytes;

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
    const { query, vector, id, rerank, rerankBudget, ...rest } = body;
    const searchOptions = { ...rest, ...rerankOptions({ rerank, rerankBudget }, options) };
    const asked = query ?? (vector === undefined ? { id: id as DocumentId } : vector);
    const began = performance.now();
    return sendList(reply, async (index, signal) => {
      const result = await index.search(asked, { ...searchOptions, maxBytes, signal });
      return { ...result, milliseconds: performance.now() - began };
    });
  });
  app.post<{ Body: BatchBody }>('/search/batch', { schema: schemas.searchBatch }, async ({ body }, reply) => {
    const { queries, rerank, rerankBudget, ...rest } = body;
    const searchOptions = { ...rest, ...rerankOptions({ rerank, rerankBudget }, options) };
    const began = performance.now();
    return sendList(reply, async (index, signal) => {
      const results = await index.searchMany(queries, { ...searchOptions, maxBytes, signal });
      return { results, milliseconds: performance.now() - began };
    });
  });

  app.get<{ Querystring: { text: string; limit: number; where?: string } }>(
    '/suggest',
    { schema: schemas.suggest },
    async ({ query: { text, limit, where } }, reply) =>
      inTime(reply, async (index, signal) => {
        const filter = where === undefined ? undefined : parseWhere(where);
        return { suggestions: await index.suggest(text, { limit, where: filter, signal }) };
      }),
  );

  app.post<{ Body: { documents: (string | DocumentInput)[] } }>(
    '/documents',
    { schema: schemas.add },
    async ({ body }, reply) => inTime(reply, (index, signal) => index.addDocuments(body.documents, { signal })),
  );
  app.post<{ Body: { fields: FacetFields; where?: Where } }>(
    '/facets',
    { schema: schemas.facets },
    async ({ body }, reply) => inTime(reply, (index, signal) => index.facets({ ...body, signal })),
  );
  app.get<{ Querystring: { limit: number; after?: string; where?: string; sort?: string; order: 'asc' | 'desc' } }>(
    '/documents',
    { schema: schemas.list },
    async ({ query }, reply) => {
      const { limit, after, where: text, sort: field, order } = query;
      const sort = field === undefined ? undefined : { field, order };
      const where = text === undefined ? undefined : parseWhere(text);
      return sendList(reply, (index, signal) => index.listDocuments({ limit, after, where, sort, maxBytes, signal }));
    },
  );
  app.delete<{ Body: { ids?: DocumentId[]; where?: Where; all?: true } }>(
    '/documents',
    { schema: schemas.delete },
    async ({ body: { ids, where, all } }, reply) => ({
      deleted: await inTime(reply, (index, signal) =>
        index.deleteDocuments(ids ?? (all ? { all } : { where: where as Where }), { signal }),
      ),
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

  app.get('/stats', { schema: schemas.stats }, async (_, reply) => inTime(reply, (index) => index.stats()));
  app.get<{ Querystring: { level: 'quick' | 'full' } }>(
    '/validate',
    { schema: schemas.validate },
    async ({ query }, reply) => inTime(reply, (index, signal) => index.validate({ level: query.level, signal })),
  );
  if (options.mcp) {
    const bodyLimit = Math.min(options.bodyLimit, maxMessageBytes);
    app.post('/mcp', { schema: { hide: true }, bodyLimit }, async (request, reply) => {
      const { reranker, rerankBudget } = options;
      const { maxHits, answerTimeout, readonly, description, host, socketPath, allowHost, allowOrigin } = options;
      const server = await createMcpServer(served.index, {
        maxHits: Math.min(maxHits, mcpDefaults.maxHits),
        answerTimeout,
        readonly,
        description,
        reranker,
        rerankBudget,
      });
      reply.hijack();
      await answerMcp(server, request.raw, reply.raw, request.body, { host, socketPath, allowHost, allowOrigin });
    });
  }
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

/** Aborts when the client has gone, and with TIMEOUT when the time is over. */
function signalOf(reply: FastifyReply, milliseconds: number): AbortSignal {
  const { signal, clear, abort } = deadlineIn(milliseconds);
  reply.raw.once('close', () => {
    clear();
    if (!reply.raw.writableFinished) abort(new SemanticIndexError('UNAVAILABLE', 'The client has gone'));
  });
  return signal;
}

function parseWhere(text: string): Where {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SemanticIndexError('INVALID_FILTER', '`where` is not JSON', { cause });
  }
}

function idOf({ params, query }: Pick<FastifyRequest<IdRequest>, 'params' | 'query'>): DocumentId {
  return query.type === 'number' ? Number(params.id) : params.id;
}
