// Fuzzes every format of the kernel, one after the other, under the address and undefined-behavior sanitizers:
//
//   node scripts/fuzz.mjs [seconds of each, 60] [targets, all]
//
// Builds the fuzzers with clang where necessary. What they found stays in native/build-fuzz/corpus-TARGET, so that a later run goes on
// from there; an input that fails is written there too, as crash-* or timeout-*, and this ends with exit code 1.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const build = join(root, 'native/build-fuzz');
/** Largest inputs: what several blocks of a format take. */
const maxBytes = {
  fuzz_columns: 20_000,
  fuzz_forest: 16_384,
  fuzz_graph: 200_000,
  fuzz_packed_terms: 4_000,
  fuzz_segment: 256,
  fuzz_tail_image: 4_000,
  fuzz_terms: 40_000,
  fuzz_terms_look_up: 40_000,
  fuzz_texts: 20_000,
};

function fail(line) {
  console.error(line);
  process.exit(1);
}

const [seconds = '60', ...named] = process.argv.slice(2);
if (!(Number(seconds) > 0)) fail(`Expected seconds, got ${seconds}`);
const targets = readdirSync(join(root, 'native/fuzz'))
  .filter((name) => /^fuzz_.*\.cpp$/.test(name))
  .map((name) => name.slice(0, -'.cpp'.length))
  .sort();
const unbounded = targets.filter((name) => maxBytes[name] === undefined);
if (unbounded.length > 0) fail(`Expected the largest inputs of ${unbounded.join(', ')} in scripts/fuzz.mjs`);
for (const name of named) if (!targets.includes(name)) fail(`Expected a target of ${targets.join(', ')}, got ${name}`);

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) fail(`${command} ${args[0]} failed: ${error?.message ?? `exit code ${status}`}`);
}

if (!existsSync(join(build, 'CMakeCache.txt'))) {
  const kind = ['-DCMAKE_BUILD_TYPE=RelWithDebInfo', '-DCMAKE_CXX_COMPILER=clang++'];
  run('cmake', [
    '-S',
    'native',
    '-B',
    build,
    ...kind,
    '-DSEMANTIC_INDEX_FUZZ=ON',
    '-DSEMANTIC_INDEX_SANITIZE=address,undefined',
  ]);
}
console.log('Building the fuzzers (minutes the first time) …');
run('cmake', ['--build', build, '--parallel', String(os.availableParallelism())]);

let findings = 0;
for (const target of named.length > 0 ? named : targets) {
  const corpus = join(build, `corpus-${target}`);
  mkdirSync(corpus, { recursive: true });
  const args = [
    `-max_total_time=${seconds}`,
    `-max_len=${maxBytes[target]}`,
    `-artifact_prefix=${corpus}/`,
    '-print_final_stats=1',
  ];
  const { status, stderr } = spawnSync(join(build, target), [...args, corpus], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const runs = Number(/number_of_executed_units: (\d+)/.exec(stderr)?.[1] ?? 0);
  const covered = [...stderr.matchAll(/cov: (\d+)/g)].at(-1)?.[1] ?? '0';
  const isSound = status === 0 && runs > 0;
  if (!isSound) findings++;
  console.log(
    `${target.padEnd(22)} ${String(runs).padStart(12)} runs, ${covered} edges: ${isSound ? 'no finding' : 'FAILED'}`,
  );
  if (!isSound) console.log(stderr.split('\n').slice(-40).join('\n'));
}
if (findings > 0) process.exit(1);
