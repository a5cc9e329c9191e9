import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, documents, type Started, startServer } from '../start-server.js';

let service: Started;
beforeAll(async () => {
  service = await startServer({ bodyLimit: 200_000, receiveTimeout: 400, maxHits: 50 });
  await service.server.loaded;
  await service.ask('POST', '/documents', { documents });
});
afterAll(() => service.stop());

function isRefusal({ status, body }: Answer): boolean {
  return status >= 400 && status < 500 && typeof body.error?.code === 'string' && typeof body.error.hint === 'string';
}

const deep = (levels: number, open: string, close: string) => `${open.repeat(levels)}1${close.repeat(levels)}`;

test.each<[string, string, string, unknown, number, string]>([
  ['no JSON', 'POST', '/search', '{"query":', 400, 'INVALID_ARGUMENT'],
  ['an empty body', 'POST', '/search', '', 400, 'INVALID_ARGUMENT'],
  ['a body that is an array', 'POST', '/search', [], 400, 'INVALID_ARGUMENT'],
  ['null', 'POST', '/search', 'null', 400, 'INVALID_ARGUMENT'],
  ['no query at all', 'POST', '/search', {}, 400, 'INVALID_ARGUMENT'],
  ['two queries', 'POST', '/search', { query: 'a', id: 1 }, 400, 'INVALID_ARGUMENT'],
  ['a query that is a number', 'POST', '/search', { query: 1 }, 400, 'INVALID_ARGUMENT'],
  ['a query of white space', 'POST', '/search', { query: ' \n' }, 400, 'INVALID_TEXT'],
  ['k as text', 'POST', '/search', { query: 'a', k: '3' }, 400, 'INVALID_ARGUMENT'],
  ['k of zero', 'POST', '/search', { query: 'a', k: 0 }, 400, 'INVALID_ARGUMENT'],
  ['k beyond the limit', 'POST', '/search', { query: 'a', k: 51 }, 400, 'INVALID_ARGUMENT'],
  ['an unknown option', 'POST', '/search', { query: 'a', top: 3 }, 400, 'INVALID_ARGUMENT'],
  ['an unknown mode', 'POST', '/search', { query: 'a', mode: 'magic' }, 400, 'INVALID_ARGUMENT'],
  ['an unknown operator', 'POST', '/search', { query: 'a', where: { a: { $foo: 1 } } }, 400, 'INVALID_FILTER'],
  ['a vector of text', 'POST', '/search', { vector: ['a'] }, 400, 'INVALID_ARGUMENT'],
  ['a vector of zero length', 'POST', '/search', { vector: [] }, 400, 'INVALID_ARGUMENT'],
  ['an infinite number', 'POST', '/search', `{"vector":[${'1e999,'.repeat(383)}1e999]}`, 400, 'INVALID_ARGUMENT'],
  ['an unknown id', 'POST', '/search', { id: 'missing' }, 404, 'NOT_FOUND'],
  ['a prototype', 'POST', '/search', '{"query":"a","__proto__":{"x":1}}', 400, 'INVALID_ARGUMENT'],
  ['a constructor', 'POST', '/search', '{"query":"a","constructor":{"prototype":{"x":1}}}', 400, 'INVALID_ARGUMENT'],
  ['a huge body', 'POST', '/search', { query: 'x'.repeat(300_000) }, 413, 'TOO_LARGE'],
  ['too many queries', 'POST', '/search/batch', { queries: Array(300).fill('a') }, 400, 'INVALID_ARGUMENT'],
  ['no queries', 'POST', '/search/batch', { queries: [] }, 400, 'INVALID_ARGUMENT'],
  [
    'an id twice',
    'POST',
    '/documents',
    {
      documents: [
        { id: 1, text: 'a' },
        { id: 1, text: 'b' },
      ],
    },
    400,
    'DUPLICATE_ID',
  ],
  ['a document without text', 'POST', '/documents', { documents: [{ id: 1 }] }, 400, 'INVALID_ARGUMENT'],
  [
    'metadata that is an array',
    'POST',
    '/documents',
    { documents: [{ text: 'a', metadata: [] }] },
    400,
    'INVALID_ARGUMENT',
  ],
  ['a fraction as id', 'POST', '/documents', { documents: [{ id: 1.5, text: 'a' }] }, 400, 'INVALID_ARGUMENT'],
  ['a delete of everything and nothing', 'DELETE', '/documents', {}, 400, 'INVALID_ARGUMENT'],
  ['a delete by a filter that matches all', 'DELETE', '/documents', { where: {} }, 400, 'INVALID_FILTER'],
  ['a delete by $and of nothing', 'DELETE', '/documents', { where: { $and: [] } }, 400, 'INVALID_FILTER'],
  ['a delete of not all', 'DELETE', '/documents', { all: false }, 400, 'INVALID_ARGUMENT'],
  ['a delete of all and some', 'DELETE', '/documents', { all: true, where: { a: 1 } }, 400, 'INVALID_ARGUMENT'],
  ['an unknown parameter', 'GET', '/documents?foo=1', undefined, 400, 'INVALID_ARGUMENT'],
  ['an unknown parameter of a document', 'GET', '/documents/7?kind=number', undefined, 400, 'INVALID_ARGUMENT'],
  [
    'an object without a text form',
    'POST',
    '/search',
    { query: 'a', k: { constructor: { name: { toString: 1, valueOf: 1 } }, toString: 1, valueOf: 1 } },
    400,
    'INVALID_ARGUMENT',
  ],
  ['a filter that is null', 'GET', '/documents?where=null', undefined, 400, 'INVALID_FILTER'],
  [
    'a filter of 2000 fields',
    'POST',
    '/search',
    { query: 'a', where: Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`f${n}`, n])) },
    400,
    'INVALID_FILTER',
  ],
  ['a page that is none', 'GET', '/documents?after=%F0%9F%92%A9', undefined, 400, 'INVALID_ARGUMENT'],
  ['a limit that is none', 'GET', '/documents?limit=many', undefined, 400, 'INVALID_ARGUMENT'],
  ['a filter that is not JSON', 'GET', '/documents?where={', undefined, 400, 'INVALID_FILTER'],
  ['a number that is none', 'GET', '/documents/abc?type=number', undefined, 400, 'INVALID_ID'],
  ['bad percent signs', 'GET', '/documents/%E0%A4%A', undefined, 400, 'INVALID_ARGUMENT'],
  ['another level', 'GET', '/validate?level=deep', undefined, 400, 'INVALID_ARGUMENT'],
  ['another address', 'GET', '/nowhere', undefined, 404, 'NOT_FOUND'],
  ['another method', 'PUT', '/search', { query: 'a' }, 405, 'UNSUPPORTED'],
])('%s', async (_, method, path, body, status, code) => {
  const answer = await service.ask(method, path, body);
  expect({ status: answer.status, code: answer.body.error?.code, body: answer.body }).toMatchObject({ status, code });
  expect(isRefusal(answer)).toBe(true);
  expect(JSON.stringify(answer.body)).not.toMatch(/\\n\s+at |node_modules|\.js:/);
});

test('another kind of body', async () => {
  const answer = await service.ask('POST', '/search', '<query/>', { 'content-type': 'application/xml' });
  expect(answer).toMatchObject({ status: 415, body: { error: { code: 'UNSUPPORTED' } } });
});

test.each([
  ['filters', `{"query":"a","where":${deep(20_000, '{"$not":', '}')}}`],
  ['lists', `{"query":"a","where":{"a":${deep(90_000, '[', ']')}}}`],
  ['vectors', `{"vector":${deep(90_000, '[', ']')}}`],
])('%s nested without end are refused', async (_, body) => {
  expect(isRefusal(await service.ask('POST', '/search', body))).toBe(true);
  expect((await service.ask('GET', '/health')).status).toBe(200);
});

test.each([
  ['/search', 'POST'],
  ['/search/batch', 'POST'],
  ['/documents', 'DELETE'],
  ['/documents', 'POST'],
] as const)('whatever comes to %s by %s is answered or refused, never a failure', async (path, method) => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, 0, -1, 1.5, 1e300, '', ' ', 'a', '\u0000', '\ud800', 'x'.repeat(5000)),
      fc.string(),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(
        fc.constantFrom(
          '$and',
          '$or',
          '$not',
          '$in',
          '$gt',
          '$exists',
          '$contains',
          'id',
          'text',
          'a.b',
          '',
          'metadata',
        ),
        tie('value'),
        { maxKeys: 4 },
      ),
    ),
  })).value;
  const names = ['query', 'queries', 'vector', 'id', 'ids', 'where', 'k', 'mode', 'documents', 'diversity', 'exact'];
  const body = fc.oneof(value, fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 4 }));
  await fc.assert(
    fc.asyncProperty(body, async (sent) => {
      const answer = await service.ask(method, path, JSON.stringify(sent));
      if (answer.status !== 200 && !isRefusal(answer)) throw new Error(JSON.stringify(answer));
    }),
    { numRuns: 150 },
  );
});

function talk(first: string, drip?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    let answer = '';
    const dripping = setInterval(() => drip !== undefined && socket.writable && socket.write(drip), 50);
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearInterval(dripping);
      resolve(answer);
    });
    socket.write(first);
  });
}

test('disconnects a client that is too slow', async () => {
  const slowBody = await talk(
    'POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{',
    ' ',
  );
  expect(slowBody).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"TIMEOUT"/);
  const slowHead = await talk('GET /health HTTP/1.1\r\n', 'X-A: b\r\n');
  expect(slowHead).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"TIMEOUT"/);
});

test('what is no HTTP is refused', async () => {
  expect(await talk('hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"INVALID_ARGUMENT"/);
  expect(await talk(`GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 431 /,
  );
});

test.each<[string, string, string, unknown, RegExp]>([
  [
    'an empty text',
    'POST',
    '/documents',
    { documents: [{ text: '' }] },
    /^body\.documents\[0\]\.text: expected a text of at least 1 character, got 0$/,
  ],
  [
    'an id that is a fraction',
    'POST',
    '/documents',
    { documents: ['a', { id: 1.5, text: 'a' }] },
    /^body\.documents\[1\]\.id: expected string or integer, got 1\.5$/,
  ],
  [
    'a document that is a number',
    'POST',
    '/documents',
    { documents: [7] },
    /^body\.documents\[0\]: expected string or object, got 7$/,
  ],
  ['no documents', 'POST', '/documents', { documents: [] }, /^body\.documents: expected at least 1 entry, got 0$/],
  ['an unknown parameter', 'GET', '/documents?foo=1', undefined, /^querystring: "foo" is not known, expected limit/],
  ['half a body', 'POST', '/search', '{"query":', /^Expected a body of JSON: Unexpected end of JSON input$/],
  ['an empty body', 'POST', '/search', '', /^Expected a body of JSON, got an empty one$/],
  ['a prototype', 'POST', '/search', '{"query":"a","__proto__":{}}', /^Expected a body without the names "__proto__"/],
  ['a method without a route', 'PUT', '/search', {}, /^PUT is not supported by \/search$/],
])('names what is wrong with %s', async (_, method, path, body, message) => {
  const refused = await service.ask(method, path, body);
  expect(refused.body.error.message).toMatch(message);
});
