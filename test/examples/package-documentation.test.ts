import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packageDocumentation } from '../../examples/quickstart/package-documentation.js';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semantic-index-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function found(files: Record<string, string>): Promise<string[]> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const ids = [];
  for await (const { id } of packageDocumentation(folder)) ids.push(id);
  return ids;
}

test('finds the documentation of packages, nested ones last, without licences, changes and translations', async () => {
  expect(
    await found({
      'zod/README.md': 'zod',
      'glob/README.md': 'glob',
      'glob/node_modules/a/readme.markdown': 'a',
      'glob/CHANGELOG.md': 'changes',
      'glob/LICENSE.md': 'licence',
      'vite/docs/guide.md': 'guide',
      'vite/readme.zh-CN.md': 'translated',
      'vite/README-es.md': 'translated',
      'vite/index.js': 'code',
    }),
  ).toEqual(['glob/README.md', 'vite/docs/guide.md', 'zod/README.md', 'glob/node_modules/a/readme.markdown']);
});

test('gives each text once, and none that is empty', async () => {
  expect(
    await found({ 'a/README.md': 'Text', 'b/README.md': ' Text\n', 'c/README.md': '\n', 'd/README.md': 'Other' }),
  ).toEqual(['a/README.md', 'd/README.md']);
});
