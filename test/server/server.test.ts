import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SemanticIndex } from '../../src/index.js';
import { deterministicProvider } from '../../src/testing.js';
import { documents, type Started, startServer } from './start-server.js';

describe('a service', () => {
  let service: Started;
  beforeAll(async () => {
    service = await startServer();
    await service.server.loaded;
    expect(await service.ask('POST', '/documents', { documents })).toMatchObject({ status: 200, body: { added: 3 } });
  });
  afterAll(() => service.stop());

  test('listens on loopback only, by default', () => {
    expect(service.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test('searches by text, vector and likeness, with all options', async () => {
    const { body } = await service.ask('POST', '/search', { query: 'can I get my money back?', k: 2 });
    expect(body.hits).toHaveLength(2);
    expect(body.hits[0]).toMatchObject({ id: 'returns', metadata: { lang: 'en' } });
    const where = await service.ask('POST', '/search', { query: 'warehouse', where: { lang: 'de' }, mode: 'vector' });
    expect(where.body.hits.map(({ id }: { id: unknown }) => id)).toEqual([7]);
    const alike = await service.ask('POST', '/search', { id: 'delivery', k: 1, exact: true });
    expect(alike.body.hits[0].id).not.toBe('delivery');
    const batch = await service.ask('POST', '/search/batch', { queries: ['refund', { id: 7 }], k: 1 });
    expect(batch.body.results).toHaveLength(2);
    expect(batch.body.results[0].hits[0].id).toBe('returns');
    const snippet = { maxTokens: 20, highlight: ['<b>', '</b>'] };
    const short = await service.ask('POST', '/search', { query: 'refund money', k: 1, snippet });
    expect(short.body.hits[0].snippet).toMatchObject({ basis: 'words', highlighted: expect.stringContaining('<b>') });
    const wrong = await service.ask('POST', '/search', { query: 'refund', snippet: { maxToken: 20 } });
    expect(wrong.status).toBe(400);
  });

  test('returns pages and explanations', async () => {
    const ids: unknown[] = [];
    let after: string | undefined;
    do {
      const { status, body } = await service.ask('POST', '/search', {
        query: 'open hours',
        k: 1,
        mode: 'vector',
        after,
      });
      expect(status).toBe(200);
      expect(body).not.toHaveProperty('explanation');
      ids.push(...body.hits.map(({ id }: { id: unknown }) => id));
      after = body.next;
    } while (after !== undefined);
    expect(new Set(ids).size).toBe(3);
    const { body } = await service.ask('POST', '/search', { query: 'open hours', explain: true });
    expect(body.explanation).toMatchObject({ exact: true, segments: [{ items: 3 }] });
    const refused = await service.ask('POST', '/search', { query: 'open hours', after: 'A'.repeat(20_000) });
    expect(refused.status).toBe(400);
  });

  test('a vector of another length is refused with both lengths', async () => {
    const { status, body } = await service.ask('POST', '/search', { vector: [1, 2, 3] });
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: 'DIMENSION_MISMATCH', details: { expected: 384, actual: 3 } });
  });

  test('lists, gets and deletes', async () => {
    const first = await service.ask('GET', '/documents?limit=2');
    expect(first.body.documents).toHaveLength(2);
    const second = await service.ask('GET', `/documents?limit=2&after=${first.body.next}`);
    expect(second.body).toEqual({ documents: [documents[2]] });
    const german = await service.ask('GET', `/documents?where=${encodeURIComponent('{"lang":"de"}')}`);
    expect(german.body.documents).toHaveLength(1);
    expect(await service.ask('GET', '/documents/7')).toMatchObject({
      status: 404,
      body: { error: { code: 'NOT_FOUND' } },
    });
    expect(await service.ask('GET', '/documents/7?type=number')).toEqual({ status: 200, body: documents[2] });
    await service.ask('POST', '/documents', { documents: [{ id: 'a b/ü', text: 'odd' }, 'no id'] });
    const odd = `/documents/${encodeURIComponent('a b/ü')}`;
    expect(await service.ask('DELETE', odd)).toEqual({ status: 200, body: { deleted: 1 } });
    expect(await service.ask('DELETE', odd)).toEqual({ status: 200, body: { deleted: 0 } });
    expect(await service.ask('DELETE', '/documents', { where: { lang: { $exists: false } } })).toMatchObject({
      body: { deleted: 1 },
    });
  });

  test('returns statistics, health and metrics', async () => {
    expect(await service.ask('GET', '/health')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await service.ask('GET', '/ready')).toMatchObject({ status: 200, body: { ready: true } });
    expect(await service.ask('GET', '/stats')).toMatchObject({ body: { documents: 3, dimensions: 384 } });
    expect(await service.ask('GET', '/validate?level=full')).toMatchObject({ body: { valid: true } });
    await service.ask('GET', '/nothing/here');
    const { body } = await service.ask('GET', '/metrics');
    expect(body).toMatch(/^semantic_index_documents 3$/m);
    expect(body).toMatch(
      /^semantic_index_http_request_duration_seconds_count\{method="POST",route="\/search",status="200"\} \d+$/m,
    );
    expect(body).toContain('route="none",status="404"');
    expect(body).not.toContain('nothing/here');
  });

  test('describes itself by a valid OpenAPI document', async () => {
    const { body } = await service.ask('GET', '/openapi.json');
    expect(await new Validator().validate(structuredClone(body))).toMatchObject({ valid: true });
    expect(Object.keys(body.paths).sort()).toEqual([
      '/documents',
      '/documents/{id}',
      '/facets',
      '/health',
      '/ready',
      '/search',
      '/search/batch',
      '/stats',
      '/suggest',
      '/validate',
    ]);
  });

  test('shows what another process writes and builds, without a restart', async () => {
    await using writer = await SemanticIndex.open(join(service.folder, 'idx'));
    await writer.addDocuments([{ id: 'hours', text: 'We are open from nine to five.' }]);
    await writer.optimize({ full: true });
    const { body } = await service.ask('POST', '/search', { query: 'when are you open?', k: 1 });
    expect(body.hits[0].id).toBe('hours');
    expect((await service.ask('GET', '/stats')).body).toMatchObject({ tail: 0, segments: [{ items: 4 }] });
    await writer.deleteDocuments('hours');
    const after = await service.ask('POST', '/search', { query: 'when are you open?', k: 1 });
    expect(after.body.hits[0].id).not.toBe('hours');
  });
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

test('503 until the index is loaded, and permanently if it cannot be', async () => {
  const { promise: gate, resolve: load } = withResolvers();
  const service = await startServer({}, async (folder) => {
    await gate;
    return SemanticIndex.open(folder);
  });
  for (const path of ['/health', '/ready']) {
    expect(await service.ask('GET', path)).toMatchObject({ status: 503, body: { status: 'loading' } });
  }
  expect(await service.ask('POST', '/search', { query: 'x' })).toMatchObject({
    status: 503,
    body: { error: { code: 'UNAVAILABLE' } },
  });
  load();
  await service.server.loaded;
  expect((await service.ask('GET', '/health')).status).toBe(200);
  await service.stop();
  const broken = await startServer({}, (folder) => SemanticIndex.open(folder, { create: false }));
  await expect(broken.server.loaded).rejects.toMatchObject({ code: 'NOT_AN_INDEX' });
  expect(await broken.ask('GET', '/health')).toMatchObject({ status: 503, body: { status: 'failed' } });
  await broken.stop();
});

test('requires a token, except for health', async () => {
  const service = await startServer({ token: 'open sesame' });
  await service.server.loaded;
  const ask = (authorization?: string) =>
    service.ask('POST', '/search', { query: 'x' }, authorization === undefined ? {} : { authorization });
  for (const wrong of [undefined, 'Bearer open sesam', 'Basic open sesame', 'Bearer ', 'open sesame']) {
    expect(await ask(wrong)).toMatchObject({ status: 401, body: { error: { code: 'UNAUTHORIZED' } } });
  }
  expect((await service.ask('GET', '/nowhere')).status).toBe(401);
  expect((await service.ask('GET', '/metrics')).status).toBe(401);
  expect((await service.ask('GET', '/health')).status).toBe(200);
  expect((await ask('Bearer open sesame')).status).toBe(200);
  await service.stop();
});

test('reports a read-only index', async () => {
  const service = await startServer({}, async (folder) => {
    await (await SemanticIndex.open(folder)).close();
    return SemanticIndex.open(folder, { readonly: true });
  });
  await service.server.loaded;
  expect(await service.ask('POST', '/documents', { documents: ['a'] })).toMatchObject({
    status: 403,
    body: { error: { code: 'READ_ONLY' } },
  });
  await service.stop();
});

test('completes pending requests while closing, and refuses others', { timeout: 240_000 }, async () => {
  const [asked, answer] = [withResolvers(), withResolvers()];
  const provider = deterministicProvider({
    onCall: async (_, role) => {
      if (role !== 'document') return;
      asked.resolve();
      await answer.promise;
    },
  });
  const open = (folder: string) => SemanticIndex.open(folder, { provider });
  // Long enough for a slow machine to ask in between.
  const service = await startServer({ drainTime: 3_000 }, open);
  await service.server.loaded;
  const adding = service.ask('POST', '/documents', { documents: ['one text', 'another text'] });
  await asked.promise;
  const closing = service.server.close();
  const late = await fetch(`${service.url}/ready`);
  expect([late.status, late.headers.get('connection')]).toEqual([503, 'close']);
  answer.resolve();
  expect(await adding).toMatchObject({ status: 200, body: { added: 2 } });
  await closing;
  await expect(service.ask('GET', '/health')).rejects.toThrow();
  await service.stop();
});

test('a port that is in use is a clear error', async () => {
  const service = await startServer();
  const port = Number(new URL(service.url).port);
  await expect(startServer({ port })).rejects.toMatchObject({
    code: 'IO',
    hint: expect.stringContaining('another port'),
  });
  await service.stop();
});
