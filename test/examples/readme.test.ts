import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { statedOutput } from '../../scripts/api-pages.mjs';
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

test('the README fits on a few screens', () => {
  expect(readme.split('\n').length).toBeLessThanOrEqual(150);
});

test('the README has programs', () => {
  expect(programs.length).toBeGreaterThanOrEqual(2);
});

test.each(programs)('program $name of the README runs unchanged', ({ name }) => {
  expect(run.results.get(name)).toMatchObject({ error: '', stderr: '' });
  const stated = statedOutput(programs.find((program) => program.name === name)?.code ?? '');
  expect(stated.length).toBeGreaterThan(0);
  expect(run.results.get(name)?.stdout.trimEnd().split('\n')).toEqual(stated);
});

test('the programs of the README keep no process alive', () => {
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
});
