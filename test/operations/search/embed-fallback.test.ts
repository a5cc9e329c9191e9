import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openaiProvider, Retriever } from '../../../src/index.js';
import { SemanticIndex } from '../../../src/semantic-index.js';
import { type Fault, type MisbehavingServer, misbehavingServer } from '../../embed/openai/misbehaving-server.js';

const documents = [
  { id: 'returns', text: 'Send the parcel back and we refund the price.' },
  { id: 'delivery', text: 'Orders leave our warehouse the next morning.' },
  { id: 'warranty', text: 'Lamps are repaired free of charge.' },
];

let fault: Fault | undefined;
let server: MisbehavingServer;
let index: SemanticIndex;
const provider = () =>
  openaiProvider({
    apiKey: 'sk-test-0123456789',
    baseURL: server.baseURL,
    dimensions: 8,
    maxRetries: 0,
    model: 'text-embedding-3-small',
  });

beforeAll(async () => {
  server = await misbehavingServer({ fault: () => fault });
  index = await SemanticIndex.open(':memory:', { provider: provider() });
  await index.addDocuments(documents);
});
afterAll(async () => {
  await index.close();
  await server.close();
});
beforeEach(() => {
  fault = undefined;
});

describe('a search whose query cannot be embedded', () => {
  it.each([['hybrid'], ['vector']] as const)('in mode %s is answered by words, with the reason', async (mode) => {
    fault = 'broken';
    const { hits, degraded } = await index.search(`refund by ${mode}`, { mode, k: 1, onProviderFailure: 'text' });
    expect(hits.map(({ id }) => id)).toEqual(['returns']);
    expect(hits[0]?.score).toBeGreaterThan(0);
    expect(hits[0]?.score).toBeLessThanOrEqual(1);
    expect(degraded).toEqual({ reason: 'provider-failure', message: expect.stringContaining('500') });
    fault = undefined;
    const again = await index.search(`refund by ${mode}`, { mode, onProviderFailure: 'text' });
    expect(again.degraded).toBeUndefined();
    expect(again.hits).toHaveLength(documents.length);
  });

  it('waits no longer than its budget', async () => {
    fault = 'slow';
    const began = performance.now();
    const { hits, degraded } = await index.search('refund slowly', { embedBudget: 100, onProviderFailure: 'text' });
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(hits.map(({ id }) => id)).toEqual(['returns']);
    expect(degraded).toEqual({ reason: 'embed-budget', message: expect.stringContaining('100 ms') });
    await expect(index.search('refund slowly', { embedBudget: 100 })).rejects.toMatchObject({
      code: 'PROVIDER_FAILED',
      message: expect.stringContaining('100 ms'),
      hint: expect.stringContaining('onProviderFailure'),
    });
  });

  it('rejects by default', async () => {
    fault = 'broken';
    await expect(index.search('refund for certain')).rejects.toMatchObject({ code: 'PROVIDER_FAILED' });
  });

  it('rejects with the reason of its signal', async () => {
    fault = 'slow';
    const controller = new AbortController();
    const options = { embedBudget: 60_000, onProviderFailure: 'text', signal: controller.signal } as const;
    const pending = index.search('refund never', options);
    controller.abort(new Error('enough'));
    await expect(pending).rejects.toThrow('enough');
  });

  it('leaves other queries of its batch as they are', async () => {
    fault = 'garbage';
    const results = await index.searchMany(['refund the lamp', { id: 'warranty' }], {
      onProviderFailure: 'text',
      k: 2,
    });
    expect(results.map(({ degraded }) => degraded?.reason)).toEqual(['provider-failure', undefined]);
    expect(results[0]?.hits.map(({ id }) => id).sort()).toEqual(['returns', 'warranty']);
    expect(results[1]?.hits).toHaveLength(2);
  });

  it('is reported with a retrieved context', async () => {
    fault = 'broken';
    const retriever = new Retriever(index, { onProviderFailure: 'text' });
    const context = await retriever.retrieve('refund of the price');
    expect(context.degraded?.reason).toBe('provider-failure');
    expect(context.text).toContain('refund the price');
    await expect(new Retriever(index).retrieve('refund of all')).rejects.toMatchObject({ code: 'PROVIDER_FAILED' });
  });

  it.each([
    [{ embedBudget: 0 }, /embedBudget/],
    [{ embedBudget: 1.5 }, /embedBudget/],
    [{ onProviderFailure: 'ignore' }, /onProviderFailure/],
  ])('refuses %j', async (options, message) => {
    const search = index.search('refund', options as object);
    await expect(search).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) });
  });
});
