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
import type { Mode } from './search/engine.js';
import { describeResults, type EngineResult } from './search/report.js';
import type { ColdFigures } from './search/run-engine.js';

const engines = ['semantic-index', 'lancedb', 'zvec', 'sqlite', 'orama', 'minisearch'];
const here = fileURLToPath(new URL('.', import.meta.url));

const flags = benchFlags(
  'Adds English paragraphs to each engine, asks real questions, and writes a table: time of search by text, vector and both, nDCG@10 and recall@10 beside it, filters, 16 searches at once, additions, disk, memory, and opening. Each measurement follows a warm-up; the first searches of a process are measured in others. DATA holds train/wikipedia.jsonl.xz, train/books.txt.xz and eval/squad. Peers are installed on the first run, from npm.',
  {
    documents: [100_000, 'paragraphs of about 75 words'],
    questions: [1_000, 'questions of SQuAD; each has one right paragraph'],
    'warm-up': [2_000, 'other questions of SQuAD, about other paragraphs, asked before each measurement'],
    more: [19_000, 'paragraphs added after all indexes serve, which the next process finds without one'],
    engines: [engines.join(','), 'which engines, separated by commas'],
    report: [join(here, 'results/search'), 'folder of the report'],
    cache: [join(here, '.cache'), 'folder where paragraphs and their vectors are kept'],
  },
  { operands: 'DATA' },
);
const [data = ''] = flags.operands;

const asked = flags.engines.split(',').map((one) => one.trim());
if (asked.some((name) => name !== 'semantic-index') && !existsSync(join(here, 'peers/node_modules'))) {
  console.log('Installing the peers, because bench/peers/node_modules is missing (minutes) …');
  execFileSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: join(here, 'peers'), stdio: 'inherit' });
}

console.log(`Preparing ${flags.documents} paragraphs …`);
const corpus = await prepareCorpus(data, flags.cache, flags.documents, flags.questions);

async function runEngine<T>(name: string, folder: string, phase: string, detail = ''): Promise<T> {
  const script = join(here, 'search/run-engine.ts');
  const args = ['--expose-gc', '--max-old-space-size=8192', '--import', 'tsx', script];
  const { stdout } = await promisify(execFile)(process.execPath, [...args, name, corpus, folder, phase, detail], {
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) as string) as T;
}

/** Builds an index, and asks it in processes that have not built it. */
async function measured(name: string, folder: string): Promise<EngineResult> {
  const warmUp = String(flags['warm-up']);
  process.stdout.write(`${name}: building … `);
  const built = await runEngine<EngineResult>(name, folder, 'build');
  process.stdout.write('asking … ');
  if (!built.persistent) return runEngine<EngineResult>(name, folder, 'both', warmUp);
  const cold: Partial<Record<Mode, ColdFigures>> = {};
  for (const mode of built.modes) cold[mode] = await runEngine<ColdFigures>(name, folder, 'cold', mode);
  const searched = await runEngine<EngineResult>(name, folder, 'search', warmUp);
  await runEngine(name, folder, 'more', String(Math.min(flags.documents, flags.more)));
  const best = built.modes.includes('hybrid') ? 'hybrid' : 'text';
  const grown = await runEngine<ColdFigures>(name, folder, 'cold', best);
  return { ...searched, built: built.built, cold, grown };
}

const results: Record<string, EngineResult> = {};
for (const name of asked) {
  if (!engines.includes(name)) throw new Error(`There is no engine ${name}: ${engines.join(', ')}`);
  const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'semantic-index-bench-'));
  try {
    const result = await measured(name, folder);
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
    `vectors; only semantic-index embeds the documents while it adds them. Before each measurement ${flags['warm-up']} other questions are ` +
    'asked, or as many as 30 seconds take.',
  '',
  ...describeResults(results, flags.documents),
];
writeFileSync(join(flags.report, `${flags.documents}.md`), `${lines.join('\n')}\n`);
console.log(lines.join('\n'));
