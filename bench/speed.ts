// How fast engines of npm find the ten nearest, how well, and what they cost to build: npx tsx bench/speed.ts --help
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { AnnoyIndex } from 'semantic-index';
import { drawBars, drawRecall } from './speed/plots.js';
import { describeSet } from './speed/report.js';
import type { TrialResult } from './speed/run-trial.js';
import { prepareSet, sets } from './speed/sets.js';
import { trials } from './speed/trials.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const help = `Builds every engine over every set, each in a process of its own, searches with one thread from JavaScript, and writes a
report with recall beside every speed, and plots, into a folder. Peers are installed on the first run, from npm.

Usage: npx tsx bench/speed.ts [options]
  --sets LIST      sets, separated by commas (default clusters-20k); all: ${Object.keys(sets).join(', ')}
  --engines LIST   names of trials, separated by commas (default: all): ${trials.map(({ name }) => name).join(', ')}
  --data FOLDER    where train/ and eval/ are, for texts-200k and sift-10k
  --threads N      threads of builds (default: the number of cores)
  --report FOLDER  where the report goes (default bench/results/speed); results of trials that are not run again are kept
  --cache FOLDER   where sets are kept (default bench/.cache)
  --help           show this`;

const { values: flags } = parseArgs({
  options: {
    sets: { type: 'string', default: 'clusters-20k' },
    engines: { type: 'string', default: trials.map(({ name }) => name).join(',') },
    data: { type: 'string' },
    threads: { type: 'string', default: String(os.availableParallelism()) },
    report: { type: 'string', default: join(here, 'results/speed') },
    cache: { type: 'string', default: join(here, '.cache') },
    help: { type: 'boolean', default: false },
  },
});
if (flags.help) {
  console.log(help);
  process.exit(0);
}

if (!existsSync(join(here, 'peers/node_modules'))) {
  console.log('Installing the peers, because bench/peers/node_modules is missing (minutes) …');
  execFileSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: join(here, 'peers'), stdio: 'inherit' });
}

/** What the engine file of ours calls its library. */
const ours = 'semantic-index';
const chosen = flags.engines.split(',').map((name) => {
  const trial = trials.find((one) => one.name === name.trim());
  if (trial === undefined) throw new Error(`There is no engine ${name}: ${trials.map((one) => one.name).join(', ')}`);
  return trial;
});
mkdirSync(flags.report, { recursive: true });
const resultsFile = join(flags.report, 'results.json');
const results: Record<string, Record<string, TrialResult>> = existsSync(resultsFile)
  ? JSON.parse(readFileSync(resultsFile, 'utf8'))
  : {};

for (const set of flags.sets.split(',')) {
  console.log(`${set}: preparing`);
  const folder = await prepareSet(set, flags.cache, flags.data);
  for (const trial of chosen) {
    process.stdout.write(`${set}: ${trial.name} … `);
    const args = ['--import', 'tsx', join(here, 'speed/run-trial.ts'), JSON.stringify(trial), folder, flags.threads];
    try {
      const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 });
      const result = JSON.parse(stdout.trim().split('\n').at(-1) as string) as TrialResult;
      results[set] = { ...results[set], [trial.name]: result };
      const points = result.points.map(({ recall, mean }) => `${recall.toFixed(3)}: ${mean.toFixed(0)} µs`);
      console.log(`build ${result.buildSeconds.toFixed(1)} s; ${points.join(', ')}`);
      writeFileSync(resultsFile, JSON.stringify(results, undefined, 1));
    } catch (error) {
      console.log(
        `failed: ${String((error as { stderr?: string }).stderr ?? error)
          .split('\n')
          .slice(0, 5)
          .join(' ')}`,
      );
    }
  }
}

const probe = new AnnoyIndex(1, 'angular');
const parts = [
  '# Speed beside recall',
  '',
  `Node ${process.version}, ${os.cpus()[0]?.model}, ${os.availableParallelism()} cores, instruction set ${probe.info().instructionSet}, ` +
    `${Math.round(os.totalmem() / 2 ** 30)} GiB. One process for each line; builds with ${flags.threads} threads where the engine has them, ` +
    'searches with one thread from JavaScript, ten neighbours, times with all overheads; the median of up to three runs. ' +
    'Recall is that of the queries timed. Generators have fixed seeds.',
  '',
];
for (const [set, ofSet] of Object.entries(results)) {
  parts.push(describeSet(set, ofSet, trials, ours));
  const build = Object.fromEntries(Object.entries(ofSet).map(([name, { buildSeconds }]) => [name, buildSeconds]));
  const size = Object.fromEntries(
    Object.entries(ofSet).map(([name, { bytes, rows }]) => [
      name,
      Object.values(bytes).reduce((sum, part) => sum + part, 0) / rows,
    ]),
  );
  writeFileSync(join(flags.report, `${set}-recall.svg`), await drawRecall(set, ofSet));
  writeFileSync(join(flags.report, `${set}-build.svg`), await drawBars(`${set}: build`, 'seconds', build));
  writeFileSync(join(flags.report, `${set}-size.svg`), await drawBars(`${set}: size`, 'bytes a vector', size));
}
writeFileSync(join(flags.report, 'README.md'), parts.join('\n'));
console.log(`The report is ${join(flags.report, 'README.md')}`);
