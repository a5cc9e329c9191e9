import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const script = (name: string) => import(new URL(`../../scripts/test/${name}.mjs`, import.meta.url).href);
const { listFailures } = await script('list-failures');
const { readKernelReport } = await script('read-kernel-report');

interface Failure {
  name: string;
  message: string;
}

/** Runs vitest on the given files and returns what the reporter of `npm test` made of it. */
async function report(files: Record<string, string>) {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'failed-tests-')));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'test'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, 'test', name), text);
  const file = join(directory, 'report.json');
  const { VITEST, VITEST_POOL_ID, VITEST_WORKER_ID, ...environment } = process.env;
  const code = await new Promise((resolve) => {
    const reporter = join(root, 'scripts', 'test', 'vitest-failures.mjs');
    execFile(
      process.execPath,
      [
        join(root, 'node_modules', 'vitest', 'vitest.mjs'),
        'run',
        '--globals',
        '--root',
        directory,
        `--reporter=${reporter}`,
      ],
      { cwd: directory, env: { ...environment, SEMANTIC_INDEX_TEST_REPORT: file } },
      (error) => resolve(error?.code ?? 0),
    );
  });
  return {
    code,
    ...(JSON.parse(readFileSync(file, 'utf8')) as { passed: number; skipped: number; failures: Failure[] }),
  };
}

describe('what npm test says of a run', () => {
  test('each thing that failed has its place and its reason', { timeout: 240_000 }, async () => {
    const { code, passed, skipped, failures } = await report({
      'good.test.js': "test('counts', () => {});\ntest.skip('is skipped', () => {});",
      'bad.test.js':
        "describe('sums', () => {\n  test('add up', () => {\n    expect({ sum: 3 }).toEqual({ sum: 4 });\n  });\n});",
      'hook.test.js':
        "describe('a hook', () => {\n  afterAll(() => {\n    throw new TypeError('not closed');\n  });\n  test('passes', () => {});\n});",
      'broken.test.js': "import './missing.js';\ntest('never runs', () => {});",
      'stray.test.js': "test('leaves a promise', () => {\n  void Promise.reject(new Error('not awaited'));\n});",
    });
    expect(code).toBe(1);
    expect([passed, skipped]).toEqual([3, 1]);
    const messageOf = (name: string) => failures.find((failure) => failure.name === name)?.message;
    expect(messageOf('test/bad.test.js > sums > add up (test/bad.test.js:3)')).toContain('{ sum: 3 } to deeply equal');
    expect(messageOf('test/hook.test.js > a hook (test/hook.test.js:3)')).toBe('TypeError: not closed');
    expect(failures.find(({ name }) => name.startsWith('test/broken.test.js'))?.message).toContain('missing.js');
    expect(messageOf('test/stray.test.js > Unhandled Rejection')).toMatch(/^Error: not awaited\n.*stray\.test\.js:2/);
    expect(failures).toHaveLength(4);
  });

  test('a run in which nothing failed names nothing', { timeout: 240_000 }, async () => {
    expect(await report({ 'good.test.js': "test('counts', () => {});" })).toEqual({
      code: 0,
      passed: 1,
      skipped: 0,
      failures: [],
    });
    expect(listFailures([])).toEqual([]);
  });

  test('the list is short however much failed, and plain', () => {
    const message = `\u001b[31mexpected 1\u001b[39m\n\n- ${'x'.repeat(500)}\n+ 2\n+ 3\n+ 4\n+ 5\n+ 6`;
    const failed = (count: number) => Array.from({ length: count }, (_, n) => ({ name: `test ${n + 1}`, message }));
    expect(listFailures(failed(1))).toEqual([
      'FAILED test 1',
      '    expected 1',
      `    - ${'x'.repeat(191)}...`,
      '    + 2',
      '    + 3',
      '    + 4',
      '    + 5',
    ]);
    expect(listFailures(failed(2))).toHaveLength(14);
    for (const count of [3, 4, 5]) {
      const lines: string[] = listFailures(failed(count));
      expect(lines.length).toBeLessThanOrEqual(14);
      expect(lines.filter((line) => line.startsWith('FAILED'))).toHaveLength(count);
    }
    const many: string[] = listFailures(failed(300));
    expect(many).toHaveLength(11);
    expect(many.at(-2)).toBe('    expected 1');
    expect(many.at(-1)).toBe('... and 295 more');
  });

  test('reports the end of the output of a kernel test', () => {
    const report = `<?xml version="1.0" encoding="UTF-8" ?>
<testsuite name="(empty)" tests="3" failures="1" disabled="0" skipped="1">
  <testcase name="good_test" classname="good_test" time="0.1" status="run">
    <system-out>1 tests passed
</system-out>
  </testcase>
  <testcase name="bad_test" classname="bad_test" time="0.1" status="fail">
    <failure message="Failed"/>
    <system-out>first\nsecond\nthird\nfourth\nfifth\nforest_test.cpp:12: not so: a &lt; b &amp;&amp; c
</system-out>
  </testcase>
  <testcase name="left_test" classname="left_test" time="0" status="notrun"><skipped/></testcase>
</testsuite>`;
    expect(readKernelReport(report)).toEqual({
      passed: 1,
      skipped: 1,
      failures: [
        {
          name: 'ctest bad_test',
          message: 'second\nthird\nfourth\nfifth\nforest_test.cpp:12: not so: a < b && c\nFailed',
        },
      ],
    });
  });
});
