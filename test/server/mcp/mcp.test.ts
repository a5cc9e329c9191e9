import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { expect, test } from 'vitest';
import { main, runCli, scratchFolder } from '../../cli/run-cli.js';
import { documents, startServer } from '../start-server.js';

async function connected(transport: Transport): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  return client;
}

async function useTools(client: Client): Promise<void> {
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name).sort()).toEqual(['add', 'facets', 'get', 'list', 'search', 'status']);
  const added = await client.callTool({ name: 'add', arguments: { documents } });
  expect(added).toMatchObject({ structuredContent: { added: 3 } });
  const search = (args: Record<string, unknown>) => client.callTool({ name: 'search', arguments: args });
  const found = await search({ query: 'can I get my money back?', k: 1 });
  expect(found).toMatchObject({ structuredContent: { hits: [{ id: 'returns', metadata: { lang: 'en' } }] } });
  expect(JSON.parse((found.content as { text: string }[])[0]?.text as string).hits).toHaveLength(1);
  expect(await search({ query: 'warehouse', where: { lang: 'de' } })).toMatchObject({
    structuredContent: { hits: [{ id: 7 }] },
  });
  const [plain, reranked] = await Promise.all(
    [{}, { rerank: 'tokens' }].map((rerank) => search({ query: 'can I get my money back?', ...rerank })),
  );
  const scoresOf = (found: unknown) =>
    (found as { structuredContent: { hits: { id: unknown; score: number }[] } }).structuredContent.hits;
  expect(scoresOf(reranked)[0]?.id).toBe('returns');
  expect(scoresOf(reranked)[0]?.score).not.toBe(scoresOf(plain)[0]?.score);
  expect(await search({ query: 'money', rerank: 'model' })).toMatchObject({ isError: true });
  const long = `${'Nothing of interest happens here. '.repeat(200)}\nThe walrus sings.\n${'Nor here. '.repeat(200)}`;
  await client.callTool({ name: 'add', arguments: { documents: [{ id: 'long', text: long }] } });
  const hitOf = (found: unknown) =>
    (found as { structuredContent: { hits: { text: string; lines?: string }[] } }).structuredContent.hits[0];
  const part = hitOf(await search({ query: 'walrus', k: 1 }));
  expect([part?.text.includes('The walrus sings.'), (part?.text.length ?? 0) < 2000, part?.lines]).toEqual([
    true,
    true,
    '1-3',
  ]);
  expect(hitOf(await search({ query: 'walrus', k: 1, full: 'true' }))?.text).toBe(long);
  const read = await client.callTool({ name: 'get', arguments: { id: 'long', lines: 2 } });
  expect(read).toMatchObject({ structuredContent: { source: 'long', lines: '2', text: 'The walrus sings.' } });
  const listed = await client.callTool({ name: 'list', arguments: {} });
  expect(listed).toMatchObject({ structuredContent: { documents: [{ id: 'returns' }, {}, {}, { id: 'long' }] } });
  expect(await client.callTool({ name: 'status', arguments: {} })).toMatchObject({
    structuredContent: { documents: 4, sources: 0, canAdd: true },
  });
  const { contents } = await client.readResource({ uri: 'semantic-index://document/7' });
  expect((contents[0] as { text: string }).text).toMatch(/^Bestellungen verlassen/);
  const refused = await search({ query: 'x', where: { a: { $nope: 1 } } });
  expect(refused).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('INVALID_FILTER') }] });
  expect(await search({ query: 7 })).toMatchObject({ isError: true });
}

test('the official client uses the tools over stdio', { timeout: 240_000 }, async () => {
  const cwd = scratchFolder();
  await runCli(['init', 'idx'], { cwd });
  const transport = (...flags: string[]) =>
    new StdioClientTransport({ command: process.execPath, args: [main, 'mcp', 'idx', ...flags], cwd });
  const client = await connected(transport());
  await useTools(client);
  await client.close();
  const reader = await connected(transport('--readonly', '--description', 'the rules of a shop'));
  const { tools } = await reader.listTools();
  const described = { description: expect.stringContaining('the rules of a shop') };
  expect(tools).toMatchObject(['search', 'get', 'list', 'facets', 'status'].map((name) => ({ name, ...described })));
  await reader.close();
});

test('the official client uses the tools over HTTP, with the token of the service', async () => {
  const service = await startServer({ mcp: true, token: 'secret' });
  await service.server.loaded;
  const url = new URL(`${service.url}/mcp`);
  const requestInit = { headers: { authorization: 'Bearer secret' } };
  const client = await connected(new StreamableHTTPClientTransport(url, { requestInit }) as Transport);
  await useTools(client);
  await client.close();
  await expect(connected(new StreamableHTTPClientTransport(url) as Transport)).rejects.toThrow(/UNAUTHORIZED/);
  // The server opens no stream of its own; the protocol asks for 405 then.
  for (const method of ['GET', 'DELETE']) {
    const refused = await fetch(url, { method, headers: { ...requestInit.headers, accept: 'text/event-stream' } });
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'POST']);
  }
  await service.stop();
});
