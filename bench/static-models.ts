// How far the vectors of staticProvider are from those of the libraries that made the models: npx tsx bench/static-models.ts --help
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { staticProvider } from 'semantic-index';
import { readData, readRows } from './data-files.js';
import { scoredSentences } from './duplicates/labelled-pairs.js';
import { benchFlags } from './flags.js';

const flags = benchFlags(
  `Writes the model of DATA/teacher as a folder of model2vec and as one of sentence-transformers with a StaticEmbedding module, and
compares the vectors of staticProvider with those that reference.py computes by the definition of both libraries, and with the vectors
that were published with the model. The texts are those of STS Benchmark dev, questions of a quiz, and some of other scripts and signs.`,
  { python: ['python3', 'an interpreter with numpy'] },
  { operands: 'DATA' },
);
const [data = ''] = flags.operands;
const published = 'teacher/potion-base-4m-int8';

const odd = [
  'naïve café, ÀÉÎÕÜ',
  "ALL CAPS don't can't",
  '東京タワー 漢字',
  'Привет, мир!',
  '안녕하세요',
  'καλημέρα',
  'مرحبا بالعالم',
  '🙂 smile',
  'a\u00a0b\tc\u200bd',
  'x'.repeat(150),
  '¿Qué? «Oui» — “no”…',
  '3.14 $5 50%',
];
const texts = [
  ...scoredSentences(data).flatMap(({ first, second }) => [first, second]),
  ...readRows<{ question: string }>(data, 'train/opentriviaqa.jsonl')
    .slice(0, 5000)
    .map(({ question }) => question),
  ...odd,
];

/**
 * Prints the largest difference between a number of a vector and that of its reference. Texts without known tokens are left out: the
 * libraries return zeros for them, staticProvider a vector made from their characters.
 */
async function compare(
  name: string,
  folder: string,
  some: readonly string[],
  references: readonly ArrayLike<number>[],
) {
  const { vectors } = await staticProvider(folder).embed(some, { role: 'document' });
  const known = [...some.keys()].filter((row) => Array.from(references[row] ?? []).some((value) => value !== 0));
  const differences = known.map((row) =>
    Math.max(...Array.from(references[row] ?? [], (value, at) => Math.abs(value - (vectors[row]?.[at] ?? Number.NaN)))),
  );
  const far = known.filter((_, at) => !((differences[at] as number) <= 1e-5));
  const largest = differences.reduce((most, value) => Math.max(most, value), 0);
  console.log(
    `${name}: ${known.length} texts, largest difference ${largest.toExponential(1)}, ${far.length} above 1e-5; ${some.length - known.length} without known tokens`,
  );
  for (const row of far.slice(0, 10)) console.log(`  ${JSON.stringify(some[row])}`);
}

const root = mkdtempSync(join(tmpdir(), 'static-models-'));
try {
  const script = fileURLToPath(new URL('static-models/reference.py', import.meta.url));
  execFileSync(flags.python, [script, join(data, published), root], { input: JSON.stringify(texts) });
  for (const layout of ['model2vec', 'sentence-transformers']) {
    const bytes = readFileSync(join(root, `${layout}.f64`));
    const numbers = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
    const width = numbers.length / texts.length;
    const references = texts.map((_, row) => numbers.subarray(row * width, (row + 1) * width));
    await compare(layout, join(root, layout), texts, references);
  }
  const golden = JSON.parse(readData(data, `${published}/golden.json`)) as { text: string; embedding: number[] }[];
  await compare(
    'published vectors',
    join(data, published),
    golden.map(({ text }) => text),
    golden.map(({ embedding }) => embedding),
  );
} finally {
  rmSync(root, { recursive: true });
}
