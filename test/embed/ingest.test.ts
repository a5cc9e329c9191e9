import { spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { openaiProvider, SemanticIndex } from '../../src/index.js';
import { scratchDirectory } from '../scratch-directory.js';
import { type Fault, type MisbehavingServer, misbehavingServer } from './openai/misbehaving-server.js';

const apiKey = 'sk-test-0123456789';
const count = 10_000;
const texts = Array.from(
  { length: count },
  (_, index) => `Document ${index} is about matter number ${(index * 7919) % 104729}.`,
);
const own = new Set(texts);
const faults: Fault[] = [
  'busy',
  'busy silent',
  'broken',
  'cut',
  'cut late',
  'slow',
  'garbage',
  'too few',
  'dimension',
  'nan',
];

let server: MisbehavingServer | undefined;
afterEach(async () => {
  await server?.close();
});

const provider = (baseURL: string) =>
  openaiProvider({ apiKey, baseURL, model: 'any-model', timeout: 5_000, maxBatchSize: 256 });
const billedTwice = ({ billed }: MisbehavingServer): number =>
  [...billed].filter(([text, times]) => own.has(text) && times > 1).reduce((sum, [, times]) => sum + times - 1, 0);

/** Adds all texts in a process of its own, so that it can be killed. */
const program = `
  import { openaiProvider, SemanticIndex } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
  const [directory, baseURL, count] = process.argv.slice(1);
  const provider = openaiProvider({ apiKey: '${apiKey}', baseURL, model: 'any-model', timeout: 30_000, maxBatchSize: 256 });
  const index = await SemanticIndex.open(directory, { provider });
  await index.addDocuments(Array.from({ length: Number(count) }, (_, index) => ({
    id: index, text: \`Document \${index} is about matter number \${(index * 7919) % 104729}.\`,
  })));`;

describe('10,000 documents through a service that misbehaves', () => {
  it('stores every document and embeds none twice', async () => {
    // Every sixth batch meets one fault.
    const met = new Set<string>();
    let batches = 0;
    server = await misbehavingServer({
      dimensions: 32,
      fault: (_, first) => {
        if (met.has(first) || !own.has(first)) return undefined;
        met.add(first);
        return batches++ % 6 === 0 ? faults[((batches / 6) % faults.length) | 0] : undefined;
      },
    });
    const directory = scratchDirectory('ingest-');
    await using index = await SemanticIndex.open(directory, { provider: provider(server.baseURL) });
    const result = await index.addDocuments(texts.map((text, id) => ({ id, text })));
    expect(result).toMatchObject({ added: count, embedded: count });
    expect(await index.count()).toBe(count);
    expect(server.complaints).toEqual([]);
    expect(billedTwice(server)).toBe(0);
    expect(new Set(server.requests.map(({ fault }) => fault)).size).toBeGreaterThan(8);
    const again = await index.addDocuments(texts.map((text, id) => ({ id, text })));
    expect(again).toMatchObject({ unchanged: count, embedded: 0 });
    const {
      hits: [hit],
    } = await index.search(texts[1234] as string, { k: 1 });
    expect(hit?.id).toBe(1234);
  }, 240_000);

  it('embeds at most one batch twice after a kill at 90 % and a second run', async () => {
    const running = await misbehavingServer({ dimensions: 32, delay: 5 });
    server = running;
    const directory = scratchDirectory('ingest-killed-');
    const child = spawn(
      process.execPath,
      ['--input-type=module', '--eval', program, directory, running.baseURL, String(count)],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
    while (running.billed.size < count * 0.9 && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 1));
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    await using index = await SemanticIndex.open(directory, { provider: provider(running.baseURL) });
    const before = await index.count();
    expect(before).toBeGreaterThan(count * 0.8);
    await index.addDocuments(texts.map((text, id) => ({ id, text })));
    expect(await index.count()).toBe(count);
    console.log(`killed at ${before} of ${count} committed documents: ${billedTwice(running)} texts billed again`);
    // A batch of addDocuments is 512 documents by default.
    expect(billedTwice(running)).toBeLessThanOrEqual(512);
    expect(running.complaints).toEqual([]);
  }, 240_000);
});
