import type { ResolvedServerOptions } from '../options/server.js';
import { rerankNames } from './http/rerank-request.js';
import { snippetOption, snippetSchema } from './snippet-schemas.js';

// JSON Schemas of requests and answers: what they refuse never reaches the index, and the OpenAPI document is made of them.

const id = {
  description: 'A string or a whole number; 1 and "1" are two ids.',
  anyOf: [
    { type: 'string', minLength: 1, maxLength: 4096 },
    { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
  ],
} as const;

const vector = { type: 'array', items: { type: 'number' }, minItems: 1, maxItems: 65_536 } as const;
const text = { type: 'string', minLength: 1 } as const;
const where = {
  type: 'object',
  description: 'Conditions on the metadata: {"lang":"en","year":{"$gte":2020}}',
  additionalProperties: true,
} as const;
const metadata = { type: 'object', additionalProperties: true } as const;

const textFields = {
  type: 'object',
  description: 'Strings by field, in an index with textFields: {"title":"…","body":"…"}',
  additionalProperties: { type: 'string' },
} as const;

const document = {
  type: 'object',
  required: ['id', 'text', 'metadata'],
  properties: { id, text: { type: 'string' }, textFields, metadata },
} as const;

const number = { type: 'number' } as const;
const integer = { type: 'integer' } as const;

const hit = {
  type: 'object',
  required: ['id', 'score', 'text', 'metadata'],
  properties: {
    ...document.properties,
    score: { type: 'number', description: 'Large is good.' },
    snippet: snippetSchema,
  },
} as const;

const milliseconds = number;

const explanation = {
  type: 'object',
  description: 'How the search was executed; with "explain": true.',
  required: ['exact', 'segments', 'matchingWords', 'milliseconds'],
  properties: {
    exact: { type: 'boolean', description: 'Every allowed vector was compared.' },
    segments: {
      type: 'array',
      items: {
        type: 'object',
        properties: { segment: integer, items: integer, allowed: integer, exact: { type: 'boolean' }, milliseconds },
      },
    },
    matchingWords: integer,
    corrected: {
      type: 'array',
      description: 'Words that no document has, and those that were searched for in their place.',
      items: { type: 'object', properties: { from: { type: 'string' }, to: { type: 'string' } } },
    },
    prefixes: {
      type: 'array',
      items: { type: 'object', properties: { prefix: { type: 'string' }, terms: integer, cut: { type: 'boolean' } } },
    },
    milliseconds: { type: 'object', additionalProperties: number },
  },
} as const;

const facet = {
  type: 'object',
  required: ['counts', 'distinct', 'missing'],
  properties: {
    counts: {
      type: 'array',
      items: { type: 'object', required: ['count'], properties: { count: integer }, additionalProperties: true },
    },
    distinct: integer,
    missing: integer,
  },
} as const;

const facets = {
  type: 'object',
  description: 'Counts of all documents that pass the filter, by field.',
  additionalProperties: facet,
} as const;

const degraded = {
  type: 'object',
  description: 'Why the search was by words alone; with "onProviderFailure": "text".',
  required: ['reason', 'message'],
  properties: { reason: { type: 'string' }, message: { type: 'string' } },
} as const;

const reranked = {
  type: 'object',
  description: 'How many hits the model judged; with "rerank": "model" and a budget.',
  required: ['judged', 'of'],
  properties: { judged: { type: 'integer' }, of: { type: 'integer' } },
} as const;

const phrases = {
  type: 'object',
  description:
    'Texts that were read to look for the phrases of the query, of those that have all words; absent if no other one may have them.',
  required: ['read', 'of'],
  properties: { read: { type: 'integer' }, of: { type: 'integer' } },
} as const;

const searchResult = {
  hits: { type: 'array', items: hit },
  next: { type: 'string', description: 'Cursor of the next page, for "after". Absent on the last page.' },
  groups: {
    type: 'array',
    description: 'The hits by group; with "groupBy".',
    items: {
      type: 'object',
      required: ['hits'],
      properties: { value: {}, hits: { type: 'array', items: hit } },
    },
  },
  facets,
  degraded,
  reranked,
  phrases,
  explanation,
} as const;

const facetFields = {
  description: 'Fields of the metadata: ["source"], or {"date":{"interval":"month"}}',
  anyOf: [
    { type: 'array', items: { type: 'string', minLength: 1, maxLength: 512 }, minItems: 1, maxItems: 100 },
    { type: 'object', additionalProperties: { type: 'object', additionalProperties: true } },
  ],
} as const;

/** A cursor holds the documents already returned, about ten thousand of them: a longer one would cost too much. */
const maxCursorLength = 16_384;

const error = {
  description: 'What went wrong, and what to do.',
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'hint'],
      properties: {
        code: { type: 'string' },
        message: { type: 'string' },
        hint: { type: 'string' },
        details: { type: 'object', additionalProperties: true },
      },
    },
  },
} as const;

const object = { type: 'object', additionalProperties: true } as const;
const failures = { '4xx': error, '5xx': error } as const;

/** What the routes take and give, by the name of the route. */
export function schemasOf({ maxHits, maxQueries, maxDocuments, ...served }: ResolvedServerOptions) {
  const searchOptions = {
    k: { type: 'integer', minimum: 1, maximum: maxHits, default: Math.min(10, maxHits) },
    where,
    minScore: { type: 'number' },
    mode: { type: 'string', enum: ['hybrid', 'vector', 'text'], default: 'hybrid' },
    syntax: { type: 'string', enum: ['plain', 'operators'], default: 'plain' },
    typos: { type: 'boolean', default: true },
    vectorWeight: { type: 'number', minimum: 0, maximum: 1 },
    diversity: { type: 'number', minimum: 0, maximum: 1 },
    snippet: snippetOption,
    rerank: {
      type: 'string',
      enum: rerankNames(served),
      description:
        'Rescore the first 50 hits: by their most similar words, or by the reranking model of the service, if it has one.',
    },
    rerankBudget: {
      type: 'integer',
      minimum: 1,
      maximum: 600_000,
      description: 'Milliseconds that the model may take; hits that it does not reach follow in their order.',
    },
    rerankWeight: { type: 'number', minimum: 0, maximum: 1 },
    consistency: { type: 'string', enum: ['session', 'eventual', 'strong'], default: 'session' },
    onProviderFailure: { type: 'string', enum: ['error', 'text'], default: 'error' },
    embedBudget: { type: 'integer', minimum: 1, maximum: 600_000 },
    exact: { type: 'boolean' },
    searchK: { type: 'integer', minimum: 1, maximum: 10_000_000 },
    boost: {
      type: 'array',
      minItems: 1,
      maxItems: 16,
      description: 'Factors of scores: [{"field":"date","halfLife":"30d"},{"where":{"lang":"en"},"factor":1.5}]',
      items: { type: 'object', additionalProperties: true },
    },
    groupBy: { type: 'string', minLength: 1, maxLength: 512 },
    groupSize: { type: 'integer', minimum: 1, maximum: 1000 },
    facets: facetFields,
    explain: { type: 'boolean' },
  } as const;
  const sort = {
    type: 'string',
    description: 'Order by a field of the metadata; default: oldest first',
    minLength: 1,
    maxLength: 512,
  } as const;
  const after = {
    type: 'string',
    minLength: 1,
    maxLength: maxCursorLength,
    description: 'Cursor: "next" of the previous page. Send the same query and options.',
  } as const;
  const ids = { type: 'array', items: id, minItems: 1, maxItems: maxDocuments } as const;
  return {
    search: {
      operationId: 'search',
      summary: 'Finds documents by a text, a vector, or their likeness to another document',
      body: {
        type: 'object',
        additionalProperties: false,
        properties: { query: text, vector, id, ...searchOptions, after },
        oneOf: [{ required: ['query'] }, { required: ['vector'] }, { required: ['id'] }],
      },
      response: {
        200: { type: 'object', required: ['hits', 'milliseconds'], properties: { ...searchResult, milliseconds } },
        ...failures,
      },
    },
    searchBatch: {
      operationId: 'searchBatch',
      summary: 'Many searches with the same options',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['queries'],
        properties: {
          queries: {
            type: 'array',
            minItems: 1,
            maxItems: maxQueries,
            items: {
              anyOf: [
                text,
                vector,
                { type: 'object', additionalProperties: false, required: ['id'], properties: { id } },
              ],
            },
          },
          ...searchOptions,
        },
      },
      response: {
        200: {
          type: 'object',
          required: ['results', 'milliseconds'],
          properties: {
            results: { type: 'array', items: { type: 'object', required: ['hits'], properties: searchResult } },
            milliseconds,
          },
        },
        ...failures,
      },
    },
    facets: {
      operationId: 'facets',
      summary: 'Counts documents by the values of fields',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['fields'],
        properties: { fields: facetFields, where },
      },
      response: {
        200: { type: 'object', required: ['documents', 'facets'], properties: { documents: integer, facets } },
        ...failures,
      },
    },
    add: {
      operationId: 'addDocuments',
      summary: 'Adds documents, or replaces those whose id is known; they are found from now on',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['documents'],
        properties: {
          documents: {
            type: 'array',
            minItems: 1,
            maxItems: maxDocuments,
            items: {
              anyOf: [
                text,
                {
                  type: 'object',
                  additionalProperties: false,
                  required: ['text'],
                  properties: { id, text: { anyOf: [text, textFields] }, textFields, metadata, vector },
                },
              ],
            },
          },
        },
      },
      response: { 200: object, ...failures },
    },
    list: {
      operationId: 'listDocuments',
      summary: 'A page of the documents, oldest first',
      querystring: {
        type: 'object',
        additionalProperties: false,
        properties: {
          limit: { type: 'integer', minimum: 1, maximum: maxHits, default: Math.min(100, maxHits) },
          after: { type: 'string', description: 'The `next` of the page before' },
          where: { type: 'string', description: 'Conditions, as JSON' },
          sort,
          order: { type: 'string', enum: ['asc', 'desc'], default: 'asc' },
        },
      },
      response: {
        200: {
          type: 'object',
          required: ['documents'],
          properties: { documents: { type: 'array', items: document }, next: { type: 'string' } },
        },
        ...failures,
      },
    },
    suggest: {
      operationId: 'suggest',
      summary: 'Completions of the last word of a text that is being typed',
      querystring: {
        type: 'object',
        additionalProperties: false,
        required: ['text'],
        properties: {
          text: { type: 'string', minLength: 1, maxLength: 1024, description: 'What was typed so far' },
          limit: { type: 'integer', minimum: 1, maximum: Math.min(100, maxHits), default: Math.min(10, maxHits) },
          where: { type: 'string', description: 'Conditions, as JSON' },
        },
      },
      response: {
        200: {
          type: 'object',
          required: ['suggestions'],
          properties: {
            suggestions: {
              type: 'array',
              items: {
                type: 'object',
                properties: { text: { type: 'string' }, word: { type: 'string' }, documents: integer },
              },
            },
          },
        },
        ...failures,
      },
    },
    get: {
      operationId: 'getDocument',
      summary: 'One document',
      params: { type: 'object', properties: { id: { type: 'string', minLength: 1 } } },
      querystring: {
        type: 'object',
        additionalProperties: false,
        properties: { type: { type: 'string', enum: ['string', 'number'], default: 'string' } },
      },
      response: { 200: document, ...failures },
    },
    deleteOne: {
      operationId: 'deleteDocument',
      summary: 'Deletes one document',
      params: { type: 'object', properties: { id: { type: 'string', minLength: 1 } } },
      querystring: {
        type: 'object',
        additionalProperties: false,
        properties: { type: { type: 'string', enum: ['string', 'number'], default: 'string' } },
      },
      response: {
        200: { type: 'object', required: ['deleted'], properties: { deleted: { type: 'integer' } } },
        ...failures,
      },
    },
    delete: {
      operationId: 'deleteDocuments',
      summary: 'Deletes documents by their ids, those that match, or all of them',
      body: {
        type: 'object',
        additionalProperties: false,
        properties: { ids, where, all: { const: true, description: 'Every document of the index' } },
        oneOf: [{ required: ['ids'] }, { required: ['where'] }, { required: ['all'] }],
      },
      response: {
        200: { type: 'object', required: ['deleted'], properties: { deleted: { type: 'integer' } } },
        ...failures,
      },
    },
    stats: { operationId: 'stats', summary: 'Figures of the index', response: { 200: object, ...failures } },
    validate: {
      operationId: 'validate',
      summary: 'Looks for damage',
      querystring: {
        type: 'object',
        additionalProperties: false,
        properties: { level: { type: 'string', enum: ['quick', 'full'], default: 'quick' } },
      },
      response: { 200: object, ...failures },
    },
    health: {
      operationId: 'health',
      summary: 'Whether the index is loaded',
      response: { 200: object, 503: object },
    },
    ready: {
      operationId: 'ready',
      summary: 'Whether requests may be sent here: loaded, and not closing',
      response: { 200: object, 503: object },
    },
  } as const;
}
