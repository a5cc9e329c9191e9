import { readdirSync, readlinkSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCli, scratchFolder } from '../../cli/run-cli.js';
import { keepAsking, killable, serve, workersOf } from '../serve-command.js';

const wait = { timeout: 60_000 };
const json = { 'content-type': 'application/json' };

/** A service with a gateway over an index with one document, and where its sockets and other temporary files are. */
async function serveWithFront(...flags: string[]) {
  const cwd = scratchFolder();
  await runCli(['add', 'idx', '-', '--format', 'jsonl'], { cwd, input: '{"id":"a","text":"apples"}\n' });
  const service = await serve(cwd, '--gateway', ...flags);
  // In order, as it then removes its sockets.
  onTestFinished(async () => {
    service.child.kill('SIGTERM');
    await service.ending;
  });
  return { ...service, cwd };
}

const pidsOf = (pid: number | undefined) => workersOf(pid).filter((text) => text !== '');

/** Sends raw headers and part of a body, and leaves the connection open. */
function beginRequest(url: string, path: string, length: number, part: string) {
  const sent = request(`${url}${path}`, { method: 'POST', headers: { ...json, 'content-length': length } });
  const outcome = new Promise<string>((resolve) => {
    sent.once('response', (answer) => resolve(String(answer.resume().statusCode)));
    sent.once('error', ({ message }) => resolve(message));
  });
  sent.write(part);
  return { sent, outcome };
}

test.skipIf(!killable)('workers that are killed fail and cut no search', { timeout: 240_000 }, async () => {
  const { child, ending, url } = await serveWithFront('--workers', '2');
  await expect.poll(() => pidsOf(child.pid).length, wait).toBe(2);
  const clients = keepAsking(url, 8);
  for (let round = 0; round < 3; round++) {
    await expect.poll(() => pidsOf(child.pid).length, wait).toBe(2);
    const [first] = pidsOf(child.pid);
    const before = clients.answered();
    await expect.poll(clients.answered, wait).toBeGreaterThan(before + 50);
    process.kill(Number(first), 'SIGKILL');
    await expect.poll(() => pidsOf(child.pid).includes(first as string), wait).toBe(false);
    await expect.poll(clients.answered, wait).toBeGreaterThan(before + 200);
  }
  // Told to end, one is replaced in order behind a gateway, too.
  await expect.poll(() => pidsOf(child.pid).length, wait).toBe(2);
  const [old] = pidsOf(child.pid);
  process.kill(Number(old), 'SIGTERM');
  await expect.poll(() => pidsOf(child.pid).includes(old as string), wait).toBe(false);
  const before = clients.answered();
  await expect.poll(clients.answered, wait).toBeGreaterThan(before + 50);
  expect(await clients.stop()).toEqual([]);
  expect(clients.answered()).toBeGreaterThan(600);
  child.kill('SIGTERM');
  expect((await ending).code).toBe(0);
});

test.skipIf(!killable)('a write whose worker is killed is answered: done, or 503', { timeout: 240_000 }, async () => {
  const { child, url } = await serveWithFront('--workers', '1');
  await expect.poll(() => pidsOf(child.pid).length, wait).toBe(1);
  // So many that the worker is in the midst of them when it is killed.
  const documents = Array.from({ length: 10_000 }, (_, n) => ({ id: `d${n}`, text: `${n} apples on ${n * 7} trees` }));
  const body = JSON.stringify({ documents });
  const added = fetch(`${url}/documents`, { method: 'POST', headers: json, body });
  await new Promise((resolve) => setTimeout(resolve, 250));
  process.kill(Number(pidsOf(child.pid)[0]), 'SIGKILL');
  const answer = await added;
  const text = await answer.text();
  expect([200, 503]).toContain(answer.status);
  if (answer.status === 503) {
    expect(JSON.parse(text).error).toMatchObject({ code: 'UNAVAILABLE', hint: expect.stringContaining('done or not') });
    expect(answer.headers.get('retry-after')).toBe('1');
  }
  // Requests without a worker wait for one; after too long they get 503 and are sent again.
  const status = async () => (await fetch(`${url}/documents/a`)).status;
  await expect.poll(status, wait).toBe(200);
});

test('keeps limits, tokens and addresses; a disconnected client leaves nothing behind', {
  timeout: 240_000,
}, async () => {
  const { child, ending, url } = await serveWithFront(
    '--workers',
    '2',
    '--body-limit',
    '20000',
    '--token-env',
    'MY_TOKEN',
    '--log',
  );
  let logged = '';
  child.stdout.on('data', (text) => {
    logged += text;
  });
  const authorization = 'Bearer secret';
  const post = (body: string | ReadableStream, headers: Record<string, string> = { authorization }) =>
    fetch(`${url}/search`, { method: 'POST', headers: { ...json, ...headers }, body, duplex: 'half' } as RequestInit);
  expect((await post('{"query":"fruit"}', { authorization, 'x-forwarded-for': '203.0.113.9' })).status).toBe(200);
  expect((await post('{"query":"fruit"}', {})).status).toBe(401);
  expect((await fetch(`${url}/stats`)).status).toBe(401);
  expect((await fetch(`${url}/health`)).status).toBe(200);
  expect((await fetch(`${url}/health`, { method: 'HEAD' })).headers.get('content-length')).not.toBe('0');
  // Too large: by what it says, and by what comes.
  const huge = 'x'.repeat(5_000_000);
  const refused = await post(huge);
  expect(refused.status).toBe(413);
  expect(await refused.json()).toMatchObject({ error: { code: 'TOO_LARGE' } });
  expect((await post(new Blob([huge]).stream())).status).toBe(413);
  // A complete body that the route does not accept: the worker refuses it.
  expect((await post('{"query":')).status).toBe(400);
  // Some hang up in their body, some while they are answered.
  for (let n = 0; n < 20; n++) {
    const { sent } = beginRequest(url, '/search', n % 2 === 0 ? 100 : 17, '{"query":"fruit"}');
    sent.destroy();
  }
  expect((await post('{"query":"fruit"}')).status).toBe(200);
  const metric = async () => (await fetch(`${url}/metrics`, { headers: { authorization } })).text();
  await expect.poll(metric, wait).toMatch(/route="\/search",status="200"/);
  await expect.poll(() => logged, wait).toContain('"remoteAddress":"127.0.0.1"');
  expect(logged).not.toContain('203.0.113.9');
  child.kill('SIGTERM');
  const began = performance.now();
  expect((await ending).code).toBe(0);
  // A disconnected client is not waited for.
  expect(performance.now() - began).toBeLessThan(9000);
});

test.skipIf(!killable)('ends the work and the connection of a disconnected client', { timeout: 240_000 }, async () => {
  const { child, url } = await serveWithFront('--workers', '1');
  const sockets = () =>
    readdirSync(`/proc/${child.pid}/fd`).filter((fd) => {
      try {
        return readlinkSync(`/proc/${child.pid}/fd/${fd}`).startsWith('socket:');
      } catch {
        return false;
      }
    }).length;
  const before = sockets();
  const writes = Array.from({ length: 4 }, (_, write) => {
    const text = (n: number) => `${n} apples on ${n * 7} trees`;
    const documents = Array.from({ length: 4_000 }, (_, n) => ({ id: `${write}-${n}`, text: text(n) }));
    const body = JSON.stringify({ documents });
    return beginRequest(url, '/documents', Buffer.byteLength(body), body);
  });
  // Four from the client and three new ones to the worker, if one was idle.
  await expect.poll(sockets, wait).toBeGreaterThanOrEqual(before + 6);
  for (const { sent } of writes) sent.destroy();
  // One may stay: what the questions of this test came through.
  await expect.poll(sockets, wait).toBeLessThanOrEqual(before + 1);
  const stats = (await (await fetch(`${url}/stats`)).json()) as { documents: number };
  expect(stats.documents).toBeLessThan(16_000);
});

test('a port that is in use is reported at once', { timeout: 120_000 }, async () => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as { port: number };
  const cwd = scratchFolder();
  const { code, stderr } = await runCli(['serve', 'idx', '--gateway', '--port', String(port)], { cwd });
  expect(code).not.toBe(0);
  expect(stderr).toContain('Cannot listen');
});

test.skipIf(!killable)('the sockets are gone at the end', { timeout: 120_000 }, async () => {
  const temporary = scratchFolder();
  const cwd = scratchFolder();
  await runCli(['add', 'idx', '-', '--format', 'jsonl'], { cwd, input: '{"id":"a","text":"apples"}\n' });
  process.env.TMPDIR = temporary;
  onTestFinished(() => {
    delete process.env.TMPDIR;
  });
  const { child, ending } = await serve(cwd, '--gateway');
  const [folder] = readdirSync(temporary).filter((name) => name.startsWith('si-gateway-'));
  expect(readdirSync(join(temporary, folder as string)).sort()).toEqual(['0', 'alive']);
  child.kill('SIGTERM');
  expect((await ending).code).toBe(0);
  expect(readdirSync(temporary).filter((name) => name.startsWith('si-gateway-'))).toEqual([]);
});
