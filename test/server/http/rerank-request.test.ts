import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { expect, onTestFinished, test } from 'vitest';
import type { Rerank } from '../../../src/index.js';
import type { ServerOptions } from '../../../src/server/server.js';
import { runCli, scratchFolder } from '../../cli/run-cli.js';
import { overlapEncoder } from '../../embed/transformers/overlap-encoder.js';
import { serve } from '../serve-command.js';
import { documents, startServer } from '../start-server.js';

/** Prefers short texts: no search does. */
const shortest: Rerank = (_, hits) => hits.map(({ text }) => -text.length);

async function started(options: ServerOptions) {
  const service = await startServer(options);
  onTestFinished(service.stop);
  await service.server.loaded;
  expect(await service.ask('POST', '/documents', { documents })).toMatchObject({ status: 200 });
  return service;
}

test('the service reranks by its model, within its budget or that of the request', async () => {
  const service = await started({ reranker: shortest, rerankBudget: 60_000 });
  const asked = { query: 'send the parcel back', rerank: 'model' };
  const best = { hits: [{ id: 'delivery' }, { id: 7 }, { id: 'returns' }] };
  const all = { judged: 3, of: 3 };
  expect((await service.ask('POST', '/search', { query: asked.query })).body.hits[0].id).toBe('returns');
  expect(await service.ask('POST', '/search', asked)).toMatchObject({ status: 200, body: { ...best, reranked: all } });
  const batch = { queries: [asked.query, 'parcel'], rerank: 'model' };
  expect(await service.ask('POST', '/search/batch', batch)).toMatchObject({ body: { results: [best, best] } });
  const slow = await started({
    reranker: async (query, hits, options) => {
      await new Promise((resolve) => setTimeout(resolve, 60 * hits.length));
      return shortest(query, hits, options);
    },
  });
  const within = await slow.ask('POST', '/search', { ...asked, rerankBudget: 50 });
  expect(within).toMatchObject({ status: 200, body: { reranked: { judged: 1, of: 3 } } });
  expect((await slow.ask('POST', '/search', asked)).body).not.toHaveProperty('reranked');
});

test('a service without a model, or a budget without one, is refused', async () => {
  const without = await started({});
  expect(await without.ask('POST', '/search', { query: 'parcel', rerank: 'model' })).toMatchObject({
    status: 400,
    body: { error: { code: 'INVALID_ARGUMENT', message: expect.stringContaining('"tokens"') } },
  });
  for (const rerank of [{}, { rerank: 'tokens' }]) {
    const refused = await without.ask('POST', '/search', { query: 'parcel', rerankBudget: 50, ...rerank });
    expect(refused, JSON.stringify(rerank)).toMatchObject({
      status: 400,
      body: { error: { code: 'INVALID_ARGUMENT', message: expect.stringContaining('rerankBudget') } },
    });
  }
  const namesOf = async ({ ask }: typeof without) =>
    (await ask('GET', '/openapi.json')).body.paths['/search'].post.requestBody.content['application/json'].schema
      .properties.rerank.enum;
  expect(await namesOf(without)).toEqual(['tokens']);
  expect(await namesOf(await started({ reranker: shortest }))).toEqual(['tokens', 'model']);
});

test('the tool search offers the model where there is one', async () => {
  const { url } = await started({ mcp: true, reranker: shortest, rerankBudget: 60_000 });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url)) as Transport);
  const found = await client.callTool({
    name: 'search',
    arguments: { query: 'send the parcel back', rerank: 'model' },
  });
  expect(found).toMatchObject({
    structuredContent: { hits: [{ id: 'delivery' }, { id: 7 }, { id: 'returns' }], reranked: { judged: 3, of: 3 } },
  });
  await client.close();
});

test('serve loads the model that it is given', { timeout: 240_000 }, async () => {
  const cwd = scratchFolder();
  await runCli(['add', 'idx', '-', '--format', 'lines'], { cwd, input: 'the dog\nthe dog sat on the mat\n' });
  const { url, child, ending } = await serve(cwd, '--rerank-model', overlapEncoder(), '--rerank-budget', '60000');
  const answer = await fetch(`${url}/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'the dog', rerank: 'model' }),
  });
  // Pairs of equal words of the query and the text.
  expect(await answer.json()).toMatchObject({
    hits: [{ text: 'the dog sat on the mat', score: 3 }, { score: 2 }],
    reranked: { judged: 2, of: 2 },
  });
  child.kill('SIGTERM');
  expect(await ending).toMatchObject({ code: 0 });
  expect(await runCli(['serve', 'idx', '--rerank-budget', '50'], { cwd })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--rerank-model is missing'),
  });
});
