import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crashPoints } from '../../src/crash-test/crash-points.js';
import { crashTest } from '../../src/crash-test/crash-test.js';
import { runWriter } from '../../src/crash-test/writer-process.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-crash-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a killed writer', () => {
  // More rounds: node dist/crash-test/main.js kill --rounds 500
  it('loses no acknowledged change and leaves an index that opens', async () => {
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
    const reached = crashPoints.filter((point) => point in report.kills);
    expect(reached.length).toBeGreaterThan(0);
    expect([...reached, ...report.unreached].sort()).toEqual([...crashPoints].sort());
    expect(report.acknowledged).toBeGreaterThan(250);
    expect(progress).toHaveLength(8);
  }, 600_000);

  // Crash points of the writer's main thread, of the committing thread, and of the building thread.
  it.each([
    'backup.catalog-copied',
    'add.writing',
    'delete.committed',
    'seal.forest-built',
    'merge.publishing',
    'merge.swept',
  ] as const)(
    'is killed at the crash point %s',
    async (crashPoint) => {
      const backups = join(folder, 'backups');
      mkdirSync(backups);
      const emphasis = crashPoint.split('.')[0] as string;
      const orders = { directory: join(folder, 'index'), backups, emphasis, seed: 3, operations: 10_000 };
      // The time until there is something to seal or merge depends on the machine.
      const plan = { at: 'crash-point', crashPoint, occurrence: 1, patience: 200_000 } as const;
      expect(await runWriter({ ...orders, durability: 'process' }, plan, () => {})).toEqual({ killedAt: crashPoint });
    },
    240_000,
  );

  it('refuses a non-empty directory and impossible options', async () => {
    await expect(crashTest({ directory: tmpdir() })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(crashTest({} as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(crashTest({ directory: join(folder, 'x'), rounds: 0 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(crashTest({ directory: join(folder, 'x'), duration: 0 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});
