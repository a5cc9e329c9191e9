import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { SemanticIndex } from '../../../src/index.js';
import { type ServerOptions, serverDefaults } from '../../../src/options/server.js';
import { Gateway } from '../../../src/server/gateway/gateway.js';
import { createServer } from '../../../src/server/server.js';
import { startServer } from '../start-server.js';

/** Sends these lines as the head of a request, and returns the status and the text of the answer. */
function send(port: number, lines: readonly string[], body = '', address = '127.0.0.1') {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const socket = connect(port, address);
    let text = '';
    socket.on('data', (part) => {
      text += part;
    });
    socket.once('error', reject);
    socket.once('close', () => resolve({ status: Number(text.slice(9, 12)), text }));
    const length = body === '' ? [] : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`];
    socket.write([...lines, ...length, 'Connection: close', '', body].join('\r\n'));
  });
}

/** A service over an empty index with MCP, reached directly or through a front. */
async function startBehind(way: 'direct' | 'front', options: ServerOptions = {}) {
  if (way === 'direct') {
    const service = await startServer({ mcp: true, ...options });
    await service.server.loaded;
    return { port: Number(new URL(service.url).port), stop: () => service.stop() };
  }
  const folder = mkdtempSync(join(tmpdir(), 'semantic-index-'));
  const socketPath = join(folder, 'worker');
  const worker = await createServer(() => SemanticIndex.open(':memory:'), {
    mcp: true,
    drainTime: 10,
    ...options,
    socketPath,
  });
  await worker.listen();
  await worker.loaded;
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const front = new Gateway({ ...serverDefaults, port: 0, drainTime: 10, ...given });
  front.workers.add(socketPath);
  const url = await front.listen();
  const stop = async () => {
    await front.close();
    await worker.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { port: Number(new URL(url).port), stop };
}

const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
});

const routes: readonly [string, string, number][] = [
  ['GET /health', '', 200],
  ['GET /ready', '', 200],
  ['POST /search', '{"query":"x"}', 200],
  ['POST /search/batch', '{"queries":["x"]}', 200],
  ['POST /documents', '{"documents":["a text"]}', 200],
  ['GET /documents', '', 200],
  ['DELETE /documents', '{"ids":["x"]}', 200],
  ['GET /documents/x', '', 404],
  ['DELETE /documents/x', '', 200],
  ['GET /stats', '', 200],
  ['GET /validate', '', 200],
  ['GET /metrics', '', 200],
  ['GET /openapi.json', '', 200],
  ['POST /mcp', initialize, 200],
  ['GET /mcp', '', 405],
  ['OPTIONS /search', '', 405],
  ['GET /nowhere', '', 404],
  ['GET /%zz', '', 400],
  ['PROPFIND /documents', '', 405],
];

describe.each(['direct', 'front'] as const)('%s', (way) => {
  let service: Awaited<ReturnType<typeof startBehind>>;
  beforeAll(async () => {
    service = await startBehind(way);
  });
  afterAll(() => service.stop());

  test.each(routes)('%s refuses a foreign Host and a foreign Origin', async (route, body, status) => {
    const { port } = service;
    const own = `Host: 127.0.0.1:${port}`;
    const ask = async (...headers: string[]) => {
      const accept = 'Accept: application/json, text/event-stream';
      return (await send(port, [`${route} HTTP/1.1`, ...headers, accept], body)).status;
    };
    const statuses = {
      none: await ask(own),
      same: await ask(own, `Origin: http://127.0.0.1:${port}`),
      foreignOrigin: await ask(own, 'Origin: http://evil.example'),
      foreignHost: await ask('Host: evil.example'),
      both: await ask('Host: evil.example', 'Origin: http://evil.example'),
    };
    expect(statuses).toEqual({ none: status, same: status, foreignOrigin: 403, foreignHost: 403, both: 403 });
  });

  test.each([
    ['localhost', 200],
    ['LocalHost', 200],
    ['localhost.', 200],
    ['localhost:1', 200],
    ['127.0.0.1', 200],
    ['127.8.9.10:9', 200],
    ['[::1]', 200],
    ['[0:0:0:0:0:0:0:1]:8080', 200],
    ['[::ffff:127.0.0.1]', 200],
    ['', 403],
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['evil.localhost', 403],
    ['127.0.0.1.evil.example', 403],
    ['evil.example:80', 403],
    ['localhost@evil.example', 403],
    ['evil.example@localhost', 403],
    ['localhost#evil.example', 403],
    ['localhost/evil.example', 403],
    ['localhost:80:80', 403],
    ['localhost, evil.example', 403],
    ['10.0.0.1', 403],
    ['[::2]', 403],
    ['[::1%25eth0]', 403],
    ['0.0.0.0', 403],
    ['l\u00f6calhost', 403],
  ])('Host %s', async (host, status) => {
    expect((await send(service.port, ['GET /stats HTTP/1.1', `Host: ${host}`])).status).toBe(status);
  });

  test.each([
    ['http://localhost:3000', 200],
    ['HTTP://LOCALHOST', 200],
    ['https://127.0.0.1', 200],
    ['http://[::1]:6274', 200],
    ['null', 403],
    ['', 403],
    ['http://evil.example', 403],
    ['http://localhost.evil.example', 403],
    ['http://evil.example, http://localhost', 403],
    ['http://localhost@evil.example', 403],
    ['file://', 403],
    ['chrome-extension://localhost', 403],
    ['localhost', 403],
  ])('Origin %s', async (origin, status) => {
    const lines = ['GET /stats HTTP/1.1', 'Host: localhost', `Origin: ${origin}`];
    expect((await send(service.port, lines)).status).toBe(status);
  });

  test('refuses two Host headers, and a request target of another host', async () => {
    const ask = async (...lines: string[]) => (await send(service.port, lines)).status;
    expect(await ask('GET /stats HTTP/1.1', 'Host: localhost', 'Host: evil.example')).toBe(400);
    expect(await ask('GET /stats HTTP/1.1', 'Host: localhost', 'Host: localhost')).toBe(400);
    expect(await ask('GET http://evil.example/stats HTTP/1.1', 'Host: localhost')).toBe(403);
    expect(await ask('GET http://localhost/stats HTTP/1.1', 'Host: evil.example')).toBe(403);
    expect(await ask('GET http://a@evil.example/stats HTTP/1.1', 'Host: localhost')).toBe(403);
    expect(await ask('GET /stats HTTP/1.1')).toBe(400);
  });

  test('answers HTTP/1.0 without a Host, which no browser sends', async () => {
    expect((await send(service.port, ['GET /health HTTP/1.0'])).status).toBe(200);
    expect((await send(service.port, ['GET /health HTTP/1.0', 'Origin: http://evil.example'])).status).toBe(403);
  });

  test('ignores forwarded headers', async () => {
    const forwarded = ['X-Forwarded-Host: localhost', 'Forwarded: host=localhost', 'X-Original-Host: localhost'];
    const lines = ['GET /stats HTTP/1.1', 'Host: evil.example', ...forwarded];
    expect((await send(service.port, lines)).status).toBe(403);
  });

  test('checks requests to upgrade as well', async () => {
    const upgrade = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
    const lines = ['GET /stats HTTP/1.1', 'Host: evil.example', ...upgrade];
    expect((await send(service.port, lines)).status).toBe(403);
  });

  test('answers with a typed error that says what to do', async () => {
    const { text } = await send(service.port, ['GET /stats HTTP/1.1', 'Host: evil.example']);
    const { error } = JSON.parse(text.slice(text.indexOf('\r\n\r\n')));
    expect(error).toMatchObject({ code: 'FORBIDDEN', hint: expect.stringContaining('--allow-host') });
    expect(error.message).toContain('got "evil.example"');
  });

  test('any other name is foreign', async () => {
    const name = fc.domain().filter((domain) => domain.toLowerCase() !== 'localhost');
    await fc.assert(
      fc.asyncProperty(name, fc.boolean(), async (host, asOrigin) => {
        const lines = asOrigin ? ['Host: localhost', `Origin: http://${host}`] : [`Host: ${host}`];
        expect((await send(service.port, ['GET /health HTTP/1.1', ...lines])).status).toBe(403);
      }),
      { numRuns: 40 },
    );
  });

  test('gives the official client 403 for a foreign Origin, and tools without one', async () => {
    const url = new URL(`http://127.0.0.1:${service.port}/mcp`);
    const client = async (headers: Record<string, string>) => {
      const connected = new Client({ name: 'test', version: '1' });
      await connected.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }) as Transport);
      return connected;
    };
    await expect(client({ origin: 'http://evil.example' })).rejects.toMatchObject({ code: 403 });
    const own = await client({ origin: url.origin });
    expect((await own.listTools()).tools.map(({ name }) => name).sort()).toEqual([
      'add',
      'facets',
      'get',
      'list',
      'search',
      'status',
    ]);
    await own.close();
  });
});

describe.each(['direct', 'front'] as const)('%s, with hosts and origins allowed', (way) => {
  let service: Awaited<ReturnType<typeof startBehind>>;
  beforeAll(async () => {
    service = await startBehind(way, {
      token: 'secret',
      allowHost: ['Search.Example.com', '10.0.0.5:8080', '2001:DB8::1'],
      allowOrigin: ['https://app.example.com', 'vscode-webview://abc', 'null'],
    });
  });
  afterAll(() => service.stop());
  const ask = async (...headers: string[]) =>
    (await send(service.port, ['GET /stats HTTP/1.1', ...headers, 'Authorization: Bearer secret'])).status;

  test('allows the hosts that are named, and their own origins', async () => {
    for (const host of ['search.example.com', 'search.example.com.:443', '10.0.0.5:8080', '[2001:db8:0::1]:9']) {
      expect([host, await ask(`Host: ${host}`)]).toEqual([host, 200]);
    }
    for (const host of ['a.search.example.com', 'example.com', '10.0.0.5', '10.0.0.5:80', '[2001:db8::2]']) {
      expect([host, await ask(`Host: ${host}`)]).toEqual([host, 403]);
    }
    const host = 'Host: search.example.com';
    expect(await ask(host, 'Origin: https://search.example.com')).toBe(200);
    expect(await ask(host, 'Origin: https://search.example.com:444')).toBe(403);
    expect(await ask(host, 'Origin: https://evil.example')).toBe(403);
  });

  test('allows the origins that are named, with CORS headers', async () => {
    for (const origin of ['https://app.example.com', 'https://APP.example.com:443', 'vscode-webview://abc', 'null']) {
      expect([origin, await ask('Host: localhost', `Origin: ${origin}`)]).toEqual([origin, 200]);
    }
    for (const origin of ['http://app.example.com', 'https://app.example.com:8443', 'vscode-webview://abd']) {
      expect([origin, await ask('Host: localhost', `Origin: ${origin}`)]).toEqual([origin, 403]);
    }
    const preflight = await send(service.port, [
      'OPTIONS /search HTTP/1.1',
      'Host: localhost',
      'Origin: https://app.example.com',
      'Access-Control-Request-Method: POST',
    ]);
    expect(preflight.status).toBe(204);
    expect(preflight.text).toMatch(/access-control-allow-origin: https:\/\/app\.example\.com\r\n/i);
    const lines = ['Host: localhost', 'Origin: https://app.example.com', 'Authorization: Bearer secret'];
    const mcp = ['POST /mcp HTTP/1.1', ...lines, 'Accept: application/json, text/event-stream'];
    const answer = await send(service.port, mcp, initialize);
    expect(answer.status).toBe(200);
    expect(answer.text).toMatch(/access-control-allow-origin: https:\/\/app\.example\.com\r\n/i);
    expect((await send(service.port, ['GET /stats HTTP/1.1', 'Host: localhost'])).text).not.toMatch(/access-control/i);
  });
});

test('a service that listens on all addresses has the address that it is reached at', async () => {
  const service = await startServer({ host: '::' });
  onTestFinished(() => service.stop());
  await service.server.loaded;
  const port = Number(new URL(service.url).port);
  const status = async (host: string) => (await send(port, ['GET /stats HTTP/1.1', `Host: ${host}`])).status;
  expect(await status(`127.0.0.1:${port}`)).toBe(200);
  expect(await status(`[::]:${port}`)).toBe(200);
  expect(await status(`192.0.2.7:${port}`)).toBe(403);
});

test('* allows any host and any origin', async () => {
  const service = await startServer({ allowHost: '*', allowOrigin: '*' });
  onTestFinished(() => service.stop());
  await service.server.loaded;
  const port = Number(new URL(service.url).port);
  const lines = ['GET /stats HTTP/1.1', 'Host: evil.example', 'Origin: http://other.example'];
  expect((await send(port, lines)).status).toBe(200);
});

test.each([
  { allowHost: 'http://search.example.com' },
  { allowHost: ['*.example.com'] },
  { allowHost: 7 },
  { allowOrigin: 'app.example.com' },
  { allowOrigin: 'https://app.example.com/path' },
])('refuses %o', async (options) => {
  const open = () => SemanticIndex.open(':memory:');
  await expect(createServer(open, options as ServerOptions)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
