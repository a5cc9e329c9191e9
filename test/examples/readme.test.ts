import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runProgram } from './run-program.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = await readFile(join(root, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);

test('the README has programs', () => {
  expect(blocks.length).toBeGreaterThanOrEqual(3);
});

test.each(blocks.map((code, position) => ({ code, position })))(
  'program $position of the README runs as it stands',
  { timeout: 240_000 },
  async ({ code, position }) => {
    // Inside the package, so that `semantic-index` names this one; run elsewhere, so that its index is thrown away.
    const file = `.cache/readme/${position}.mts`;
    await mkdir(join(root, '.cache/readme'), { recursive: true });
    await writeFile(join(root, file), code);
    const folder = await mkdtemp(join(tmpdir(), 'semantic-index-'));
    try {
      const { code: exitCode, stdout, stderr } = await runProgram(file, [], folder);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      if (position === 0) expect(stdout).toMatch(/^returns 0\.\d+\n$/);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
