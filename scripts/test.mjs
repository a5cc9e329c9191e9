// Runs what there is to test (vitest, then the kernel's own programs through ctest) and ends with one line that sums it
// up. With arguments it runs vitest alone and hands them on: npm test -- test/vectors
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const reports = join(root, '.cache', 'test-reports');
const chosen = process.argv.slice(2);

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit' });
    const pass = (signal) => child.kill(signal);
    process.on('SIGTERM', pass);
    // The terminal interrupts both of us: the child reports what it has, then we do.
    process.on('SIGINT', () => {});
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(1);
    });
    child.on('close', (code) => {
      process.removeListener('SIGTERM', pass);
      resolve(code ?? 1);
    });
  });
}

/** A run that fails without naming a failed test (a crash, no test at all) counts as one failure. */
function counted({ passed, failed, skipped }, exitCode) {
  return { passed, failed: exitCode !== 0 ? Math.max(1, failed) : failed, skipped };
}

async function runVitest() {
  const report = join(reports, 'vitest.json');
  const exitCode = await run(process.execPath, [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...chosen,
  ]);
  if (!existsSync(report)) return counted({ passed: 0, failed: 0, skipped: 0 }, exitCode || 1);
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    readFileSync(report, 'utf8'),
  );
  // A file that does not load fails without any of its tests.
  const brokenFiles = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  const failed = numFailedTests + brokenFiles.length;
  return counted({ passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests }, exitCode);
}

async function runKernelTests() {
  const report = join(reports, 'ctest.xml');
  const exitCode = await run('ctest', [
    '--test-dir',
    join(root, 'native', 'build-tests'),
    '--output-on-failure',
    '--no-tests=error',
    '--output-junit',
    report,
  ]);
  if (!existsSync(report)) return counted({ passed: 0, failed: 0, skipped: 0 }, exitCode || 1);
  const suite = readFileSync(report, 'utf8').match(/<testsuite\b[^>]*>/)?.[0] ?? '';
  const number = (name) => Number(suite.match(new RegExp(`\\b${name}="(\\d+)"`))?.[1] ?? 0);
  const skipped = number('skipped') + number('disabled');
  return counted(
    { passed: number('tests') - number('failures') - skipped, failed: number('failures'), skipped },
    exitCode,
  );
}

rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });
const results = [await runVitest()];
if (chosen.length === 0) results.push(await runKernelTests());
const sum = (name) => results.reduce((total, result) => total + result[name], 0);
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
process.exitCode = sum('failed') > 0 ? 1 : 0;
