import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { type BlockRun, runBlocks } from './run-blocks.js';

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
const programs = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ''], position) => ({
  name: `${position}`,
  code,
}));
let run: BlockRun;
beforeAll(async () => {
  run = await runBlocks('readme', programs);
}, 240_000);

test('the README has programs', () => {
  expect(programs.length).toBeGreaterThanOrEqual(3);
});

test.each(programs)('program $name of the README runs as it stands', ({ name }) => {
  expect(run.results.get(name)).toMatchObject({ error: '', stderr: '' });
  if (name === '0') expect(run.results.get(name)?.stdout).toMatch(/^returns 0\.\d+\n$/);
});

test('the programs of the README keep no process alive', () => {
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
});
