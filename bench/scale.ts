// How does one index do with a million documents? Adds them, builds its segments or the HNSW index, and prints times, recall against
// exact search, memory and disk. Run, on a machine that does nothing else: npx tsx bench/scale.ts DATA for a directory, or
// bash .ci/with-postgres npx tsx bench/scale.ts DATA --postgres for a server, where DATA holds train/wikipedia.jsonl and eval/squad.
// Ctrl-C stops it; with --keep, a later run goes on with the documents that are there.
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgres, SemanticIndex } from 'semantic-index';
import { readRows } from './data-files.js';
import { benchFlags } from './flags.js';
import { quantiles } from './quantile.js';
import { gigabytes, serverDisk, serverMemory } from './scale/server-figures.js';

const flags = benchFlags(
  'Adds documents to a directory or a server, builds, searches; prints times, recall, memory and disk.',
  {
    documents: [1_000_000, 'documents: paragraphs, then halves of two paragraphs'],
    questions: [1_000, 'questions of each mode'],
    exact: [50, 'questions for the recall of vectors'],
    batch: [10_000, 'documents of a call of addDocuments'],
    postgres: [false, 'an index in the database that SEMANTIC_INDEX_POSTGRES names'],
    memory: ['3GB', 'maintenance_work_mem of the build, which the graph should fit into'],
    workers: [1, 'parallel workers of the build'],
    halfvec: [false, 'build the HNSW index in half precision'],
    name: ['scale', 'schema of the index, or name of its directory for temporary files, which is removed first'],
    keep: [false, 'go on with the documents that the index has, and leave it'],
  },
  { operands: 'DATA' },
);
const stopped = new AbortController();
process.once('SIGINT', () => stopped.abort(new Error('stopped')));
const { signal } = stopped;

const began = performance.now();
const print = (text: string): void => {
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  console.log(`${minutes.padStart(6)} min  load ${loadavg()[0]?.toFixed(1)}  ${text}`);
};

const [data = ''] = flags.operands;
const articles = readRows<{ sections: { paragraphs: string[] }[] }>(data, 'train/wikipedia.jsonl');
const paragraphs = [...new Set(articles.flatMap(({ sections }) => sections.flatMap((section) => section.paragraphs)))];

/** A half of the words of a paragraph. */
function half(paragraph: number, which: 0 | 1): string {
  const words = (paragraphs[paragraph] as string).split(/\s+/);
  const middle = words.length >> 1;
  return (which === 0 ? words.slice(0, middle) : words.slice(middle)).join(' ');
}

/** Each paragraph once; then the first half of each with the second half of another one, which is farther each round. */
function textOf(id: number): string {
  const [round, place] = [Math.floor(id / paragraphs.length), id % paragraphs.length];
  if (round === 0) return paragraphs[place] as string;
  return `${half(place, 0)} ${half((place + 7_919 * round) % paragraphs.length, 1)}`;
}

/** An index, and what there is to say of the place where it lies. */
interface Place {
  readonly index: SemanticIndex;
  readonly about: string;
  memory(): Promise<string>;
  disk(): Promise<string>;
  /** Prints how far a build is. */
  progress?(): Promise<void>;
  end(): Promise<void>;
}

const ownMemory = (): string => `memory of this program ${gigabytes(process.memoryUsage().rss)}`;

async function inDirectory(): Promise<Place> {
  const folder = join(tmpdir(), `semantic-index-${flags.name}`);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  if (!flags.keep) remove();
  mkdirSync(folder, { recursive: true });
  const files = (): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const bytes = (): number => files().reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  const index = await SemanticIndex.open(folder, { ann: { background: false } });
  return {
    index,
    about: `directory ${folder}`,
    memory: async () => ownMemory(),
    disk: async () => `disk ${gigabytes(bytes())}`,
    async end() {
      await index.close();
      if (!flags.keep) remove();
    },
  };
}

async function inPostgres(): Promise<Place> {
  const address = process.env.SEMANTIC_INDEX_POSTGRES;
  if (address === undefined) throw new Error('Set SEMANTIC_INDEX_POSTGRES to the address of a database with pgvector');
  const { Client } = (await import('pg')).default;
  const client = new Client({ connectionString: address });
  await client.connect();
  const schema = `"${flags.name.replaceAll('"', '""')}"`;
  const remove = () => client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  if (!flags.keep) await remove();
  const options = `-c maintenance_work_mem=${flags.memory} -c max_parallel_maintenance_workers=${flags.workers}`;
  const url = new URL(address);
  url.searchParams.set('options', options);
  const hnsw = flags.halfvec ? 'halfvec' : 'vector';
  const location = postgres({ connectionString: url.href, name: flags.name, hnsw });
  const index = await SemanticIndex.open(location, { ann: { background: false } });
  const { rows } = await client.query("SELECT current_setting('shared_buffers') AS buffers, version() AS version");
  return {
    index,
    about: `${rows[0].version}; shared_buffers ${rows[0].buffers}, ${options}`,
    memory: async () => `memory of the server ${gigabytes(await serverMemory(client))}, ${ownMemory()}`,
    disk: () => serverDisk(client, schema),
    async progress() {
      const { rows: running } = await client.query(
        'SELECT phase, tuples_done::float8 AS done FROM pg_stat_progress_create_index',
      );
      for (const { phase, done } of running) print(`${phase}: ${done} of about ${flags.documents}`);
    },
    async end() {
      await index.close();
      if (!flags.keep) await remove();
      await client.end();
    },
  };
}

const place = flags.postgres ? await inPostgres() : await inDirectory();
try {
  const { index } = place;
  print(place.about);
  print(`${flags.documents} documents of ${paragraphs.length} paragraphs`);

  const adding = performance.now();
  for (let from = 0; from < flags.documents; from += flags.batch) {
    const size = Math.min(flags.batch, flags.documents - from);
    const documents = Array.from({ length: size }, (_, place) => ({ id: from + place, text: textOf(from + place) }));
    const batch = performance.now();
    await index.addDocuments(documents, { signal });
    const now = performance.now();
    const perSecond = (count: number, since: number): string => ((count * 1_000) / (now - since)).toFixed(0);
    print(`${from + size} added: ${perSecond(size, batch)}/s, in all ${perSecond(from + size, adding)}/s`);
  }
  print(
    `adding took ${((performance.now() - adding) / 1_000).toFixed(0)} s; ${await place.memory()}; ${await place.disk()}`,
  );

  const building = performance.now();
  const progress = setInterval(() => place.progress?.(), 30_000);
  await index.optimize({ full: true, signal }).finally(() => clearInterval(progress));
  print(
    `optimize took ${((performance.now() - building) / 1_000).toFixed(0)} s; ${await place.memory()}; ${await place.disk()}`,
  );

  const all = readRows<{ question: string }>(data, 'eval/squad/questions.jsonl').map(({ question }) => question);
  const every = Math.max(2, Math.floor(all.length / flags.questions));
  const questions = all.filter((_, place) => place % every === 0).slice(0, flags.questions);
  const warmUp = all.filter((_, place) => place % every === 1).slice(0, flags.questions);
  for (const mode of ['text', 'vector', 'hybrid'] as const) {
    for (const question of warmUp) await index.search(question, { mode, signal });
    const times: number[] = [];
    for (const question of questions) {
      const start = performance.now();
      await index.search(question, { mode, signal });
      times.push(performance.now() - start);
    }
    print(`${mode}: ${quantiles(times)}`);
  }
  let [found, wanted] = [0, 0];
  const times: number[] = [];
  for (const question of questions.slice(0, flags.exact)) {
    const start = performance.now();
    const { hits: nearest } = await index.search(question, { mode: 'vector', exact: true, signal });
    times.push(performance.now() - start);
    const { hits } = await index.search(question, { mode: 'vector', signal });
    const ids = new Set(hits.map(({ id }) => id));
    wanted += nearest.length;
    found += nearest.filter(({ id }) => ids.has(id)).length;
  }
  print(
    `recall@10 of vectors ${(found / wanted).toFixed(4)} for ${times.length} questions; exact search ${quantiles(times)}`,
  );
  print(await place.memory());
} finally {
  await place.end();
}
