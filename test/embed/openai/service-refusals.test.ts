import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { openaiProvider } from '../../../src/embed/openai/openai-provider.js';
import { serviceMessage } from '../../../src/embed/openai/service-message.js';
import { SemanticIndex, SemanticIndexError } from '../../../src/index.js';

type Body = { model: string; input: string[]; encoding_format?: string };
type Reply = readonly [status: number, body: unknown];

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that speaks OpenAI's API as `answer` says; the requests that it saw are in `seen`. */
async function serve(answer: (body: Body) => Reply): Promise<{ baseURL: string; seen: Body[] }> {
  const seen: Body[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = JSON.parse(Buffer.concat(parts).toString()) as Body;
    seen.push(body);
    const [status, reply] = answer(body);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof reply === 'string' ? reply : JSON.stringify(reply));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, seen };
}

const numbers = ({ input }: Body): Reply => [
  200,
  { data: input.map((text, index) => ({ index, embedding: [text.length, 1, 2] })), usage: { prompt_tokens: 1 } },
];

async function add(baseURL: string): Promise<number | SemanticIndexError> {
  const provider = openaiProvider({ baseURL, model: 'local', maxRetries: 0 });
  const index = await SemanticIndex.open(':memory:', { provider });
  try {
    return (await index.addDocuments(['one two'])).added;
  } catch (error) {
    if (SemanticIndexError.is(error)) return error;
    throw error;
  } finally {
    await index.close();
  }
}

describe('a server that refuses base64', () => {
  it('gets requests for numbers from then on', async () => {
    const { baseURL, seen } = await serve((body) =>
      body.encoding_format === 'base64' ? [400, { message: 'base64 is unsupported' }] : numbers(body),
    );
    const index = await SemanticIndex.open(':memory:', { provider: openaiProvider({ baseURL, model: 'local' }) });
    await index.addDocuments(['one', 'two']);
    await index.addDocuments(['three']);
    await index.close();
    expect(seen.map((body) => body.encoding_format)).toEqual(['base64', ...Array(seen.length - 1).fill('float')]);
  });

  it('gets requests without the field if it refuses the field itself', async () => {
    const { baseURL } = await serve((body) =>
      'encoding_format' in body
        ? [422, { detail: [{ loc: ['body', 'encoding_format'], msg: 'extra inputs' }] }]
        : numbers(body),
    );
    expect(await add(baseURL)).toBe(1);
  });
});

describe('the message of the server', () => {
  it.each<[string, Reply]>([
    ['{ error: { message } }', [400, { error: { message: 'SAID' } }]],
    ['{ error: text }', [400, { error: 'SAID' }]],
    ['{ object, message, code }', [400, { object: 'error', message: 'SAID', code: 400 }]],
    ['{ detail: text }', [503, { detail: 'SAID' }]],
    ['{ detail: [{ msg }] }', [422, { detail: [{ loc: ['body'], msg: 'SAID' }] }]],
    ['{ errors: [text] }', [400, { errors: ['SAID'] }]],
    ['a text', [502, 'SAID by a proxy']],
    ['another shape', [400, { reasons: { first: 'SAID' } }]],
    ['200 with { error: { message } }', [200, { error: { message: 'SAID', code: 402 } }]],
    ['200 with { detail }', [200, { detail: 'SAID' }]],
  ])('is in the error: %s', async (_, reply) => {
    const { baseURL } = await serve(() => reply);
    const error = await add(baseURL);
    expect(error).toBeInstanceOf(SemanticIndexError);
    expect(error).toMatchObject({ code: 'PROVIDER_FAILED', message: expect.stringContaining('SAID') });
  });

  it('never contains the API key', async () => {
    const secret = 'secret-0123456789';
    const { baseURL } = await serve(() => [400, { message: `the key ${secret} is unknown` }]);
    const index = await SemanticIndex.open(':memory:', {
      provider: openaiProvider({ baseURL, model: 'local', apiKey: secret, maxRetries: 0 }),
    });
    const error = await index.addDocuments(['one']).catch((thrown: SemanticIndexError) => thrown);
    expect(JSON.stringify([String(error), (error as SemanticIndexError).details])).not.toContain(secret);
    await index.close();
  });
});

describe('serviceMessage', () => {
  it('returns a line of at most 301 characters, or undefined, for any body', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.jsonValue({ maxDepth: 6 })), (body) => {
        const message = serviceMessage(body);
        if (message === undefined) return;
        expect(message.length).toBeGreaterThan(0);
        expect(message.length).toBeLessThanOrEqual(301);
        expect(message).not.toMatch(/[\n\r]/);
      }),
    );
  });
});
