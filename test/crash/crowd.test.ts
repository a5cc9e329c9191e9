import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/crash-test/command.js';
import { crowd } from '../../src/crash-test/crowd.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-crowd-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('two writers and four readers at once', () => {
  // A longer run: node dist/crash-test/main.js crowd --duration 60
  it('see acknowledged commits, each as a whole, and fail with BUSY only', async () => {
    let [commits, searches] = [0, 0];
    // A busy machine does little in three seconds: longer runs follow until enough has happened.
    for (let duration = 3_000; duration < 60_000 && (commits <= 10 || searches <= 20); duration *= 3) {
      const report = await crowd({ directory: join(folder, `crowd-${duration}`), duration, seed: 3 });
      expect(report.faults).toEqual([]);
      expect(report).toMatchObject({ writers: 2, readers: 4, stale: 0, mixed: 0 });
      commits += report.commits;
      searches += report.searches;
    }
    expect(commits).toBeGreaterThan(10);
    expect(searches).toBeGreaterThan(20);
  }, 240_000);

  it('refuse impossible numbers', async () => {
    const directory = join(folder, 'crowd');
    for (const wrong of [{ writers: -1 }, { readers: 1.5 }, { duration: 0 }, { writers: 65 }]) {
      await expect(crowd({ directory, ...wrong })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });
});

describe('the commands kill and crowd', () => {
  const run = async (...args: string[]) => {
    const [printed, reported]: [string[], string[]] = [[], []];
    const code = await runCommand(args, {
      print: (line) => printed.push(line),
      report: (line) => reported.push(line),
    });
    return { code, printed: printed.join('\n'), reported: reported.join('\n') };
  };

  it('print their options for --help', async () => {
    const { code, printed, reported } = await run('--help');
    expect({ code, reported }).toEqual({ code: 0, reported: '' });
    for (const word of ['kill', 'crowd', '--rounds', '--duration', '--seed']) expect(printed).toContain(word);
  });

  it('report invalid arguments without a stack', async () => {
    const wrong = [
      ['--bogus'],
      ['dance'],
      ['kill', '--rounds', 'many'],
      ['kill', tmpdir()],
      ['kill', '--durability', 'x'],
    ];
    for (const args of wrong) {
      const { code, printed, reported } = await run(...args);
      expect({ args, code, printed }).toEqual({ args, code: 2, printed: '' });
      expect(reported).not.toMatch(/^\s+at /m);
    }
  });

  it('print a report of the kills', async () => {
    const { code, printed } = await run('kill', join(folder, 'killed'), '--rounds', '2', '--seed', '5');
    expect(printed).toMatch(/Killed 2 writers[\s\S]*lost: 0, resurrected: 0, torn: 0\nAll guarantees held\.$/);
    expect(code).toBe(0);
  }, 240_000);
});
