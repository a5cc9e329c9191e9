// Runs the contract of backends over every backend, and prints a table: the same tests by name, and how many of them pass in each. With
// SEMANTIC_INDEX_POSTGRES also over that server. Exit code 1 when a test fails, or a backend lacks one that others have.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const backends = ['directory', 'memory', 'two shards', 'PGlite', 'PostgreSQL server', 'two shards of a server'];
const files = ['folder', 'memory', 'shards', 'pglite', 'postgres-server', 'postgres-shards'].map(
  (name) => `test/contracts/${name}.test.ts`,
);
/** Tests of what PostgreSQL alone refuses. */
const ofPostgres = 'refusals';

const folder = mkdtempSync(join(tmpdir(), 'semantic-index-conformance-'));
const report = join(folder, 'report.json');
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
spawnSync(process.execPath, [vitest, 'run', '--reporter=json', `--outputFile=${report}`, ...files], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
});
const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
rmSync(folder, { recursive: true, force: true });

/** By name of the test: its state in each backend. */
const tests = new Map();
for (const { ancestorTitles, title, status } of testResults.flatMap(({ assertionResults }) => assertionResults)) {
  const full = [...ancestorTitles, title].join(' > ');
  const backend = backends.find((name) => full.startsWith(`${name}:`));
  if (backend === undefined) continue;
  const name = full.slice(backend.length + 2);
  tests.set(name, { ...tests.get(name), [backend]: status });
}
const run = backends.filter((backend) => [...tests.values()].some((states) => states[backend] !== undefined));
const groups = new Map();
for (const [name, states] of tests) {
  const group = name.includes(' > ') ? name.slice(0, name.indexOf(' > ')) : 'settings and facts';
  groups.set(group, [...(groups.get(group) ?? []), { name, states }]);
}
console.log(`| group | tests | ${run.join(' | ')} |`);
console.log(`|---|---|${run.map(() => '---').join('|')}|`);
// A file that cannot be loaded has no tests, and its backend would be left out.
const problems = testResults
  .filter(({ assertionResults }) => assertionResults.length === 0)
  .map(({ name, message }) => `${relative(root, name)} has no tests: ${message}`);
for (const [group, list] of groups) {
  const cells = run.map((backend) => {
    const count = (state) => list.filter(({ states }) => states[backend] === state).length;
    const skipped = count('pending') + count('skipped');
    for (const { name, states } of list) {
      const state = states[backend];
      if (state === 'failed') problems.push(`${backend}: ${name} failed`);
      if (state === undefined && group !== ofPostgres) problems.push(`${backend}: ${name} is missing`);
    }
    if (list.every(({ states }) => states[backend] === undefined)) return '–';
    return skipped > 0 ? `${count('passed')}, ${skipped} skipped` : String(count('passed'));
  });
  console.log(`| ${group} | ${list.length} | ${cells.join(' | ')} |`);
}
const skipped = [...tests].flatMap(([name, states]) => {
  const where = run.filter((backend) => ['pending', 'skipped'].includes(states[backend]));
  return where.length === 0 ? [] : [`${name}: ${where.join(', ')}`];
});
if (skipped.length > 0) console.log(`\nSkipped, as one process has the index:\n${skipped.join('\n')}`);
if (!run.includes('PostgreSQL server')) console.log('\nSet SEMANTIC_INDEX_POSTGRES to include a server.');
if (problems.length > 0) {
  console.log(`\n${problems.join('\n')}`);
  process.exitCode = 1;
}
