// Examples of docs/api/integrations.md and docs/api/frameworks.md. scripts/api-pages.mjs copies each part into the page; a test compares the output.
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Document } from '@langchain/core/documents';
import { TextNode } from '@llamaindex/core/schema';
import { VectorStoreQueryMode } from '@llamaindex/core/vector-store';
import { embed, type RerankingModel } from 'ai';
import { bundledProvider, SemanticIndex } from 'semantic-index';
import { aiEmbeddingModel, aiProvider, aiReranker, searchTool } from 'semantic-index/ai';
import * as langchain from 'semantic-index/langchain';
import * as llamaindex from 'semantic-index/llamaindex';
import { answerMcp, createMcpServer, serveMcpOverStdio } from 'semantic-index/mcp';
import { createServer } from 'semantic-index/server';

const text = 'We refund the price within 30 days.';

//# createServer
const server = await createServer(() => SemanticIndex.open('served'), { port: 0, token: 'secret' });
//# SearchServer.listen
const url = await server.listen();
await server.loaded;
const headers = { authorization: 'Bearer secret' };
console.log((await fetch(`${url}/stats`, { headers })).status, (await fetch(`${url}/stats`)).status); // => 200 401
//# SearchServer.close
await server.close();
//#
await using index = await SemanticIndex.open('rules');
await index.addDocuments([{ id: 'refunds', text }]);
//# createMcpServer
const mcp = await createMcpServer(index, { readonly: true, description: 'the rules of our shop' });
//# answerMcp
const http = createHttpServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  await answerMcp(mcp, request, response, JSON.parse(body));
}).listen(0, '127.0.0.1');
//#
await new Promise((resolve) => http.once('listening', resolve));
const reply = await fetch(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
  body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
});
console.log(reply.status); // => 200
await reply.text();
http.close();
//# serveMcpOverStdio
// In a program that a chat client starts; resolves when the client disconnects.
const stop = AbortSignal.abort();
await serveMcpOverStdio(mcp, stop, { maxMessageBytes: 1024 * 1024 });
//#
process.stdin.destroy();
//# langchainProvider
const embeddings = new langchain.ProviderEmbeddings(bundledProvider());
const provider = langchain.langchainProvider(embeddings, { id: 'my-model', dimensions: 384 });
console.log(provider.id); // => my-model
//# new ProviderEmbeddings, ProviderEmbeddings.embedDocuments
const local = new langchain.ProviderEmbeddings(bundledProvider());
console.log((await local.embedDocuments(['one', 'two'])).length); // => 2
//# ProviderEmbeddings.embedQuery
console.log((await local.embedQuery('can I get my money back?')).length); // => 384
//# langchain new SemanticIndexVectorStore
const store = new langchain.SemanticIndexVectorStore(local, { index });
//# langchain SemanticIndexVectorStore.addDocuments
const ids = await store.addDocuments([new Document({ id: 'hours', pageContent: 'Shops open at nine.' })]);
console.log(ids); // => [ 'hours' ]
//# langchain SemanticIndexVectorStore.addVectors
const [vector] = await local.embedDocuments(['Orders leave in the morning.']);
await store.addVectors(
  [vector as number[]],
  [new Document({ id: 'orders', pageContent: 'Orders leave in the morning.' })],
);
console.log(await index.count()); // => 3
//# langchain SemanticIndexVectorStore.similaritySearch
const [found] = await store.similaritySearch('when do you open?', 1);
console.log(found?.id); // => hours
//# langchain SemanticIndexVectorStore.similaritySearchWithScore
const [scored] = await store.similaritySearchWithScore('when do you open?', 1);
console.log(scored?.[0].id, (scored?.[1] ?? 0) > 0); // => hours true
//# langchain SemanticIndexVectorStore.similaritySearchVectorWithScore
const queryVector = await local.embedQuery('when do you open?');
const [byVector] = await store.similaritySearchVectorWithScore(queryVector, 1);
console.log(byVector?.[0].id); // => hours
//# langchain SemanticIndexVectorStore.maxMarginalRelevanceSearch
const diverse = await store.maxMarginalRelevanceSearch('shop rules', { k: 2, lambda: 0.5 });
console.log(diverse.length); // => 2
//# langchain SemanticIndexVectorStore.delete
await store.delete({ ids: ['orders'] });
console.log(await index.count()); // => 2
//# langchain SemanticIndexVectorStore.fromTexts
const memory = await langchain.SemanticIndexVectorStore.fromTexts(['one text', 'another text'], [{}, {}], local);
console.log(await memory.index.count()); // => 2
await memory.index.close();
//# langchain SemanticIndexVectorStore.fromDocuments
const pages = [new Document({ pageContent: 'a page' })];
const ofPages = await langchain.SemanticIndexVectorStore.fromDocuments(pages, local);
console.log(await ofPages.index.count()); // => 1
await ofPages.index.close();
//# langchain SemanticIndexVectorStore.open
const opened = await langchain.SemanticIndexVectorStore.open('langchain-index', local, { id: 'my-model' });
await opened.index.close();
//# llamaindexProvider
const embedModel = new llamaindex.ProviderEmbedding(bundledProvider());
console.log(llamaindex.llamaindexProvider(embedModel, { id: 'my-model' }).id); // => my-model
//# new ProviderEmbedding, ProviderEmbedding.getTextEmbedding
const model = new llamaindex.ProviderEmbedding(bundledProvider());
console.log((await model.getTextEmbedding('a text')).length); // => 384
//# ProviderEmbedding.getQueryEmbedding
console.log((await model.getQueryEmbedding({ type: 'text', text: 'a query' }))?.length); // => 384
//#
await using nodes = await SemanticIndex.open(':memory:');
//# llamaindex new SemanticIndexVectorStore
const nodeStore = new llamaindex.SemanticIndexVectorStore(nodes, { embedModel: model });
//# llamaindex SemanticIndexVectorStore.add
const added = await nodeStore.add(await model([new TextNode({ id_: 'hours', text: 'Shops open at nine.' })]));
console.log(added); // => [ 'hours' ]
//# llamaindex SemanticIndexVectorStore.query
const queryEmbedding = await model.getTextEmbedding('when do you open?');
const { ids: nearest } = await nodeStore.query({
  queryEmbedding,
  similarityTopK: 1,
  mode: VectorStoreQueryMode.DEFAULT,
});
console.log(nearest); // => [ 'hours' ]
//# llamaindex SemanticIndexVectorStore.client
console.log(nodeStore.client() === nodes); // => true
//# llamaindex SemanticIndexVectorStore.delete
await nodeStore.delete('a-document');
//# aiEmbeddingModel
const sdkModel = aiEmbeddingModel(bundledProvider());
const { embedding } = await embed({ model: sdkModel, value: 'a text' });
console.log(embedding.length); // => 384
//# aiProvider
const fromSdk = aiProvider(sdkModel, { id: 'my-model' });
console.log(fromSdk.id); // => my-model
//# aiReranker
const shortest: Exclude<RerankingModel, string> = {
  specificationVersion: 'v3',
  provider: 'example',
  modelId: 'shortest-text-first',
  doRerank: async ({ documents }) => ({
    ranking: documents.values.map((value, index) => ({ index, relevanceScore: 1 / String(value).length })),
  }),
};
const { hits } = await index.search('shop rules', { rerank: aiReranker(shortest), k: 1 });
console.log(hits[0]?.id); // => hours
//# searchTool
const tools = { search: searchTool(index, { description: 'The rules of our shop', k: 3 }) };
console.log(Object.keys(tools)); // => [ 'search' ]
