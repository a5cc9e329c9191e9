// Which stage of adding texts takes how long: npx tsx bench/stages.ts --help
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { AnnoyIndex, bundledProvider, SemanticIndex } from 'semantic-index';
import { benchFlags } from './flags.js';
import { generatedTexts } from './generated-texts.js';
import { uniform } from './speed/clusters.js';

const flags = benchFlags(
  `Adds texts of about thirty words to an index until a forest serves them all; then runs each stage alone over the same
texts: embedding (tokens included), the catalog, the forest, its graph index.`,
  {
    documents: [100_000, 'texts'],
    data: [
      undefined,
      'where train/wikipedia.jsonl.xz is: its paragraphs, cut to thirty words; else words are generated',
    ],
  },
);

const wanted = flags.documents;
const wordsOfText = 30;

function realTexts(data: string): string[] {
  const lines = execFileSync('xz', ['-dc', join(data, 'train', 'wikipedia.jsonl.xz')], { maxBuffer: 2 ** 30 })
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
  const texts: string[] = [];
  for (const line of lines) {
    for (const section of (JSON.parse(line) as { sections: { paragraphs: string[] }[] }).sections) {
      const words = section.paragraphs.join(' ').split(' ');
      for (let first = 0; first + wordsOfText <= words.length; first += wordsOfText) {
        texts.push(words.slice(first, first + wordsOfText).join(' '));
        if (texts.length === wanted) return texts;
      }
    }
  }
  return texts;
}

const texts =
  flags.data === undefined
    ? Array.from({ length: wanted }, generatedTexts(uniform(1), wordsOfText))
    : realTexts(flags.data);
const folder = mkdtempSync(join(os.tmpdir(), 'semantic-index-stages-'));
const seconds = async (work: () => Promise<void>): Promise<number> => {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
};

try {
  const index = await SemanticIndex.open(join(folder, 'whole'));
  const adding = await seconds(async () => {
    await index.addDocuments(texts);
  });
  const building = await seconds(async () => {
    await index.optimize({ full: true });
  });
  const { segments, tail } = await index.stats();
  await index.close();
  const whole = adding + building;
  console.log(
    `${texts.length} texts, ${os.availableParallelism()} cores: added in ${adding.toFixed(1)} s, all in ${segments.length} segments ` +
      `(tail ${tail}) ${building.toFixed(1)} s later: ${(texts.length / whole).toFixed(0)} documents/s`,
  );

  const stages: [string, number][] = [];
  const provider = bundledProvider();
  const vectors: Float32Array[] = [];
  stages.push([
    'tokens and embedding',
    await seconds(async () => {
      for (let first = 0; first < texts.length; first += 512) {
        vectors.push(...(await provider.embed(texts.slice(first, first + 512), { role: 'document' })).vectors);
      }
    }),
  ]);
  await provider.close?.();
  const catalog = await SemanticIndex.open(join(folder, 'catalog'), {
    provider: null,
    ann: { background: false, sealAt: texts.length + 1 },
  });
  stages.push([
    'catalog (text, its words, vector, ids)',
    await seconds(async () => {
      await catalog.addDocuments(texts.map((text, row) => ({ text, vector: vectors[row] as Float32Array })));
    }),
  ]);
  await catalog.close();
  const dimensions = (vectors[0] as Float32Array).length;
  const forest = new AnnoyIndex(dimensions, 'angular', { seed: 1 });
  const rows = new Float32Array(vectors.length * dimensions);
  for (const [row, vector] of vectors.entries()) rows.set(vector, row * dimensions);
  stages.push([
    'copies into the native index',
    await seconds(async () => {
      forest.addItems(rows);
    }),
  ]);
  stages.push([
    'forest of 10 trees',
    await seconds(async () => {
      await forest.build(10);
    }),
  ]);
  await forest.save(join(folder, 'forest.ann'));
  stages.push([
    'graph',
    await seconds(async () => {
      await forest.buildGraph();
    }),
  ]);
  await forest.close();
  const sum = stages.reduce((total, [, time]) => total + time, 0);
  console.log(`each stage alone, ${sum.toFixed(1)} s in all:`);
  for (const [name, time] of stages.toSorted((a, b) => b[1] - a[1])) {
    console.log(
      `  ${name.padEnd(40)} ${time.toFixed(2).padStart(6)} s  ${((100 * time) / sum).toFixed(0).padStart(3)} %`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
