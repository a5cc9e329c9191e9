// Search as applications do it, from the text of a question to hits with their texts, beside other libraries of npm:
// npx tsx bench/search.ts --help
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { benchFlags } from './flags.js';
import { prepareCorpus } from './search/corpus.js';
import { describeResults, type EngineResult } from './search/report.js';

const engines = ['semantic-index', 'lancedb', 'zvec', 'sqlite', 'orama', 'minisearch'];
const here = fileURLToPath(new URL('.', import.meta.url));

const flags = benchFlags(
  'Adds English paragraphs to each engine, asks real questions, and writes a table: time of search by text, vector and both, nDCG@10 and recall@10 beside it, filters, 16 searches at once, additions, disk, memory, and the first search after opening. DATA holds train/wikipedia.jsonl.xz, train/books.txt.xz and eval/squad. Peers are installed on the first run, from npm.',
  {
    documents: [100_000, 'paragraphs of about 75 words'],
    questions: [1_000, 'questions of SQuAD; each has one right paragraph'],
    engines: [engines.join(','), 'which engines, separated by commas'],
    report: [join(here, 'results/search'), 'folder of the report'],
    cache: [join(here, '.cache'), 'folder where paragraphs and their vectors are kept'],
  },
  { operands: 'DATA' },
);
const [data = ''] = flags.operands;

if (!existsSync(join(here, 'peers/node_modules'))) {
  console.log('Installing the peers, because bench/peers/node_modules is missing (minutes) …');
  execFileSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: join(here, 'peers'), stdio: 'inherit' });
}

console.log(`Preparing ${flags.documents} paragraphs …`);
const corpus = await prepareCorpus(data, flags.cache, flags.documents, flags.questions);

async function runEngine(name: string, folder: string, phase: string): Promise<EngineResult> {
  const script = join(here, 'search/run-engine.ts');
  const args = ['--expose-gc', '--max-old-space-size=8192', '--import', 'tsx', script, name, corpus, folder, phase];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout.trim().split('\n').at(-1) as string) as EngineResult;
}

const results: Record<string, EngineResult> = {};
for (const name of flags.engines.split(',').map((one) => one.trim())) {
  if (!engines.includes(name)) throw new Error(`There is no engine ${name}: ${engines.join(', ')}`);
  const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'semantic-index-bench-'));
  process.stdout.write(`${name}: building … `);
  try {
    // What is on disk is asked in a process that has not built it.
    const built = await runEngine(name, folder, 'build');
    process.stdout.write('asking … ');
    const result = built.persistent
      ? { ...(await runEngine(name, folder, 'search')), built: built.built }
      : await runEngine(name, folder, 'both');
    results[name] = result;
    const modes = Object.entries(result.asked?.byMode ?? {});
    console.log(
      modes.map(([mode, { p50, ndcg }]) => `${mode} ${p50.toFixed(3)} ms (nDCG ${ndcg.toFixed(3)})`).join(', '),
    );
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    console.log(`failed: ${(stderr ?? String(error)).split('\n').slice(0, 8).join('\n')}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

mkdirSync(flags.report, { recursive: true });
writeFileSync(join(flags.report, `${flags.documents}.json`), JSON.stringify(results, undefined, 1));
const lines = [
  `# Search among ${flags.documents.toLocaleString('en')} paragraphs`,
  '',
  `Node ${process.version}, ${os.cpus()[0]?.model}, ${os.availableParallelism()} cores, ${Math.round(os.totalmem() / 2 ** 30)} GiB. ` +
    'Each engine in a process of its own, all in one run. A search begins with the text of a question and ends with ten ' +
    'hits and their texts; embedding the question with the bundled model is part of it. All engines have the same ' +
    'vectors; only semantic-index embeds the documents while it adds them.',
  '',
  ...describeResults(results, flags.documents),
];
writeFileSync(join(flags.report, `${flags.documents}.md`), `${lines.join('\n')}\n`);
console.log(lines.join('\n'));
