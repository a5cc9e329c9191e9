// How does one PostgreSQL server do with a million documents? Adds them, builds the HNSW index, and prints times, recall against exact
// search, memory and disk. Run, on a machine that does nothing else:
// bash .ci/with-postgres npx tsx bench/postgres-scale.ts DATA, where DATA holds train/wikipedia.jsonl and eval/squad.
// Ctrl-C stops it; with --keep, a later run goes on with the documents that are there.
import { readdirSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { postgres, SemanticIndex } from 'semantic-index';
import { readRows } from './data-files.js';
import { benchFlags } from './flags.js';

const flags = benchFlags(
  'Adds documents to PostgreSQL, builds the HNSW index, searches; prints times, recall, memory and disk.',
  {
    documents: [1_000_000, 'documents: paragraphs, then halves of two paragraphs'],
    questions: [1_000, 'questions of each mode'],
    exact: [50, 'questions for the recall of vectors'],
    batch: [10_000, 'documents of a call of addDocuments'],
    memory: ['3GB', 'maintenance_work_mem of the build, which the graph should fit into'],
    workers: [1, 'parallel workers of the build'],
    halfvec: [false, 'build the HNSW index in half precision'],
    name: ['scale', 'schema of the index, which is dropped first'],
    keep: [false, 'go on with the documents that the index has, and leave it in the database'],
  },
  { operands: 'DATA' },
);
const address = process.env.SEMANTIC_INDEX_POSTGRES;
if (address === undefined) throw new Error('Set SEMANTIC_INDEX_POSTGRES to the address of a database with pgvector');
const { Client } = (await import('pg')).default;
const client = new Client({ connectionString: address });
await client.connect();
const schema = `"${flags.name.replaceAll('"', '""')}"`;
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

function figures(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2);
  return `p50 ${at(0.5)} p90 ${at(0.9)} p99 ${at(0.99)} ms`;
}

/** Bytes that the processes of the server have for themselves or share, from /proc; undefined where that cannot be read. */
async function serverMemory(): Promise<number | undefined> {
  const { rows } = await client.query('SELECT pg_backend_pid() AS process');
  const parentOf = (process: string): string =>
    readFileSync(`/proc/${process}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[1] as string;
  try {
    const server = parentOf(String(rows[0].process));
    let kilobytes = 0;
    for (const process of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        if (process !== server && parentOf(process) !== server) continue;
        kilobytes += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${process}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
      } catch {
        // It has ended meanwhile.
      }
    }
    return kilobytes * 1_024;
  } catch {
    return undefined;
  }
}

const gigabytes = (bytes: number | undefined): string =>
  bytes === undefined ? 'unknown' : `${(bytes / 1e9).toFixed(2)} GB`;

async function memory(): Promise<string> {
  const { rss } = process.memoryUsage();
  return `memory of the server ${gigabytes(await serverMemory())}, of this program ${gigabytes(rss)}`;
}

async function disk(): Promise<string> {
  const { rows } = await client.query(
    `SELECT c.relname AS name, pg_relation_size(c.oid)::float8 + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0)::float8 AS bytes
     FROM pg_class c WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'i') ORDER BY bytes DESC`,
    [schema],
  );
  const sizes = rows as { name: string; bytes: number }[];
  const all = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const largest = sizes.slice(0, 6).map(({ name, bytes }) => `${name} ${gigabytes(bytes)}`);
  return `disk ${gigabytes(all)}: ${largest.join(', ')}`;
}

try {
  if (!flags.keep) await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  const options = `-c maintenance_work_mem=${flags.memory} -c max_parallel_maintenance_workers=${flags.workers}`;
  const url = new URL(address);
  url.searchParams.set('options', options);
  const location = postgres({
    connectionString: url.href,
    name: flags.name,
    hnsw: flags.halfvec ? 'halfvec' : 'vector',
  });
  await using index = await SemanticIndex.open(location, { ann: { background: false } });
  const { rows } = await client.query("SELECT current_setting('shared_buffers') AS buffers, version() AS version");
  print(`${rows[0].version}; shared_buffers ${rows[0].buffers}, ${options}`);
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
  print(`adding took ${((performance.now() - adding) / 1_000).toFixed(0)} s; ${await memory()}; ${await disk()}`);

  const building = performance.now();
  const progress = setInterval(async () => {
    const { rows: running } = await client.query(
      'SELECT phase, tuples_done::float8 AS done FROM pg_stat_progress_create_index',
    );
    for (const { phase, done } of running) print(`${phase}: ${done} of about ${flags.documents}`);
  }, 30_000);
  await index.optimize({ full: true, signal }).finally(() => clearInterval(progress));
  print(`optimize took ${((performance.now() - building) / 1_000).toFixed(0)} s; ${await memory()}; ${await disk()}`);

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
    print(`${mode}: ${figures(times)}`);
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
    `recall@10 of vectors ${(found / wanted).toFixed(4)} for ${times.length} questions; exact search ${figures(times)}`,
  );
  print(await memory());
} finally {
  if (!flags.keep) await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await client.end();
}
