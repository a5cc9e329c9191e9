import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { torture } from '../../src/torture/torture.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-torture-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a writer that is killed', () => {
  // Many more: node dist/torture/main.js kill --rounds 500
  it('has lost nothing that was acknowledged, and left an index that opens', async () => {
    const progress: number[] = [];
    const report = await torture({
      directory: join(folder, 'torture'),
      rounds: 15,
      seed: 7,
      onProgress: ({ done }) => progress.push(done),
    });
    expect(report.faults).toEqual([]);
    expect(report).toMatchObject({ rounds: 15, lost: 0, resurrected: 0, torn: 0 });
    expect(Object.values(report.kills).reduce((sum, times) => sum + times, 0)).toBe(15);
    expect(report.acknowledged).toBeGreaterThan(500);
    expect(progress).toHaveLength(15);
  }, 240_000);

  it('is not let loose on a folder with something in it', async () => {
    await expect(torture({ directory: tmpdir() })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(torture({})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(torture({ directory: join(folder, 'x'), rounds: 0 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(torture({ directory: join(folder, 'x'), duration: 0 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});
