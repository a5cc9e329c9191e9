// How fast are documents added to an index in PostgreSQL, beside one in a directory? Both get the same paragraphs in the same run; then
// both build their approximate index, and answer the same questions. Run: npx tsx bench/postgres-load.ts DATA, where DATA holds
// train/wikipedia.jsonl.xz and eval/squad, and SEMANTIC_INDEX_POSTGRES is the address of a database with pgvector.
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgres, SemanticIndex } from 'semantic-index';
import { readRows } from './data-files.js';
import { benchFlags } from './flags.js';
import { quantiles } from './quantile.js';

const flags = benchFlags(
  'Adds paragraphs to a directory and to PostgreSQL, builds, and searches; prints documents a second and times.',
  {
    documents: [20_000, 'paragraphs'],
    questions: [300, 'questions of each mode'],
    name: ['load', 'schema of the index, which is dropped first'],
    keep: [false, 'keep the index in the database, and use it if it has the documents'],
  },
  { operands: 'DATA' },
);
const connectionString = process.env.SEMANTIC_INDEX_POSTGRES;
if (connectionString === undefined) throw new Error('Set SEMANTIC_INDEX_POSTGRES to the address of a database');

const [data = ''] = flags.operands;
const articles = readRows<{ sections: { paragraphs: string[] }[] }>(data, 'train/wikipedia.jsonl');
const paragraphs = articles.flatMap(({ sections }) => sections.flatMap((section) => section.paragraphs));
const texts = [...new Set(paragraphs)].slice(0, flags.documents);
const documents = texts.map((text, id) => ({ id, text, metadata: { place: id % 100, even: id % 2 === 0 } }));
const questions = readRows<{ question: string }>(data, 'eval/squad/questions.jsonl')
  .filter((_, place) => place % 17 === 0)
  .slice(0, flags.questions)
  .map(({ question }) => question);

async function seconds(work: () => Promise<unknown>): Promise<{ wall: number; processor: number }> {
  const [began, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wall: (performance.now() - began) / 1000, processor: (user + system) / 1e6 };
}

const folder = mkdtempSync(join(tmpdir(), 'semantic-index-load-'));
try {
  if (!flags.keep) {
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString });
    await client.connect();
    await client.query(`DROP SCHEMA IF EXISTS "${flags.name}" CASCADE`);
    await client.end();
  }
  const characters = texts.reduce((sum, text) => sum + text.length, 0) / texts.length;
  console.log(`${texts.length} paragraphs of ${characters.toFixed(0)} characters; load ${loadavg()[0]?.toFixed(1)}`);
  await using local = await SemanticIndex.open(join(folder, 'index'));
  await using remote = await SemanticIndex.open(postgres({ connectionString, name: flags.name }));
  const both = [
    ['directory', local],
    ['PostgreSQL', remote],
  ] as const;
  for (const [name, index] of both) {
    const adding = await seconds(() => index.addDocuments(documents));
    const first = await seconds(() => index.search(questions[0] as string));
    const building = await seconds(() => index.optimize());
    console.log(
      `${name}: added in ${adding.wall.toFixed(1)} s (${adding.processor.toFixed(1)} s of this process), ${(texts.length / adding.wall).toFixed(0)}/s; first search ${(first.wall * 1000).toFixed(0)} ms; built in ${building.wall.toFixed(1)} s`,
    );
  }
  const where = { place: { $lt: 30 } };
  const searches = [
    ['text', { mode: 'text' }],
    ['vector', { mode: 'vector' }],
    ['hybrid', {}],
    ['filtered', { where }],
    ['narrow', { where: { place: 7 } }],
  ] as const;
  for (const [search, options] of searches) {
    const times = new Map(both.map(([name]) => [name, [] as number[]]));
    // In turns, so that the load of the machine is the same for both.
    for (const question of questions) {
      for (const [name, index] of both) {
        const began = performance.now();
        await index.search(question, options);
        times.get(name)?.push(performance.now() - began);
      }
    }
    console.log(`${search}: ${[...times].map(([name, own]) => `${name} ${quantiles(own)}`).join('; ')}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
