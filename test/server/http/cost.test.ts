import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { SemanticIndex } from '../../../src/index.js';
import { serverDefaults } from '../../../src/options/server.js';
import { Gateway } from '../../../src/server/gateway/gateway.js';
import { type Answer, type Started, startServer } from '../start-server.js';

const words = 'ship parcel refund invoice network database kernel garden recipe weather music football hospital'.split(
  ' ',
);
const textOf = (n: number) =>
  `${Array.from({ length: 25 }, (_, w) => words[(n * 7 + w * w + ((n * w) % 11)) % words.length]).join(' ')} number ${n}`;

/** The longest time that /health took while `work` ran, how long that took, and how long a search took afterwards, in milliseconds. */
async function whileAskingForHealth<T>({ ask }: Started, work: () => Promise<T>) {
  let isOver = false;
  const keepAsking = async () => {
    let longest = 0;
    while (!isOver) {
      const began = performance.now();
      await ask('GET', '/health');
      longest = Math.max(longest, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return longest;
  };
  const health = keepAsking();
  const began = performance.now();
  const answer = await work();
  const took = performance.now() - began;
  isOver = true;
  const searched = performance.now();
  const next = await ask('POST', '/search', { query: 'garden recipe', k: 3 });
  return { answer, took, health: await health, next: next.status, search: performance.now() - searched };
}

/** Sends bytes as they are: what `fetch` does with megabytes would hold up /health in this process. */
function post(url: string, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const sent = request(url, { method: 'POST', headers }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk);
      resolve({ status: answer.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

const megabyte = 1024 * 1024;
const timeLimit = 600;

describe('a service with 3,000 documents and a time limit', () => {
  let service: Started;
  beforeAll(async () => {
    service = await startServer({ answerTimeout: timeLimit, maxAnswerBytes: 1_000_000 }, async (folder) => {
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
  const list = (count: number, item: (n: number) => unknown) => Array.from({ length: count }, (_, n) => item(n));
  const fields = (count: number) => Object.fromEntries(list(count, (n) => [`f${n}`, n]) as [string, number][]);
  const matchingAll = { $and: list(400, (n) => ({ n: { $gt: -(n as number) - 1 } })) };
  const filled = (text: string) => `{"query":"a","where":{"a":${text}}}`;
  const add = (text: string) => ({ documents: [{ id: 'word', text }] });

  // The bounds have room for a busy machine; /health itself takes at most some dozens of milliseconds.
  test.each<[string, string, () => unknown, (string | number)[], count?: number]>([
    ['diversity', '/search', () => ({ query: 'parcel refund', k: 1000, diversity: 0.5 }), [200, 'TIMEOUT']],
    ['diversity alone', '/search', () => ({ query: 'parcel refund', k: 1000, diversity: 1 }), [200, 'TIMEOUT'], 3],
    [
      '64 queries with diversity',
      '/search/batch',
      () => ({ queries: Array(64).fill('parcel refund'), k: 1000, diversity: 0.9 }),
      ['TIMEOUT', 'TOO_LARGE'],
    ],
    [
      '256 queries of 256 common words',
      '/search/batch',
      () => ({ queries: Array(256).fill(many), mode: 'text', k: 20 }),
      ['TIMEOUT', 'TOO_LARGE'],
    ],
    [
      '64 queries of 256 words',
      '/search/batch',
      () => ({ queries: Array(64).fill(distinct), k: 20 }),
      [200, 'TIMEOUT'],
    ],
    [
      '256 documents and 1,000 others like each',
      '/search/batch',
      () => ({ queries: list(256, (id) => ({ id })), k: 1000, mode: 'vector' }),
      ['TOO_LARGE', 'TIMEOUT'],
    ],
    ['a crowd of 60', '/search', () => ({ query: 'garden recipe', k: 100 }), [200, 'TIMEOUT'], 60],
    [
      'bodies of 8 MB',
      '/search',
      () => '{"query":"parcel"}'.padEnd(8 * megabyte - 100),
      [200, 'UNAVAILABLE', 'TIMEOUT'],
      8,
    ],
    [
      'a body of empty lists',
      '/search',
      () =>
        filled(
          `[${Array(2 * megabyte)
            .fill('[]')
            .join()}]`,
        ),
      ['TOO_LARGE'],
      2,
    ],
    ['a body of brackets', '/search', () => filled('['.repeat(4 * megabyte) + ']'.repeat(3 * megabyte)), ['TOO_LARGE']],
    ['a body with 100,000 members', '/search', () => ({ query: 'a', ...fields(100_000) }), ['TOO_LARGE']],
    [
      'a filter with 10,000 conditions',
      '/search',
      () => ({ query: 'a', where: { $or: list(10_000, (n) => ({ n })) } }),
      ['INVALID_FILTER'],
    ],
    ['a filter with 2,000 fields', '/search', () => ({ query: 'a', where: fields(2000) }), ['INVALID_FILTER']],
    [
      'a filter with 32,000 values',
      '/search',
      () => ({ query: 'a', where: { $and: list(400, () => fields(80)) } }),
      ['INVALID_FILTER'],
    ],
    [
      'a filter with a list of 300,000',
      '/search',
      () => ({ query: 'a', where: { n: { $in: list(300_000, (n) => n) } } }),
      ['INVALID_FILTER'],
    ],
    [
      'a filter of 400 conditions that all match',
      '/search/batch',
      () => ({ queries: Array(8).fill('parcel'), k: 1000, where: matchingAll }),
      ['TIMEOUT', 'TOO_LARGE'],
    ],
    ['a query of one word of 7 MB', '/search', () => ({ query: 'x'.repeat(7 * megabyte) }), ['TOO_LARGE']],
    [
      'a query of one word of 7 MB in a batch',
      '/search/batch',
      () => ({ queries: ['a', 'x'.repeat(7 * megabyte)] }),
      ['TOO_LARGE'],
    ],
    ['a query of 100,000 letters', '/search', () => ({ query: '語'.repeat(100_000) }), [200, 'TIMEOUT']],
    ['a document of one word of 7 MB', '/documents', () => add('x'.repeat(7 * megabyte)), [200, 'TIMEOUT']],
    ['a document of one word with marks', '/documents', () => add('e\u0301'.repeat(2 * megabyte)), [200, 'TIMEOUT']],
    ['a document of emoji', '/documents', () => add('😀'.repeat(1.7 * megabyte)), [200, 'TIMEOUT']],
    ['a document of signs', '/documents', () => add('-'.repeat(7 * megabyte)), [200, 'TIMEOUT']],
    [
      'a document with 15,000 fields',
      '/documents',
      () => ({ documents: [{ id: 'fields', text: 'a', metadata: fields(15_000) }] }),
      ['INVALID_METADATA'],
    ],
  ])('answers /health during %s', { retry: 2 }, async (_, path, make, expected, count = 1) => {
    const made = make();
    const body = Buffer.from(typeof made === 'string' ? made : JSON.stringify(made));
    const { answer, took, health, next, search } = await whileAskingForHealth(service, () =>
      Promise.all(Array.from({ length: count }, () => post(service.url + path, body))),
    );
    for (const { status, body } of answer) expect(expected).toContain(status === 200 ? 200 : body.error.code);
    expect(took).toBeLessThan(timeLimit + 4000);
    expect(health).toBeLessThan(250);
    // What was given up does not hold up what comes later.
    expect(next).toBe(200);
    expect(search).toBeLessThan(1000);
  });

  test.each<[string, string, string, unknown?]>([
    ['a search with a filter', 'POST', '/search', { query: 'parcel', k: 1000, where: matchingAll }],
    ['a search by words with a filter', 'POST', '/search', { query: 'parcel', mode: 'text', where: matchingAll }],
    [
      'a list',
      'GET',
      `/documents?limit=1000&where=${encodeURIComponent(JSON.stringify({ $and: matchingAll.$and.slice(0, 250), n: -1 }))}`,
    ],
    ['a deletion', 'DELETE', '/documents', { where: { $and: [...matchingAll.$and, { n: -1 }] } }],
    ['a validation', 'GET', '/validate?level=full'],
  ])('ends the work of %s whose client hangs up', { retry: 2 }, async (_, method, path, body) => {
    // Documents of the tests above may still be committed.
    await service.ask('DELETE', '/documents/word');
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = Array.from({ length: 12 }, () => {
      const one = request(service.url + path, { method, headers });
      one.on('error', () => {});
      return one.end(body === undefined ? undefined : JSON.stringify(body));
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    for (const one of sent) one.destroy();
    const began = performance.now();
    expect((await service.ask('POST', '/search', { query: 'garden', where: { n: { $gte: 0 } } })).status).toBe(200);
    expect((await service.ask('DELETE', '/documents/none')).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  test('an answer that would be too large is 413, and a page of documents ends earlier', async () => {
    await service.ask('DELETE', '/documents/word');
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
    const front = new Gateway({ ...serverDefaults, port: 0, drainTime: 10, ...options });
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
