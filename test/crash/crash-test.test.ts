import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crashTest } from '../../src/crash-test/crash-test.js';
import { killSteps } from '../../src/crash-test/kill-steps.js';
import { runWriter } from '../../src/crash-test/writer-process.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-crash-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a writer that is killed', () => {
  // Many more: node dist/crash-test/main.js kill --rounds 500
  it('has lost nothing that was acknowledged, and left an index that opens', async () => {
    const progress: number[] = [];
    const report = await crashTest({
      directory: join(folder, 'crash-test'),
      rounds: 8,
      seed: 7,
      onProgress: ({ done }) => progress.push(done),
    });
    expect(report.faults).toEqual([]);
    expect(report).toMatchObject({ rounds: 8, lost: 0, resurrected: 0, torn: 0 });
    expect(Object.values(report.kills).reduce((sum, times) => sum + times, 0)).toBe(8);
    const died = killSteps.filter((step) => step in report.kills);
    expect(died.length).toBeGreaterThan(0);
    expect([...died, ...report.unreached].sort()).toEqual([...killSteps].sort());
    expect(report.acknowledged).toBeGreaterThan(250);
    expect(progress).toHaveLength(8);
  }, 600_000);

  // Steps of the writer's own thread, of the thread that commits, and of the thread that builds.
  it.each([
    'backup.catalog-copied',
    'add.writing',
    'delete.committed',
    'seal.forest-built',
    'merge.publishing',
    'merge.swept',
  ])(
    'dies at the step %s when it is told to',
    async (step) => {
      const backups = join(folder, 'backups');
      mkdirSync(backups);
      const emphasis = step.split('.')[0] as string;
      const orders = { directory: join(folder, 'index'), backups, emphasis, seed: 3, operations: 10_000 };
      // How soon there is something to seal and to merge is up to the machine.
      const plan = { at: 'step', step, occurrence: 1, patience: 200_000 } as const;
      expect(await runWriter({ ...orders, durability: 'process' }, plan, () => {})).toEqual({ killedAt: step });
    },
    240_000,
  );

  it('is not let loose on a folder with something in it', async () => {
    await expect(crashTest({ directory: tmpdir() })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(crashTest({})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(crashTest({ directory: join(folder, 'x'), rounds: 0 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(crashTest({ directory: join(folder, 'x'), duration: 0 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});
