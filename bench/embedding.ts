// How fast texts become vectors: loading, texts per second by length, where the time goes, one text against plain
// JavaScript, the delay of the event loop, memory over many calls.
// Run: npx tsx bench/embedding.ts --help
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundledProvider, type EmbeddingProvider, transformersProvider } from 'semantic-index';
import { globSync } from 'tinyglobby';
import { readStaticModelConfig, StaticModel } from '../dist/embed/bundled/static-model.js';
import { benchFlags } from './flags.js';

const flags = benchFlags(
  'How fast texts become vectors, where the time goes, and what it does to the event loop and to memory.',
  {
    transformers: [false, 'measure transformers.js as well'],
    batches: [10_000, 'batches over which memory is watched'],
  },
);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'models', 'semantic-index-en');
const words = globSync(['*.md', 'docs/**/*.md', 'node_modules/*/README.md'], { cwd: root })
  .sort()
  .slice(0, 60)
  .flatMap((path) => readFileSync(join(root, path), 'utf8').split(/\s+/))
  .filter((word) => /^[A-Za-z][a-z]*[.,;:]?$/.test(word));

/** Texts of so many English words, each starting elsewhere. */
function textsOf(length: number, count: number): string[] {
  return Array.from({ length: count }, (_, text) =>
    Array.from({ length }, (_, place) => words[(text * 7 + place) % words.length]).join(' '),
  );
}

/** The best of five runs, in microseconds of this process's time and of the clock, per text. */
async function time(count: number, work: () => unknown): Promise<{ own: number; clock: number }> {
  let [own, clock] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let run = 0; run < 5; run++) {
    const [before, started] = [process.cpuUsage(), performance.now()];
    await work();
    const { user, system } = process.cpuUsage(before);
    own = Math.min(own, (user + system) / count);
    clock = Math.min(clock, ((performance.now() - started) * 1000) / count);
  }
  return { own, clock };
}

const micro = (value: number): string => `${value.toFixed(1)} µs`;
const perSecond = (value: number): string => `${Math.round(1e6 / value).toLocaleString('en')}/s`;

/** What anybody would write first: one regular expression, a map, sums over rows of bytes. */
function plainEmbedder(): (text: string) => Float32Array {
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  const vocabulary = new Map<string, number>(
    Object.entries(JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8')).model.vocab),
  );
  const file = readFileSync(join(folder, 'model.safetensors'));
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, start));
  const bytes = file.subarray(start + header.embeddings.data_offsets[0], start + header.embeddings.data_offsets[1]);
  const width: number = config.hidden_size;
  const table = new Int8Array(config.vocab_size * width);
  for (let index = 0; index < table.length; index++) {
    const byte = bytes[index >> 1] as number;
    table[index] = (index % 2 === 0 ? byte & 15 : byte >> 4) - 8;
  }
  const scales = Array.from({ length: config.vocab_size }, (_, row) =>
    file.readFloatLE(start + header.scales.data_offsets[0] + row * 4),
  );
  return (text) => {
    const sums = new Float32Array(width);
    for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+|[^\p{L}\p{N}\s]/gu) ?? []) {
      for (let from = 0; from < word.length; ) {
        let end = word.length;
        while (end > from && !vocabulary.has(word.slice(from, end))) end--;
        if (end === from) break;
        const row = vocabulary.get(word.slice(from, end)) as number;
        const scale = scales[row] as number;
        for (let column = 0; column < width; column++) {
          sums[column] = (sums[column] as number) + scale * (table[row * width + column] as number);
        }
        from = end;
      }
    }
    const length = Math.hypot(...sums);
    return sums.map((sum) => sum / length);
  };
}

async function throughput(name: string, provider: EmbeddingProvider, count: number): Promise<void> {
  await provider.embed(['warm'], { role: 'document' });
  for (const length of [3, 20, 200]) {
    const texts = textsOf(length, length === 200 ? count / 5 : count);
    const { own, clock } = await time(texts.length, async () => {
      for (let start = 0; start < texts.length; start += 1000) {
        await provider.embed(texts.slice(start, start + 1000), { role: 'document' });
      }
    });
    console.log(`${name}, ${length} words: ${perSecond(own)} of its own time, ${perSecond(clock)} by the clock`);
  }
}

async function loopDelay(name: string, provider: EmbeddingProvider): Promise<void> {
  const texts = textsOf(20, 5000);
  const during = async (work: () => Promise<unknown>): Promise<string> => {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    await work();
    delay.disable();
    return `p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`;
  };
  const started = performance.now();
  const busy = await during(() => provider.embed(texts, { role: 'document' }));
  // What other processes do to this one shows while it only waits.
  const idle = await during(() => sleep(Math.max(500, performance.now() - started)));
  console.log(`${name}, event loop while 5,000 texts are embedded: ${busy}; while idle: ${idle}`);
}

async function memory(name: string, provider: EmbeddingProvider, batches: number): Promise<void> {
  const texts = textsOf(12, 64);
  const sizes: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    await provider.embed(texts.slice(batch % 48, (batch % 48) + 16), { role: 'document' });
    if (batch % (batches / 5) === batches / 5 - 1) sizes.push(Math.round(process.memoryUsage.rss() / 2 ** 20));
  }
  console.log(`${name}, resident MB after each fifth of ${batches} calls: ${sizes.join(', ')}`);
}

const load = await time(1, async () => {
  await bundledProvider().embed(['first'], { role: 'document' });
});
console.log(
  `bundled, load and first text: ${(load.own / 1000).toFixed(0)} ms of its own time, ${(load.clock / 1000).toFixed(0)} ms by the clock`,
);
const bundled = bundledProvider();
await throughput('bundled', bundled, 5000);

const model = await StaticModel.load(folder, readStaticModelConfig(folder));
const sample = textsOf(20, 5000);
const tokens = sample.map((text) => model.tokenizer.encode(text));
const tokenize = await time(5000, () => sample.map((text) => model.tokenizer.encode(text)));
const add = await time(5000, () => {
  for (const ids of tokens) {
    model.table.clear();
    model.table.add(ids, model.tokenizer.unknown);
  }
});
const finish = await time(5000, () => sample.map(() => model.table.unit()));
console.log(
  `20 words, ${(tokens.flat().length / 5000).toFixed(1)} tokens: tokenizing ${micro(tokenize.own)}, summing ${micro(add.own)}, scaling ${micro(finish.own)}`,
);

const plain = plainEmbedder();
const singles = sample.slice(0, 2000);
const ours = await time(2000, async () => {
  for (const text of singles) await bundled.embed([text], { role: 'query' });
});
const theirs = await time(2000, () => singles.map(plain));
console.log(`one text of 20 words a call: provider ${micro(ours.own)}, plain JavaScript ${micro(theirs.own)}`);
await loopDelay('bundled', bundled);
await memory('bundled', bundled, flags.batches);

if (flags.transformers) {
  const written = mkdtempSync(join(tmpdir(), 'semantic-index-en-'));
  process.once('exit', () => rmSync(written, { recursive: true }));
  execFileSync(process.execPath, [join(root, 'models', 'write-onnx.mjs'), written]);
  const provider = transformersProvider({ model: written });
  await throughput('transformers, same folder', provider, 2000);
  await loopDelay('transformers', provider);
  await memory('transformers', provider, flags.batches);
  await provider.close?.();
}
