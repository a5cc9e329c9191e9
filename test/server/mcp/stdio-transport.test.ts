import { PassThrough } from 'node:stream';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { type JSONRPCMessage, JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TopLevelId } from '../../../src/server/http/top-level-id.js';
import { StdioTransport } from '../../../src/server/mcp/stdio-transport.js';
import { main, runCli, scratchFolder } from '../../cli/run-cli.js';

/** A transport, what it received, and what it answered by itself. */
async function startTransport(maxBytes: number) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const transport = new StdioTransport(input, output, maxBytes, (value) => JSONRPCMessageSchema.parse(value));
  const received: JSONRPCMessage[] = [];
  let closed = false;
  transport.onmessage = (message) => void received.push(message);
  transport.onclose = () => {
    closed = true;
  };
  await transport.start();
  const answers = (): unknown[] =>
    String(output.read() ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  const send = async (...parts: (string | Buffer)[]) => {
    for (const part of parts) input.write(part);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { transport, received, answers, send, closed: () => closed };
}

const ping = (id: number) => ({ jsonrpc: '2.0' as const, id, method: 'ping' });

test('answers a message that is too large with an error, and reads the next one', async () => {
  const { received, answers, send, closed } = await startTransport(1000);
  const large = (id: unknown) =>
    `{"method":"x","params":{"id":1,"text":"${'a'.repeat(2000)}"},"jsonrpc":"2.0","id":${id}}\n`;
  await send(large('"seven"'), `${JSON.stringify(ping(1))}\n`);
  await send(large(8).slice(0, 1500), large(8).slice(1500) + JSON.stringify(ping(2)), '\n');
  expect(answers()).toEqual([
    {
      jsonrpc: '2.0',
      id: 'seven',
      error: { code: -32600, message: expect.stringMatching(/TOO_LARGE.*1000 bytes, got 20\d\d/) },
    },
    { jsonrpc: '2.0', id: 8, error: { code: -32600, message: expect.stringContaining('TOO_LARGE') } },
  ]);
  expect(received).toEqual([ping(1), ping(2)]);
  expect(closed()).toBe(false);
});

test('answers what is not a message with an error, and reads the next one', async () => {
  const { received, answers, send } = await startTransport(1000);
  await send('{"jsonrpc":\n', '[]\n', '{"a":1}\n', '\n', ' \r\n', `${JSON.stringify(ping(1))}\r\n`);
  expect(answers()).toHaveLength(3);
  expect(received).toEqual([ping(1)]);
});

test('reads messages however they are cut', async () => {
  const text = fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(300)), async (methods, cuts) => {
      const { received, answers, send } = await startTransport(100_000);
      const messages = methods.map((method, id) => ({ jsonrpc: '2.0' as const, id, method }));
      const bytes = Buffer.from(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
      const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      await send(...places.slice(1).map((end, part) => bytes.subarray(places[part], end)));
      expect(received).toEqual(messages);
      expect(answers()).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test('finds the id at the top level of any message', () => {
  const id = fc.oneof(fc.integer(), fc.string(), fc.constant(undefined), fc.constant('x"id":7\\'));
  const members = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(id, members, members, fc.integer({ min: 1, max: 50 }), (value, before, after, size) => {
      const message: Record<string, unknown> = { ...before, params: { id: 'inside' }, id: value, ...after };
      const bytes = Buffer.from(JSON.stringify(message));
      const found = new TopLevelId();
      for (let from = 0; from < bytes.length; from += size) found.read(bytes.subarray(from, from + size));
      const expected = message.id;
      const isId = typeof expected === 'string' || typeof expected === 'number';
      expect(found.id).toBe(isId ? expected : undefined);
    }),
    { numRuns: 300 },
  );
});

test('the command continues after a message that is too large', { timeout: 240_000 }, async () => {
  const cwd = scratchFolder();
  await runCli(['init', 'idx'], { cwd });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [main, 'mcp', 'idx'], cwd }));
  const documents = Array.from({ length: 1000 }, (_, id) => ({ id, text: `${id} ${'word '.repeat(2400)}` }));
  await expect(client.callTool({ name: 'add', arguments: { documents } })).rejects.toThrow(/TOO_LARGE/);
  const added = await client.callTool({ name: 'add', arguments: { documents: ['a text'] } });
  expect(added).toMatchObject({ structuredContent: { added: 1 } });
  await client.close();
});
