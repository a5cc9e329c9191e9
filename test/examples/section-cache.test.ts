import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SectionCache } from '../../examples/quickstart/section-cache.js';

let folder = '';
let path = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semantic-index-'));
  path = join(folder, 'index', 'sections.json');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Asks for the sections of texts as one run does; returns what was split for it. */
async function run(...texts: string[]): Promise<string[]> {
  const asked: string[] = [];
  const split = (text: string) => {
    asked.push(text);
    return [{ headings: ['Title'], body: text }];
  };
  const cache = await SectionCache.open(path);
  for (const text of texts) {
    expect(cache.sections(text, split)).toEqual([{ headings: ['Title'], body: text }]);
  }
  await cache.save();
  return asked;
}

test('a text is split once, in all files and runs', async () => {
  expect(await run('one', 'two', 'one')).toEqual(['one', 'two']);
  expect(await run('two', 'one')).toEqual([]);
  expect(await run('one', 'three')).toEqual(['three']);
  // What a run did not ask for is forgotten.
  expect(await run('two')).toEqual(['two']);
});

test('rebuilds a file that is damaged or of another splitter', async () => {
  await run('one');
  const whole = await readFile(path, 'utf8');
  await writeFile(path, whole.slice(0, -5));
  expect(await run('one')).toEqual(['one']);
  await writeFile(path, whole.replace(/"splitter":"./, '"splitter":"-'));
  expect(await run('one')).toEqual(['one']);
  expect(await run('one')).toEqual([]);
});
