// Ingest through a service that takes its time and misbehaves: total time against the ideal, what was billed twice.
// The ideal is that of a client without any work of its own: so many requests at a time, each as long as the service takes.
// Run: npx tsx bench/embedding-service.ts --help
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openaiProvider, SemanticIndex } from 'semantic-index';
import { type Fault, misbehavingServer } from '../test/embed/openai/misbehaving-server.js';
import { benchFlags } from './flags.js';

const { documents, delay, parallel } = benchFlags(
  'Adds texts through a slow service that misbehaves; prints the time against the ideal, and tokens billed twice.',
  {
    documents: [10_000, 'texts'],
    delay: [100, 'milliseconds that the service takes'],
    parallel: [4, 'requests at a time'],
  },
);
const words = 'harbour engine rain letter mountain paper river signal garden winter'.split(' ');
const texts = Array.from({ length: documents }, (_, index) =>
  [index, ...Array.from({ length: 19 }, (_, place) => words[(index * 7 + place * 3) % 10])].join(' '),
);
const own = new Set(texts);
const faults: Fault[] = ['busy', 'busy silent', 'broken', 'cut', 'cut late', 'garbage', 'too few', 'dimension', 'nan'];

async function ingest(name: string, misbehaves: boolean): Promise<void> {
  const met = new Set<string>();
  let calls = 0;
  const server = await misbehavingServer({
    dimensions: 256,
    delay,
    fault: (_, first) => {
      if (!misbehaves || met.has(first) || !own.has(first)) return undefined;
      met.add(first);
      return calls++ % 6 === 0 ? faults[((calls / 6) | 0) % faults.length] : undefined;
    },
  });
  const folder = mkdtempSync(join(tmpdir(), 'semantic-index-bench-'));
  try {
    const provider = openaiProvider({
      apiKey: 'sk-test-0123456789',
      baseURL: server.baseURL,
      model: 'text-embedding-3-small',
      dimensions: 256,
      maxParallelCalls: parallel,
    });
    await using index = await SemanticIndex.open(join(folder, 'index'), { provider });
    await index.addDocuments(['warm']);
    const before = server.requests.length;
    const plan = await index.plan(texts);
    const began = performance.now();
    const { added, embedded } = await index.addDocuments(texts);
    const took = performance.now() - began;
    const requests = server.requests.slice(before);
    const ideal = (Math.ceil(requests.length / parallel) * delay) / 1000;
    const twice = [...server.billed].filter(([text, times]) => own.has(text) && times > 1).length;
    const most = (of: (request: (typeof requests)[number]) => number): number => Math.max(...requests.map(of));
    console.log(
      `${name}: ${added} added, ${embedded} embedded (planned ${plan.embed}, ${plan.tokens} tokens), ${twice} billed twice; ` +
        `${requests.length} requests, at most ${server.maxAtOnce} at once, ${most((r) => r.inputs)} inputs, ${most((r) => r.tokens)} tokens; ` +
        `complaints of the service: ${server.complaints.length}; ` +
        `${(took / 1000).toFixed(2)} s, ideal ${ideal.toFixed(2)} s (${((100 * ideal * 1000) / took).toFixed(0)} %)`,
    );
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

await ingest('a service that behaves', false);
await ingest('every sixth request meets a fault', true);
