import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('./damage/damaged-while-open.mjs', import.meta.url));
// Many more: SEMANTIC_INDEX_DAMAGES=500 npm test -- test/crash/damage.test.ts
const rounds = process.env.SEMANTIC_INDEX_DAMAGES ?? '5';
const seed = process.env.SEMANTIC_INDEX_PROPERTY_SEED === 'random' ? Date.now() % 1_000_000 : 1;
const run = promisify(execFile);

// A mapped file cannot be cut on Windows.
it.skipIf(process.platform === 'win32')(
  'answers as brute force while files of segments are damaged, and with typed errors when index.db is',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'semantic-index-damage-'));
    try {
      const { stdout } = await run(process.execPath, [program, folder, `${seed}`, rounds], { maxBuffer: 2 ** 26 });
      const report = JSON.parse(stdout);
      const damages = Object.values(report.damages as Record<string, number>).reduce((sum, times) => sum + times, 0);
      console.log(
        `seed ${seed}: ${damages} damages of segments, ${report.searches} searches, ${report.events} events; ` +
          `${report.pages} damages of index.db, errors ${JSON.stringify(report.errors)}`,
      );
      expect(report.faults).toEqual([]);
      expect(damages).toBe(Number(rounds));
      expect(report.events).toBeGreaterThan(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  3_600_000,
);
