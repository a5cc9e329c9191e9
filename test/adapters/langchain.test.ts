import { Document } from '@langchain/core/documents';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { langchainProvider, ProviderEmbeddings, SemanticIndexVectorStore } from '../../src/adapters/langchain.js';
import { bundledProvider, SemanticIndex } from '../../src/index.js';
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
