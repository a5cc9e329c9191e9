import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('./hostile/hostile-folders.mjs', import.meta.url));
// Many more: SEMANTIC_INDEX_HOSTILE_FOLDERS=500 npm test -- test/crash/hostile-folders.test.ts
const folders = process.env.SEMANTIC_INDEX_HOSTILE_FOLDERS ?? '5';
const seed = process.env.SEMANTIC_INDEX_PROPERTY_SEED === 'random' ? Date.now() % 1_000_000 : 2;
const run = promisify(execFile);

// Links need rights on Windows.
it.skipIf(process.platform === 'win32')(
  'touches nothing outside of a changed index folder, and returns or fails with typed errors in time',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'semantic-index-hostile-'));
    try {
      const { stdout } = await run(process.execPath, [program, folder, `${seed}`, folders], { maxBuffer: 2 ** 26 });
      const { changes, opened, errors, slowest, faults } = JSON.parse(stdout);
      console.log(
        `seed ${seed}: ${folders} folders, ${opened} opened, slowest operation ${slowest} ms, ` +
          `changes ${JSON.stringify(changes)}, errors ${JSON.stringify(errors)}`,
      );
      expect(faults).toEqual([]);
      expect(opened).toBeGreaterThan(0);
      expect(Object.keys(changes).length).toBeGreaterThan(1);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  3_600_000,
);
