import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const sources = fileURLToPath(new URL('./faults/', import.meta.url));
const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0);
// The shim replaces functions of the C library by LD_PRELOAD, which is Linux's way.
const canInject = process.platform === 'linux' && compiler !== undefined;
const canMount = process.platform === 'linux' && process.getuid?.() === 0;
// Every call instead of a sample: SEMANTIC_INDEX_FAULT_STRIDE=1 npm test -- test/crash/faults.test.ts
// Some of them: SEMANTIC_INDEX_FAULT_CALLS=100-199 beside it.
const stride = Number(process.env.SEMANTIC_INDEX_FAULT_STRIDE ?? 47);
const [firstCall, lastCall = Number.POSITIVE_INFINITY] =
  process.env.SEMANTIC_INDEX_FAULT_CALLS?.split('-').map(Number) ?? [];

interface Line {
  readonly n: number;
  readonly call: string;
  readonly given: number;
  readonly outcomes: string[];
  readonly faults: string[];
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-faults-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program of faults/ and returns what it printed; a crash or a hang is an error that shows how far it came. */
function runProgram(name: string, given: string[], environment: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(sources, name), ...given], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    let lastOutput = Date.now();
    child.stdout.on('data', () => (lastOutput = Date.now()));
    const watch = setInterval(() => Date.now() - lastOutput > 60_000 && child.kill('SIGKILL'), 1_000);
    child.on('close', (code, signal) => {
      clearInterval(watch);
      if (code === 0) resolve(output);
      else
        reject(new Error(`${name} ended with ${signal ?? code} after ${output.slice(-500)}: ${errors.slice(-4_000)}`));
    });
  });
}

/** Runs one of them under the shim, in a folder of its own, and returns its lines. */
async function runFaulted(
  name: string,
  shim: string,
  given: readonly number[],
  environment: Record<string, string> = {},
): Promise<Line[]> {
  const place = mkdtempSync(join(folder, 'run-'));
  const [indexes, state] = [join(place, 'indexes'), join(place, 'state')];
  mkdirSync(indexes);
  writeFileSync(state, Buffer.alloc(256));
  const output = await runProgram(name, [indexes, state, ...given.map(String)], {
    LD_PRELOAD: shim,
    FAULT_FOLDER: indexes,
    FAULT_STATE: state,
    ...environment,
  });
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

/** How many calls of each kind failed, and how often that was felt. */
function summaryOf(lines: readonly Line[], felt: number): string {
  const kinds = new Map<string, number>();
  for (const { call, given } of lines) {
    const [kind = ''] = call.split(' ');
    if (given > 0) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const failed = [...kinds].sort(([, a], [, b]) => b - a).map(([kind, times]) => `${kind} ${times}`);
  const lives = lines.filter(({ given }) => given > 0).length;
  const calls = `calls ${lines[0]?.n} to ${lines.at(-1)?.n}${lines.at(-1)?.given === 0 ? ', beyond the last' : ''}`;
  return `${lives} lives (${calls}), calls that failed: ${failed.join(', ')}; operations that reported it: ${felt}`;
}

describe.skipIf(!canInject)('with a call that fails (needs Linux and a C compiler)', () => {
  let shim: string;
  beforeAll(() => {
    shim = join(folder, 'fault-shim.so');
    execFileSync(compiler as string, ['-shared', '-fPIC', '-O1', '-o', shim, join(sources, 'fault-shim.c'), '-ldl']);
  });

  it.each([
    ['no room, once', constants.errno.ENOSPC, 1, 3],
    ['an input or output error, once', constants.errno.EIO, 1, 11],
    ['a short write, once', 0, 1, 23],
    ['no room until somebody makes some', constants.errno.ENOSPC, 1_000_000, 31],
    ['a broken device until it is repaired', constants.errno.EIO, 1_000_000, 41],
  ])(
    '%s: each operation succeeds or reports the fault, and the index continues',
    async (_, errno, length, first) => {
      const begin = firstCall ?? (stride === 1 ? 1 : first);
      const lines = await runFaulted('faulted-program.mjs', shim, [begin, stride, errno, length, lastCall]);
      expect(lines.filter(({ faults }) => faults.length > 0)).toEqual([]);
      const felt = lines.flatMap(({ outcomes }) => outcomes).length;
      console.log(summaryOf(lines, felt));
      if (firstCall !== undefined) return;
      // It went on until a whole run met no fault, and the faults were felt. (Most short writes are simply gone on with.)
      expect(lines.at(-1)?.given).toBe(0);
      expect(lines.length).toBeGreaterThan(300 / stride);
      expect(felt).toBeGreaterThan(errno === 0 ? -1 : lines.length / 4);
    },
    3_600_000,
  );

  it.each([
    ['an input or output error, once', constants.errno.EIO, 1, 14, 26],
    ['short reads, once', 0, 1, 38, 71],
    ['a device that cannot be read until it is repaired', constants.errno.EIO, 1_000_000, 40, 66],
    ['no file descriptors for a while', constants.errno.EMFILE, 1_000_000, 17, 45],
  ])(
    'reading with %s: answers are right or errors typed, and all are right afterwards',
    async (_, errno, length, first, sample) => {
      const [begin, step] = stride === 1 ? [1, 1] : [first, sample];
      const given = [begin, step, errno, length, Number.POSITIVE_INFINITY];
      const lines = await runFaulted('faulted-reads.mjs', shim, given, { FAULT_READS: '1' });
      expect(lines.filter(({ faults }) => faults.length > 0)).toEqual([]);
      console.log(summaryOf(lines, lines.flatMap(({ outcomes }) => outcomes).length));
      expect(lines.at(-1)?.given).toBe(0);
      expect(lines.some(({ given: faults }) => faults > 0)).toBe(true);
    },
    3_600_000,
  );

  // A file that cannot be opened for writing just now is opened for reading by SQLite, for as long as the index is open.
  it('opening fails or what is open can be written, whichever call fails once', async () => {
    const lines = await runFaulted('faulted-open.mjs', shim, [1, 1, constants.errno.EIO, 1]);
    expect(lines.filter(({ faults }) => faults.length > 0)).toEqual([]);
    expect(lines.at(-1)?.given).toBe(0);
    expect(lines.filter(({ call }) => /^open.* .*index\.db$/.test(call)).length).toBeGreaterThan(0);
  }, 240_000);
});

describe.skipIf(!canMount)('on a full file system (needs Linux and the right to mount)', () => {
  it('refuses what does not fit, keeps what it acknowledged, and continues when there is space', async (context) => {
    const place = join(folder, 'tiny');
    mkdirSync(place);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', place]);
    if (mounted.status !== 0) context.skip(`mount is refused here: ${mounted.stderr}`);
    try {
      const result = JSON.parse(await runProgram('tiny-program.mjs', [place], {}));
      expect(result.refused.filter((code: string) => code !== 'IO')).toEqual([]);
      expect(result.refused.length).toBeGreaterThanOrEqual(5);
      expect(result.lost).toEqual([]);
      expect(result.failed).toEqual([]);
      expect(result.held).toBeGreaterThan(100);
      expect(result.duringSearch).toBe(result.duringCount);
      expect(result.listed).toBeGreaterThanOrEqual(result.held);
    } finally {
      spawnSync('umount', ['-l', place]);
    }
  }, 240_000);
});
