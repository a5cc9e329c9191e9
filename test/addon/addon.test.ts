import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { scratchDirectory } from '../scratch-directory.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const scratch = scratchDirectory('semantic-index-addon-');

it('an index is not begun where the addon is missing', () => {
  const directory = join(scratch, 'index');
  const program = `
    import { SemanticIndex } from 'semantic-index';
    await SemanticIndex.open(${JSON.stringify(directory)}).catch(({ code, hint }) => console.log(code, hint));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, SEMANTIC_INDEX_ADDON: join(scratch, 'missing.node') },
  });
  expect(stdout).toMatch(/^ADDON_MISSING .+/);
  expect(existsSync(directory)).toBe(false);
});
