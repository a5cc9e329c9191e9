import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { SemanticIndex } from '../../src/index.js';
import { serverDefaults } from '../../src/options/server.js';
import { Front } from '../../src/server/front.js';
import { type Started, startServer } from './start-server.js';

const words = 'ship parcel refund invoice network database kernel garden recipe weather music football hospital'.split(
  ' ',
);
const textOf = (n: number) =>
  `${Array.from({ length: 25 }, (_, w) => words[(n * 7 + w * w + ((n * w) % 11)) % words.length]).join(' ')} number ${n}`;

/** The longest time that others waited while `work` ran, and how long it took itself, in milliseconds. */
async function whileOthersAsk<T>({ ask }: Started, work: () => Promise<T>) {
  let isOver = false;
  const keepAsking = async (once: () => Promise<unknown>) => {
    let longest = 0;
    while (!isOver) {
      const began = performance.now();
      await once();
      longest = Math.max(longest, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return longest;
  };
  const health = keepAsking(() => ask('GET', '/health'));
  const search = keepAsking(() => ask('POST', '/search', { query: 'garden recipe', k: 3 }));
  const began = performance.now();
  const answer = await work();
  const took = performance.now() - began;
  isOver = true;
  return { answer, took, health: await health, search: await search };
}

describe('a service with 3,000 documents and a time limit', () => {
  let service: Started;
  beforeAll(async () => {
    service = await startServer({ answerTimeout: 4000, maxAnswerBytes: 1_000_000 }, async (folder) => {
      const index = await SemanticIndex.open(folder);
      await index.addDocuments(Array.from({ length: 3000 }, (_, n) => ({ id: n, text: textOf(n), metadata: { n } })));
      return index;
    });
    await service.server.loaded;
    await service.ask('POST', '/search', { query: 'parcel' });
  });
  afterAll(() => service.stop());

  const many = words.join(' ').concat(' ').repeat(19);
  const distinct = Array.from({ length: 256 }, (_, n) => (n < words.length ? words[n] : `number ${n}`)).join(' ');
  const anyOf = (count: number) => ({ $or: Array.from({ length: count }, (_, n) => ({ n: { $ne: n - count } })) });
  test.each<[string, string, unknown]>([
    ['diversity among 3,000', '/search', { query: 'parcel refund', k: 1000, diversity: 0.5 }],
    ['diversity alone', '/search', { query: 'parcel refund', k: 1000, diversity: 1 }],
    [
      '64 queries with diversity',
      '/search/batch',
      { queries: Array(64).fill('parcel refund'), k: 1000, diversity: 0.9 },
    ],
    ['256 queries of 256 common words', '/search/batch', { queries: Array(256).fill(many), mode: 'text', k: 20 }],
    ['64 queries of 256 words', '/search/batch', { queries: Array(64).fill(distinct), k: 20 }],
    ['many conditions', '/search', { query: 'parcel', where: anyOf(400) }],
  ])('others are answered during %s', async (_, path, body) => {
    const { answer, took, health, search } = await whileOthersAsk(service, () => service.ask('POST', path, body));
    expect([200, 400, 413, 503]).toContain(answer.status);
    if (answer.status !== 200) expect(answer.body.error.code).toMatch(/^(TIMEOUT|TOO_LARGE|INVALID_|INPUT_)/);
    // Generous: a busy machine takes a multiple of what an idle one does.
    expect(took).toBeLessThan(4000 + 2500);
    expect(health).toBeLessThan(2000);
    expect(search).toBeLessThan(4000);
  });

  test('an answer that would be too large is 413, and a page of documents ends earlier', async () => {
    expect(await service.ask('POST', '/search/batch', { queries: Array(8).fill('parcel'), k: 1000 })).toMatchObject({
      status: 413,
      body: { error: { code: 'TOO_LARGE', hint: expect.stringContaining('fewer hits') } },
    });
    const large = { id: 'large', text: 'parcel '.repeat(200_000), metadata: {} };
    expect((await service.ask('POST', '/documents', { documents: [large] })).status).toBe(200);
    onTestFinished(async () => void (await service.ask('DELETE', '/documents/large')));
    let [after, seen, pages] = [undefined as string | undefined, 0, 0];
    do {
      const query: string = after === undefined ? '' : `&after=${after}`;
      const { body } = await service.ask('GET', `/documents?limit=1000${query}`);
      expect(body.documents.length).toBeGreaterThan(0);
      seen += body.documents.length;
      pages++;
      after = body.next;
    } while (after !== undefined);
    expect(seen).toBe(3001);
    expect(pages).toBeGreaterThan(3);
  });

  test('a client that hangs up ends the work that it asked for', async () => {
    const body = JSON.stringify({ queries: Array(256).fill(many), mode: 'text', k: 20 });
    const sent = request(`${service.url}/search/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    sent.on('error', () => {});
    sent.end(body);
    await new Promise((resolve) => setTimeout(resolve, 200));
    sent.destroy();
    const began = performance.now();
    expect((await service.ask('POST', '/search', { query: many })).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(1500);
  });
});

/** Begins a request whose body does not end, and returns its answer and a way to end it. */
function begin(url: string, length: number, headers: Record<string, string | number> = {}) {
  const sent = request(`${url}/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': length, ...headers },
  });
  const status = new Promise<number>((resolve, reject) => {
    sent.once('response', (answer) => resolve(answer.resume().statusCode ?? 0));
    sent.once('error', reject);
  });
  const body = '{"query":"parcel"';
  sent.write(body);
  const end = () => sent.end(`${' '.repeat(length - body.length - 1)}}`);
  return { status, end, hangUp: () => sent.destroy() };
}

test.each(['direct', 'front'])('bodies of all requests together have a limit (%s)', async (way) => {
  const options = { bodyLimit: 1000, bodyMemory: 2500 };
  const service = await startServer(options);
  await service.server.loaded;
  await service.ask('POST', '/documents', { documents: ['a parcel'] });
  let { url } = service;
  onTestFinished(() => service.stop());
  if (way === 'front') {
    // Its worker has no part in this: what the front refuses never reaches one.
    const front = new Front({ ...serverDefaults, port: 0, drainTime: 10, ...options });
    url = await front.listen();
    onTestFinished(() => front.close());
  }
  const held = [begin(url, 1000), begin(url, 1000)];
  await new Promise((resolve) => setTimeout(resolve, 200));
  const ask = async (size: number) => {
    const body = JSON.stringify({ query: 'parcel' }).padEnd(size);
    const response = await fetch(`${url}/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    return { status: response.status, retry: response.headers.get('retry-after'), body: await response.json() };
  };
  expect(await ask(800)).toMatchObject({ status: 503, retry: '1', body: { error: { code: 'UNAVAILABLE' } } });
  // Where the length is not told, the largest is assumed.
  const chunked = begin(url, 0, { 'content-length': [] as never, 'transfer-encoding': 'chunked' });
  expect(await chunked.status).toBe(503);
  chunked.hangUp();
  if (way === 'direct') {
    expect(await ask(400)).toMatchObject({ status: 200 });
    for (const { end } of held) end();
    expect(await Promise.all(held.map(({ status }) => status))).toEqual([200, 200]);
    expect(await ask(800)).toMatchObject({ status: 200 });
  }
  for (const { status, hangUp } of held) {
    status.catch(() => {});
    hangUp();
  }
});
