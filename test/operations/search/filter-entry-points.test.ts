import type { MetadataFilters } from '@llamaindex/core/vector-store';
import { VectorStoreQueryMode } from '@llamaindex/core/vector-store';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { searchTool } from '../../../src/adapters/ai.js';
import { SemanticIndexVectorStore as LangChainStore, ProviderEmbeddings } from '../../../src/adapters/langchain.js';
import { SemanticIndexVectorStore as LlamaIndexStore, ProviderEmbedding } from '../../../src/adapters/llamaindex.js';
import { deterministicProvider } from '../../../src/embed/testing/deterministic-provider.js';
import { adviseThreshold, findDuplicates, Retriever, SemanticIndex } from '../../../src/index.js';

const provider = deterministicProvider();
const documents = [
  { id: 1, text: 'red kite', metadata: { tenant: 'a' } },
  { id: 2, text: 'blue kite', metadata: { tenant: 'b' } },
];
let index: SemanticIndex;
beforeAll(async () => {
  index = await SemanticIndex.open(':memory:', { provider });
});
beforeEach(() => index.addDocuments(documents));
afterAll(() => index.close());

const langchain = () => new LangChainStore(new ProviderEmbeddings(provider), { index });
const llamaindex = () => new LlamaIndexStore(index, { embedModel: new ProviderEmbedding(provider) });
const ask = (where: never) =>
  searchTool(index, { where }).execute?.({ query: 'kite' }, { toolCallId: '1', messages: [] });

/** Every way of a filter into an index. */
const doors: Record<string, (where: never) => unknown> = {
  search: (where) => index.search('kite', { where }).then(({ hits }) => hits),
  'search in text mode': (where) => index.search('kite', { where, mode: 'text' }).then(({ hits }) => hits),
  searchMany: (where) => index.searchMany(['kite'], { where }).then((results) => results.map(({ hits }) => hits)),
  'searchMany without queries': (where) =>
    index.searchMany([], { where }).then((results) => results.map(({ hits }) => hits)),
  searchPage: (where) => index.search('kite', { where }),
  explain: (where) => index.search('kite', { where, explain: true }),
  count: (where) => index.count({ where }),
  listDocuments: (where) => index.listDocuments({ where }),
  deleteDocuments: (where) => index.deleteDocuments({ where }),
  'a retriever': (where) => new Retriever(index, { where }).retrieve('kite'),
  'a retrieval': (where) => new Retriever(index).retrieve('kite', { where }),
  findDuplicates: (where) => findDuplicates(index, { where }),
  adviseThreshold: (where) => adviseThreshold(index, { where }),
  'similaritySearch of LangChain': (where) => langchain().similaritySearch('kite', 2, where),
  'similaritySearchVectorWithScore of LangChain': async (where) =>
    langchain().similaritySearchVectorWithScore(await langchain().embeddings.embedQuery('kite'), 2, where),
  'maxMarginalRelevanceSearch of LangChain': (where) =>
    langchain().maxMarginalRelevanceSearch('kite', { k: 2, filter: where }),
  'delete of LangChain': (where) => langchain().delete({ filter: where }),
  'searchTool of the AI SDK': ask,
};

const invalid: [name: string, where: unknown][] = [
  ['undefined', { tenant: undefined }],
  ['undefined in $or', { $or: [{ tenant: undefined }, { tenant: 'zzz' }] }],
  ['a Map', new Map([['tenant', 'zzz']])],
  ['a promise', Promise.resolve({ tenant: 'zzz' })],
  ['null', null],
];

describe.each(Object.entries(doors))('%s', (_, door) => {
  it.each(invalid)('refuses a filter that holds or is %s', async (_name, where) => {
    await expect((async () => door(where as never))()).rejects.toMatchObject({ code: 'INVALID_FILTER' });
    expect(await index.count()).toBe(2);
  });

  it('takes a filter that is valid', async () => {
    await (async () => door({ tenant: { $in: ['zzz'] } } as never))();
    expect(await index.count()).toBe(2);
  });
});

it.each(['==', '!=', 'in', 'nin', 'any', 'all', '>', 'contains', 'text_match'])(
  'refuses a filter %s of LlamaIndex whose value is undefined',
  async (operator) => {
    const filters = { filters: [{ key: 'tenant', operator }] } as MetadataFilters;
    const query = { queryStr: 'kite', similarityTopK: 2, mode: VectorStoreQueryMode.HYBRID };
    await expect(llamaindex().query({ ...query, filters })).rejects.toMatchObject({ code: 'INVALID_FILTER' });
    await expect(llamaindex().delete(undefined as never)).rejects.toMatchObject({ code: 'INVALID_FILTER' });
    expect(await index.count()).toBe(2);
  },
);

describe('deleteDocuments', () => {
  it.each<[unknown, string]>([
    [{ where: {} }, 'INVALID_FILTER'],
    [{ where: { $and: [] } }, 'INVALID_FILTER'],
    [{ where: { $and: [{}, {}] } }, 'INVALID_FILTER'],
    [{ where: { tenant: { $nin: [] } } }, 'INVALID_FILTER'],
    [{ where: { $not: { $or: [] } } }, 'INVALID_FILTER'],
    [{ where: undefined }, 'INVALID_ARGUMENT'],
    [{}, 'INVALID_ARGUMENT'],
    [{ all: false }, 'INVALID_ARGUMENT'],
    [{ all: 'yes' }, 'INVALID_ARGUMENT'],
    [{ all: true, where: { tenant: 'a' } }, 'INVALID_ARGUMENT'],
    [{ all: true, where: undefined }, 'INVALID_ARGUMENT'],
    [{ filter: { tenant: 'a' } }, 'UNKNOWN_OPTION'],
    [undefined, 'INVALID_ID'],
    [new Set([1]), 'INVALID_ARGUMENT'],
    [Promise.resolve([1]), 'INVALID_ARGUMENT'],
  ])('refuses %j', async (selection, code) => {
    await expect(index.deleteDocuments(selection as never)).rejects.toMatchObject({ code });
    expect(await index.count()).toBe(2);
  });

  it('deletes all documents with `all: true`', async () => {
    expect(await index.deleteDocuments({ all: true })).toBe(2);
    expect(await index.count()).toBe(0);
  });
});
