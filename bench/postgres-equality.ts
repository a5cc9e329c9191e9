// Does an index in PostgreSQL give the answers of one in a directory? The same documents in both, the same questions and filters:
// identical ids, scores to 1e-6, and times. Run: npx tsx bench/postgres-equality.ts DATA [--among FILE] [--shards N [--server]], where DATA
// holds eval/squad and SEMANTIC_INDEX_POSTGRES is the address of a database with pgvector.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Metadata, postgres, type SearchResult, SemanticIndex, type Where } from 'semantic-index';
import { benchFlags } from './flags.js';
import { randomNumbers } from './generated-vectors.js';
import { quantiles } from './quantile.js';

const flags = benchFlags(
  'Compares an index in PostgreSQL with one in a directory. DATA holds eval/squad.',
  {
    among: ['', 'file of other texts, one a line'],
    documents: [20_000, 'documents'],
    questions: [500, 'questions of each mode'],
    filters: [40, 'random filters'],
    filtered: [25, 'questions of each filter'],
    name: ['equality', 'schema of the index, which is dropped first'],
    shards: [1, 'schemas that the documents are spread over'],
    server: [false, 'compare the shards with an index in one schema: lists may differ in ties only'],
    keep: [false, 'keep the index in the database, and use it if it has the documents'],
    seed: [1, 'of the random filters'],
  },
  { operands: 'DATA' },
);
const address = process.env.SEMANTIC_INDEX_POSTGRES;
if (address === undefined) throw new Error('Set SEMANTIC_INDEX_POSTGRES to the address of a database with pgvector');
const random = randomNumbers(flags.seed);

function rows<T>(path: string): T[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as T);
}

function metadataOf(place: number): Metadata {
  const metadata: Record<string, Metadata[string]> = {
    year: 1900 + ((place * 7) % 125),
    lang: ['en', 'de', 'fr'][place % 3] as string,
    tags: [`t${place % 10}`, `u${place % 97}`],
    author: { name: `a${place % 50}`, age: place % 11 === 0 ? null : place % 80 },
    rare: place % 1000,
  };
  if (place % 5 === 0) delete metadata.lang;
  if (place % 7 === 0) metadata.year = String(metadata.year);
  if (place % 13 === 0) metadata.parts = [{ n: place % 4, tag: 'x' }, { n: place % 6 }];
  return metadata;
}

const [data = ''] = flags.operands;
const squad = join(data, 'eval', 'squad');
const texts = rows<{ text: string }>(join(squad, 'paragraphs.jsonl')).map(({ text }) => text);
if (flags.among !== '')
  texts.push(
    ...readFileSync(flags.among, 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== ''),
  );
const documents = texts
  .slice(0, flags.documents)
  .map((text, place) => ({ id: place % 3 === 0 ? place : `d${place}`, text, metadata: metadataOf(place) }));
const all = rows<{ question: string }>(join(squad, 'questions.jsonl'));
const step = Math.max(1, Math.floor(all.length / flags.questions));
const questions = all.filter((_, place) => place % step === 0).slice(0, flags.questions);

/** One random condition on one field, by an operator that the field has values for. */
function randomCondition(): Where {
  const number = (below: number): number => Math.floor(random() * below);
  const conditions: (() => Where)[] = [
    () => ({ year: { $gte: 1900 + number(125) } }),
    () => ({ year: { $lt: 1900 + number(125), $ne: 1950 } }),
    () => ({ year: String(1900 + number(125)) }),
    () => ({ lang: ['en', 'de', 'fr'][number(3)] as string }),
    () => ({ lang: null }),
    () => ({ lang: { $gt: 'de' } }),
    () => ({ lang: { $exists: random() < 0.5 } }),
    () => ({ tags: `t${number(10)}` }),
    () => ({ tags: { $contains: `u${number(97)}` } }),
    () => ({ tags: { $all: [`t${number(10)}`, `u${number(97)}`] } }),
    () => ({ tags: { $size: 1 + number(3) } }),
    () => ({ 'author.name': { $in: [`a${number(50)}`, `a${number(50)}`, 'unknown'] } }),
    () => ({ 'author.age': { $lte: number(80) } }),
    () => ({ 'author.age': null }),
    () => ({ author: { $exists: true } }),
    () => ({ rare: number(1000) }),
    () => ({ rare: { $nin: [number(1000), number(1000), '7'] } }),
    () => ({ 'parts.n': number(6) }),
    () => ({ parts: { $elemMatch: { n: { $gte: number(4) }, tag: 'x' } } }),
    () => ({ 'parts.0.n': { $lt: 2 } }),
  ];
  return (conditions[number(conditions.length)] as () => Where)();
}

function randomFilter(depth = 0): Where {
  const kind = random();
  if (depth > 1 || kind < 0.4) return randomCondition();
  if (kind < 0.6) return { $and: [randomFilter(depth + 1), randomFilter(depth + 1)] } as Where;
  if (kind < 0.85) return { $or: [randomFilter(depth + 1), randomFilter(depth + 1)] } as Where;
  return { $not: randomFilter(depth + 1) } as Where;
}

function difference(one: SearchResult, other: SearchResult): { same: boolean; score: number } {
  const scores = new Map(one.hits.map(({ id, score }) => [id, score]));
  const isSame = one.hits.every(({ id }, place) => other.hits[place]?.id === id);
  const same = one.hits.length === other.hits.length && (isSame || (flags.server && differsInTies(one, other)));
  const score = Math.max(0, ...other.hits.map(({ id, score }) => Math.abs(score - (scores.get(id) ?? score))));
  return { same, score };
}

/** Whether two lists differ only in hits of equal scores, which shards have no common order of. */
function differsInTies(one: SearchResult, other: SearchResult): boolean {
  if (one.hits.some(({ score }, place) => other.hits[place]?.score !== score)) return false;
  const last = one.hits.at(-1)?.score ?? 0;
  const above = ({ hits }: SearchResult) => new Set(hits.filter(({ score }) => score > last).map(({ id }) => id));
  const [own, others] = [above(one), above(other)];
  return own.size === others.size && [...own].every((id) => others.has(id));
}

async function timed<T>(work: () => Promise<T>, times?: number[]): Promise<T> {
  const began = performance.now();
  const result = await work();
  times?.push(performance.now() - began);
  return result;
}

const names =
  flags.shards === 1 ? [flags.name] : Array.from({ length: flags.shards }, (_, place) => `${flags.name}_${place}`);
const reference = flags.server ? 'one server' : 'directory';
/** Lists that may differ: a difference in the last bit of two distances exchanges two hits. */
const mayDiffer = (lists: number): number => (flags.server ? 0 : Math.max(1, lists / 500));
const folder = mkdtempSync(join(tmpdir(), 'semantic-index-equality-'));
let failures = 0;
try {
  const pg = (await import('pg')).default;
  if (!flags.keep) {
    const client = new pg.Client({ connectionString: address });
    await client.connect();
    for (const name of new Set([...names, flags.name])) await client.query(`DROP SCHEMA IF EXISTS "${name}" CASCADE`);
    await client.end();
  }
  await using local = await SemanticIndex.open(
    flags.server ? postgres({ connectionString: address, name: flags.name }) : join(folder, 'index'),
  );
  await using remote = await SemanticIndex.open(
    flags.shards === 1
      ? postgres({ connectionString: address, name: flags.name })
      : postgres({ shards: names.map((name) => ({ connectionString: address, name })) }),
  );
  for (const [name, index] of [
    [reference, local],
    ['PostgreSQL', remote],
  ] as const) {
    const began = performance.now();
    const { added } = await index.addDocuments(documents);
    const seconds = (performance.now() - began) / 1000;
    const optimizing = performance.now();
    await index.optimize({ full: true });
    console.log(
      `${name}: ${added} added in ${seconds.toFixed(1)} s, ${(documents.length / seconds).toFixed(0)}/s; optimized in ${((performance.now() - optimizing) / 1000).toFixed(1)} s`,
    );
  }
  for (const mode of ['vector', 'text', 'hybrid'] as const) {
    for (const exact of [true, false]) {
      const times: [number[], number[]] = [[], []];
      let [same, most, overlap] = [0, 0, 0];
      for (const { question } of questions) {
        const one = await timed(() => local.search(question, { mode, exact }), times[0]);
        const other = await timed(() => remote.search(question, { mode, exact }), times[1]);
        const { same: isSame, score } = difference(one, other);
        if (isSame) same++;
        most = Math.max(most, score);
        const ids = new Set(one.hits.map(({ id }) => id));
        overlap += other.hits.filter(({ id }) => ids.has(id)).length / Math.max(1, one.hits.length);
      }
      if (exact && (same < questions.length - mayDiffer(questions.length) || most > 1e-6)) failures++;
      console.log(
        `${mode} ${exact ? 'exact' : 'approximate'}: ${same} of ${questions.length} identical, largest difference of scores ${most.toExponential(1)}, overlap ${(overlap / questions.length).toFixed(4)}; ${reference} ${quantiles(times[0])}, PostgreSQL ${quantiles(times[1])}`,
      );
    }
  }
  let [same, lists, most, short] = [0, 0, 0, 0];
  const times: number[] = [];
  for (let filter = 0; filter < flags.filters; filter++) {
    const where = randomFilter();
    const matches = await local.count({ where });
    if ((await remote.count({ where })) !== matches) {
      console.log(`different counts for ${JSON.stringify(where)}`);
      failures++;
    }
    let [ownSame] = [0];
    for (let place = 0; place < flags.filtered; place++) {
      const { question } = questions[(filter * flags.filtered + place) % questions.length] as { question: string };
      const options = { where, exact: true, mode: (['hybrid', 'vector', 'text'] as const)[place % 3] as 'hybrid' };
      const one = await local.search(question, options);
      const other = await timed(() => remote.search(question, options), times);
      const { same: isSame, score } = difference(one, other);
      lists++;
      if (isSame) ownSame++;
      most = Math.max(most, score);
      const approximate = await remote.search(question, { where, mode: 'vector' });
      if (approximate.hits.length !== Math.min(10, matches)) short++;
    }
    same += ownSame;
    if (ownSame < flags.filtered) console.log(`${ownSame} of ${flags.filtered} for ${JSON.stringify(where)}`);
  }
  if (same < lists - mayDiffer(lists) || most > 1e-6 || short > 0) failures++;
  console.log(
    `filters: ${same} of ${lists} lists identical, largest difference of scores ${most.toExponential(1)}, ${short} approximate answers short of min(k, matches); PostgreSQL ${quantiles(times)}`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (failures > 0) {
  console.log(`${failures} comparisons failed`);
  process.exitCode = 1;
}
