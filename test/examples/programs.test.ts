import { expect, test } from 'vitest';
import { startLocalService } from '../../examples/openai/local-service.js';
import { ProgramProcess } from './program-process.js';

const programs = new ProgramProcess();

test.each<[string, RegExp]>([
  ['filters', /after 1860: +\[ 2, 3, 4 \][\s\S]*at sea: +\[ 1, 4 \][\s\S]*nested: +\[ 4 \][\s\S]*spies: +\[ 1, 4 \]/],
  [
    'annoy-index',
    /2000 items, 10 trees; nearest to 17: 17, \d+, \d+\nsearchK 200 finds [\s\S]*searchK 5000 finds 10 of/,
  ],
  [
    'dedupe',
    /6 of 18 say what another one says[\s\S]*order 3318\.\n +8 {2}exact +1\.00 *\n[\s\S]*\n +6 {2}near +0\.\d\d {2}-Is it possible to {2}\+Can I\n/,
  ],
  [
    'tuning',
    /questions held back\n[\s\S]*\nexact +1\.000 [\s\S]*\nchosen for 0\.95: .*\nheld against \d+ questions it never saw: (?:0\.9|1\.0)\d+\n$/,
  ],
  ['shards', /^0\.\d{3} {2}(?:2023-0|2024-0|2025-1) {2}.*\n0\.\d{3} .*\n0\.\d{3} .*\n$/],
  [
    'blue-green',
    /^blue: {2}Orders leave in the morning\..*\ngreen: Shops open at nine\.\nEvery request meanwhile was answered\.\n$/,
  ],
  ['rest-client', /^added 2\n0\.\d{3} {2}returns [\s\S]*refused: DIMENSION_MISMATCH/],
  ['openai', /^2 texts of \d+ tokens are to be embedded\nembedded 2, then 0\nreturns\n$/],
])('examples/%s.ts runs offline', { timeout: 240_000 }, async (name, output) => {
  const { code, stdout, stderr } = await programs.run(`examples/${name}.ts`);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(output);
});

test('the chatbot holds a conversation offline, and cites lines', { timeout: 240_000 }, async () => {
  const questions = ['How do I make a backup?', 'And how do I restore it?'];
  const { code, stdout, stderr } = await programs.run('examples/chatbot.ts', ['docs', ...questions]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [first = '', second = ''] = stdout.split('> And how do I restore it?');
  expect(first).toMatch(/^> How do I make a backup\?\nThe passages say: .+ \[1\]\n/);
  expect(first).toMatch(/\n\[1\] docs\/\S+\.md, lines? [\d-]+ {2}\S/);
  expect(first).not.toContain('Searched for');
  expect(second).toContain('Searched for: And how do I restore it? How do I make a backup?');
  for (const [, tokens] of stdout.matchAll(/^(\d+) tokens$/gm)) expect(Number(tokens)).toBeLessThanOrEqual(2000);
  expect(stdout).not.toContain('was not given');
});

test('the chatbot asks any service with the API of OpenAI', { timeout: 240_000 }, async () => {
  const service = await startLocalService();
  const { code, stdout, stderr } = await programs.run('examples/chatbot.ts', ['docs', 'How do I make a backup?'], {
    OPENAI_BASE_URL: service.baseURL,
  });
  service.close();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/\nThe passages say: .+ \[1\]\n/);
});

test('no program keeps its process alive', async () => {
  expect(await programs.end()).toEqual({ code: 0, stderr: '' });
});
