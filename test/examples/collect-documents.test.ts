import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findPackageDocumentation, findTexts, readDocuments } from '../../examples/quickstart/collect-documents.js';
import { SectionCache } from '../../examples/quickstart/section-cache.js';

const sentence = 'A sentence that is long enough to be worth an answer of its own.';
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semantic-index-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function write(files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

test('finds the documentation of packages, nested ones last, without licences, changes and translations', async () => {
  await write({
    'zod/README.md': '',
    'glob/README.md': '',
    'glob/node_modules/a/readme.markdown': '',
    'glob/CHANGELOG.md': '',
    'glob/LICENSE.md': '',
    'vite/docs/guide.md': '',
    'vite/readme.zh-CN.md': '',
    'vite/README-es.md': '',
    'vite/index.js': '',
  });
  expect(await findPackageDocumentation(folder)).toEqual([
    'glob/README.md',
    'vite/docs/guide.md',
    'zod/README.md',
    'glob/node_modules/a/readme.markdown',
  ]);
});

test('finds Markdown and text of a folder, not what lies hidden or belongs to packages', async () => {
  await write({ 'a.txt': '', 'b/c.MD': '', 'LICENSE.md': '', '.git/d.md': '', 'node_modules/e/f.md': '', 'g.pdf': '' });
  expect(await findTexts(folder)).toEqual(['LICENSE.md', 'a.txt', 'b/c.MD']);
});

test('makes documents with stable ids, and says each text once', async () => {
  await write({
    'a.md': `# Use\n${sentence}\n\n# Use\n${sentence} Again.`,
    'b.md': `# Use\n${sentence}`,
    'c.txt': `# ${sentence}`,
  });
  let read = 0;
  const documents = [];
  const cache = await SectionCache.open(join(folder, 'sections.json'));
  for await (const document of readDocuments(folder, ['a.md', 'b.md', 'c.txt'], cache, () => read++)) {
    documents.push(document);
  }
  expect(read).toBe(3);
  expect(documents).toEqual([
    { id: 'a.md#Use', text: `Use\n${sentence}`, metadata: { source: 'a.md', heading: 'Use' } },
    { id: 'a.md#Use (2)', text: `Use\n${sentence} Again.`, metadata: { source: 'a.md', heading: 'Use' } },
    { id: 'c.txt#', text: `# ${sentence}`, metadata: { source: 'c.txt', heading: '' } },
  ]);
});
