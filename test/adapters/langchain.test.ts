import { Document } from '@langchain/core/documents';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  langchainProvider,
  ProviderEmbeddings,
  SemanticIndexVectorStore,
  type StoreSearchOptions,
} from '../../src/adapters/langchain.js';
import { bundledProvider, SemanticIndex, SemanticIndexError } from '../../src/index.js';
import { deterministicProvider, testProvider } from '../../src/testing.js';
import { scratchFolder } from '../cli/run-cli.js';

const documents = [
  new Document({ id: 'returns', pageContent: 'Send the parcel back within 30 days.', metadata: { lang: 'en' } }),
  new Document({ id: 'refund', pageContent: 'We refund the price of a parcel sent back.', metadata: { lang: 'en' } }),
  new Document({ id: 'lager', pageContent: 'Orders leave our warehouse in the morning.', metadata: { lang: 'de' } }),
];

let index: SemanticIndex;
let store: SemanticIndexVectorStore;
beforeAll(async () => {
  index = await SemanticIndex.open(':memory:');
  store = await SemanticIndexVectorStore.fromDocuments(documents, new ProviderEmbeddings(bundledProvider()), { index });
});
afterAll(() => index.close());

test('a vector store is searched as LangChain does it', async () => {
  expect(store._vectorstoreType()).toBe('semantic-index');
  const [first] = await store.similaritySearch('early from the store house', 1);
  expect(first).toMatchObject({ id: 'lager', pageContent: documents[2]?.pageContent, metadata: { lang: 'de' } });
  const scored = await store.similaritySearchWithScore('parcel', 2, { lang: 'en' });
  expect(scored.map(([{ id }]) => id).sort()).toEqual(['refund', 'returns']);
  expect(scored[0]?.[1]).toBeGreaterThanOrEqual(scored[1]?.[1] as number);
  const vector = await store.embeddings.embedQuery('parcel');
  const byVector = await store.similaritySearchVectorWithScore(vector, 2, { lang: 'en' });
  expect(byVector.map(([{ id }, score]) => [id, score.toFixed(4)])).toEqual(
    scored.map(([{ id }, score]) => [id, score.toFixed(4)]),
  );
  const diverse = await store.maxMarginalRelevanceSearch('parcel sent back', { k: 2, lambda: 0 });
  expect(diverse).toHaveLength(2);
});

test('its retriever goes into a chain', async () => {
  const retriever = store.asRetriever({ k: 1, filter: { lang: 'en' } });
  const found = await retriever.pipe((hits: Document[]) => hits.map(({ id }) => id)).invoke('money back');
  expect(found).toEqual(['refund']);
});

test('documents are added, replaced and deleted', async () => {
  await using own = await SemanticIndex.open(':memory:');
  const embeddings = new ProviderEmbeddings(bundledProvider());
  const texts = await SemanticIndexVectorStore.fromTexts(['one', 'two'], [{ n: 1 }, { n: 2 }], embeddings, {
    index: own,
  });
  expect(await own.count()).toBe(2);
  const [id] = await texts.addDocuments([new Document({ pageContent: 'three' })]);
  await texts.addDocuments([new Document({ pageContent: 'three, again' })], { ids: [id as string] });
  expect((await own.getDocument(id as string))?.text).toBe('three, again');
  await texts.addVectors([await embeddings.embedQuery('four')], [new Document({ pageContent: 'x', id: 'v' })]);
  await texts.delete({ ids: ['v'] });
  await texts.delete({ filter: { n: { $lt: 2 } } });
  expect(await own.count()).toBe(2);
});

test("LangChain's embeddings make an index, which refuses others", async () => {
  const folder = scratchFolder();
  const embeddings = new ProviderEmbeddings(deterministicProvider({ dimensions: 16 }));
  const foreign = { id: 'langchain?model=deterministic', dimensions: 16 };
  const opened = await SemanticIndexVectorStore.open(folder, embeddings, foreign);
  await opened.addDocuments(documents);
  const [first] = await opened.similaritySearch(documents[0]?.pageContent as string, 1);
  expect(first?.id).toBe('returns');
  await opened.index.close();
  await expect(SemanticIndexVectorStore.open(folder, embeddings, { id: 'another' })).rejects.toMatchObject({
    code: 'SPACE_MISMATCH',
  });
});

test('both ways keep the contract of providers', async () => {
  const there = new ProviderEmbeddings(bundledProvider());
  await testProvider(langchainProvider(there, { id: 'there and back', dimensions: 384 }));
  const [vector] = await there.embedDocuments(['a text']);
  expect(vector).toHaveLength(384);
});

const errorOf = (work: () => Promise<unknown>): Promise<SemanticIndexError> =>
  Promise.resolve()
    .then(work)
    .then(
      () => Promise.reject(new Error('nothing was refused')),
      (error: unknown) => (SemanticIndexError.is(error) ? error : Promise.reject(error as Error)),
    );
const inMemory = (): Promise<SemanticIndexVectorStore> =>
  SemanticIndexVectorStore.fromTexts([], [], new ProviderEmbeddings(bundledProvider()));

test('a numeric id of the index is named by the string that the store returns', async () => {
  const numbered = await inMemory();
  await numbered.index.addDocuments([
    { id: 1, text: 'one' },
    { id: 7, text: 'seven' },
    { id: '7', text: 'seven, as a string' },
    { id: '01', text: 'not an integer' },
  ]);
  const [hit] = await numbered.similaritySearch('one', 1);
  expect(hit?.id).toBe('1');
  expect(await numbered.addDocuments([new Document({ id: hit?.id as string, pageContent: 'one, again' })])).toEqual([
    '1',
  ]);
  expect((await numbered.index.getDocument(1))?.text).toBe('one, again');
  await numbered.delete({ ids: ['1', '7', '01'] });
  // "7" is an id of its own, so the number stays.
  expect((await numbered.index.getDocuments([1, 7, '7', '01'])).map((document) => document?.id)).toEqual([
    undefined,
    7,
    undefined,
    undefined,
  ]);
});

test('calls that would add or delete something else than meant are refused', async () => {
  const refusing = await inMemory();
  const page = new Document({ pageContent: 'page' });
  const vector = Array.from({ length: 384 }, (_, column) => column + 1);
  const refused: [() => Promise<unknown>, string][] = [
    [() => refusing.addVectors([vector], [page, page]), 'INVALID_ARGUMENT'],
    [() => refusing.addVectors([vector, vector], [page]), 'INVALID_ARGUMENT'],
    [() => refusing.addDocuments([page], { ids: ['a', 'b'] }), 'INVALID_ARGUMENT'],
    [() => refusing.delete(['a'] as never), 'INVALID_ARGUMENT'],
    [() => refusing.delete({}), 'INVALID_ARGUMENT'],
    [() => refusing.delete(undefined as never), 'INVALID_ARGUMENT'],
    [() => refusing.delete({ deleteAll: true } as never), 'UNKNOWN_OPTION'],
    [async () => new SemanticIndexVectorStore(refusing.embeddings, undefined as never), 'INVALID_ARGUMENT'],
    [() => SemanticIndexVectorStore.fromTexts(['a', 'b'], [{}], refusing.embeddings), 'INVALID_ARGUMENT'],
  ];
  for (const [work, code] of refused) expect((await errorOf(work)).code).toBe(code);
  expect(await refusing.index.count()).toBe(0);
});

test('embeddings of another model than that of the index are refused before anything is added', async () => {
  const index = await SemanticIndex.open(':memory:');
  const other = {
    embedDocuments: async (texts: string[]) => texts.map(() => [1, 0, 0]),
    embedQuery: async () => [1, 0, 0],
  };
  const mixed = new SemanticIndexVectorStore(other, { index });
  const error = await errorOf(() => mixed.addDocuments([new Document({ pageContent: 'text' })]));
  expect(error).toMatchObject({ code: 'DIMENSION_MISMATCH', details: { expected: 384, actual: 3 } });
  expect(await index.count()).toBe(0);
  await index.close();
});

test('what loaders return is stored: dates, class instances and blank pages', async () => {
  const loaded = await inMemory();
  class Info {
    title = 'A';
  }
  const ids = await loaded.addDocuments([
    new Document({ id: 'page', pageContent: 'page one', metadata: { at: new Date(0), pdf: new Info() } }),
    new Document({ id: 'blank', pageContent: ' \n' }),
  ]);
  expect(ids).toEqual(['page']);
  const [document] = await loaded.similaritySearch('page', 1);
  expect(document?.metadata).toEqual({ at: '1970-01-01T00:00:00.000Z', pdf: { title: 'A' } });
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const error = await errorOf(() => loaded.addDocuments([new Document({ pageContent: 'x', metadata: circle })]));
  expect(error.code).toBe('INVALID_METADATA');
});

test('searches take every option of the engine', async () => {
  await using index = await SemanticIndex.open(':memory:', { provider: deterministicProvider() });
  await index.addDocuments([
    { id: 'a', text: 'apples and pears', metadata: { kind: 'fruit', year: 1 } },
    { id: 'b', text: 'apples and plums', metadata: { kind: 'fruit', year: 9 } },
    { id: 'c', text: 'apples and bicycles', metadata: { kind: 'other', year: 1 } },
  ]);
  const embeddings = new ProviderEmbeddings(deterministicProvider());
  const ids = async (search: StoreSearchOptions, query = 'apples and pears') => {
    const store = new SemanticIndexVectorStore(embeddings, { index, mode: 'hybrid', search });
    return (await store.similaritySearch(query, 3)).map(({ id }) => id);
  };
  expect(await ids({ groupBy: 'kind' })).toHaveLength(2);
  expect((await ids({ boost: [{ where: { year: 9 }, factor: 9 }] }))[0]).toBe('b');
  expect((await ids({ rerank: (_, hits) => hits.map(({ id }) => (id === 'c' ? 1 : 0)) }))[0]).toBe('c');
  expect(await ids({ syntax: 'operators' }, '"apples and plums"')).toEqual(['b']);
  const store = new SemanticIndexVectorStore(embeddings, { index, search: { groupBy: 'kind', rerank: 'tokens' } });
  const vector = await embeddings.embedQuery('apples');
  expect(await store.similaritySearchVectorWithScore(vector, 3)).toHaveLength(2);
});
