// Workers that fail in ways that a real one does only now and then: doubles that cut, stall or refuse at a chosen byte.
import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { serverDefaults } from '../../../src/options/server.js';
import { Gateway } from '../../../src/server/gateway/gateway.js';
import { gatewaySockets } from '../../../src/server/gateway/gateway-sockets.js';

const whole = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

type Behaviour = (socket: Socket, request: string) => void;

const answers: Behaviour = (socket) => void socket.write(whole);
const cuts: Behaviour = (socket) => void socket.destroy();
const cutsInHead: Behaviour = (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-le', () => socket.destroy());
const cutsInBody: Behaviour = (socket) => void socket.write(whole.slice(0, -1), () => socket.destroy());

/** A gateway with workers that behave as told; `asked` counts the requests of each. */
async function startGateway(...behaviours: Behaviour[]) {
  const gateway = new Gateway({ ...serverDefaults, port: 0, drainTime: 200, bodyLimit: 1000 });
  const url = await gateway.listen();
  const sockets = await gatewaySockets();
  const asked = behaviours.map(() => 0);
  const received: string[] = [];
  for (const [n, behave] of behaviours.entries()) {
    const path = sockets.next();
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) => {
        asked[n] = (asked[n] as number) + 1;
        received.push(String(data));
        behave(socket, String(data));
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    gateway.workers.add(path);
    onTestFinished(() => void server.close());
  }
  onTestFinished(async () => {
    await gateway.close();
    sockets.remove();
  });
  const ask = async (method: string, path: string, body?: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url + path, { method, headers, ...(body !== undefined && { body }) });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  return { gateway, sockets, asked, received, ask };
}

test.each([
  ['before its answer', cuts],
  ['in the head', cutsInHead],
  ['in the body', cutsInBody],
])('a search whose worker dies %s is answered by another', async (_, dies) => {
  const { ask, asked } = await startGateway(dies, answers);
  for (let n = 0; n < 4; n++) expect(await ask('POST', '/search', '{}')).toMatchObject({ status: 200, text: 'ok' });
  // One that cut a connection is left alone for a while.
  expect(asked[1]).toBe(4);
  expect(asked[0]).toBeLessThan(4);
});

test('what no worker survives is sent to three, not to all', async () => {
  const { ask, asked } = await startGateway(cuts, cuts, cuts, answers);
  const { status, text, headers } = await ask('GET', '/stats');
  expect({ status, code: JSON.parse(text).error.code, after: headers.get('retry-after') }).toEqual({
    status: 503,
    code: 'UNAVAILABLE',
    after: '1',
  });
  expect(asked).toEqual([1, 1, 1, 0]);
});

test.each([
  ['POST', '/documents'],
  ['DELETE', '/documents/a'],
  ['POST', '/mcp'],
])('%s %s is never sent twice', async (method, path) => {
  const { ask, asked } = await startGateway(cuts, answers);
  const { status, text } = await ask(method, path, '{}');
  expect({ status, hint: JSON.parse(text).error.hint }).toEqual({
    status: 503,
    hint: expect.stringContaining('done or not'),
  });
  expect(asked).toEqual([1, 0]);
});

test('a write is sent to another worker if the first was never reached', async () => {
  const { gateway, sockets, ask, asked } = await startGateway(answers);
  // No worker listens there; both writes arrive at the other one.
  gateway.workers.add(sockets.next());
  for (let n = 0; n < 2; n++) expect((await ask('POST', '/documents', '{}')).status).toBe(200);
  expect(asked).toEqual([2]);
});

test('a request waits for a worker, up to a limit', { timeout: 20_000 }, async () => {
  const { gateway, sockets, ask } = await startGateway();
  const began = performance.now();
  expect((await ask('GET', '/ready')).status).toBe(503);
  expect(performance.now() - began).toBeGreaterThan(4900);
  const path = sockets.next();
  const waiting = ask('GET', '/ready');
  const server = createServer((socket) => void socket.on('data', () => socket.write(whole)));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  gateway.workers.add(path);
  expect((await waiting).status).toBe(200);
});

test('drops connection headers and adds the forwarded host', async () => {
  const { ask, received } = await startGateway(answers);
  await ask('POST', '/search?x=1', '{}', { te: 'trailers', 'x-forwarded-for': '203.0.113.9', 'x-own': 'kept' });
  const head = (received[0] as string).toLowerCase();
  expect(head).toMatch(/^post \/search\?x=1 http\/1\.1\r\n/);
  expect(head).toContain('\r\nx-own: kept\r\n');
  expect(head).toContain('\r\nx-forwarded-for: 203.0.113.9, 127.0.0.1\r\n');
  expect(head).toContain('\r\ncontent-length: 2\r\n');
  expect(head).not.toContain('\r\nte:');
});

test('a body that is too large reaches no worker', async () => {
  const { ask, asked } = await startGateway(answers);
  expect((await ask('POST', '/search', 'x'.repeat(1001))).status).toBe(413);
  expect((await ask('POST', '/search', 'x'.repeat(1000))).status).toBe(200);
  expect(asked).toEqual([1]);
});

test('while closing, /ready is 503 and pending requests are completed', async () => {
  let answer: () => void = () => {};
  const { gateway, ask, asked } = await startGateway((socket) => {
    answer = () => void socket.write(whole);
  });
  const underWay = ask('POST', '/documents', '{}');
  await expect.poll(() => asked[0]).toBe(1);
  const closing = gateway.close();
  expect((await ask('GET', '/ready')).status).toBe(503);
  answer();
  expect(await underWay).toMatchObject({ status: 200, text: 'ok' });
  await closing;
});
