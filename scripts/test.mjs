// Runs what there is to test (vitest and, beside it, the kernel's own programs through ctest) and ends with one line that
// sums it up, below what failed. With arguments it runs vitest alone and hands them on: npm test -- test/vectors
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, constants, setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listFailures } from './test/list-failures.mjs';
import { readKernelReport } from './test/read-kernel-report.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const reports = join(root, '.cache', 'test-reports');
const chosen = process.argv.slice(2);

/** With `behind`, what the command prints is kept for the caller, and it runs where others leave the processor idle. */
function run(command, args, { environment = {}, behind = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: behind ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      env: { ...process.env, ...environment },
    });
    const printed = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part) => printed.push(part));
    child.on('spawn', () => behind && setPriority(child.pid, constants.priority.PRIORITY_LOW));
    const pass = (signal) => child.kill(signal);
    process.on('SIGTERM', pass);
    // The terminal interrupts both of us: the child reports what it has, then we do.
    process.on('SIGINT', () => {});
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve({ exitCode: 1, output: '' });
    });
    child.on('close', (code) => {
      process.removeListener('SIGTERM', pass);
      resolve({ exitCode: code ?? 1, output: Buffer.concat(printed).toString() });
    });
  });
}

/** A run that fails and does not say where counts as one failure. */
function explained({ passed, skipped, failures }, program, exitCode) {
  const silent = exitCode !== 0 && failures.length === 0;
  const message = `ended with exit code ${exitCode} and named no failed test`;
  return { passed, skipped, failures: silent ? [{ name: program, message }] : failures };
}

const nothing = { passed: 0, skipped: 0, failures: [] };

async function runVitest() {
  const report = join(reports, 'vitest.json');
  const { exitCode } = await run(
    process.execPath,
    [
      join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--reporter=default',
      `--reporter=${join(root, 'scripts', 'test', 'vitest-failures.mjs')}`,
      ...chosen,
    ],
    { environment: { SEMANTIC_INDEX_TEST_REPORT: report } },
  );
  if (!existsSync(report)) return explained(nothing, 'vitest', exitCode || 1);
  return explained(JSON.parse(readFileSync(report, 'utf8')), 'vitest', exitCode);
}

async function runKernelTests() {
  const report = join(reports, 'ctest.xml');
  const jobs = String(Math.max(1, Math.floor(availableParallelism() / 2)));
  const { exitCode, output } = await run(
    'ctest',
    [
      ...['--test-dir', join(root, 'native', 'build-tests'), '--parallel', jobs],
      ...['--output-on-failure', '--no-tests=error', '--output-junit', report],
    ],
    { behind: true },
  );
  const results = existsSync(report) ? readKernelReport(readFileSync(report, 'utf8')) : nothing;
  return { ...explained(results, 'ctest', existsSync(report) ? exitCode : exitCode || 1), output };
}

rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });
// The kernel's programs need a processor, vitest's tests often wait: together they take little more than vitest alone.
const kernelTests = chosen.length === 0 ? runKernelTests() : undefined;
const results = [await runVitest()];
if (kernelTests !== undefined) {
  const { output, ...kernelResults } = await kernelTests;
  process.stdout.write(output);
  results.push(kernelResults);
}
const failures = results.flatMap((result) => result.failures);
const sum = (name) => results.reduce((total, result) => total + result[name], 0);
console.log(['', ...listFailures(failures)].join('\n'));
console.log(`${sum('passed')} passed, ${failures.length} failed, ${sum('skipped')} skipped`);
process.exitCode = failures.length > 0 ? 1 : 0;
