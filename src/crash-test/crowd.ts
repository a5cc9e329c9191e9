import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { deterministicProvider } from '../embed/testing/deterministic-provider.js';
import { SemanticIndexError } from '../errors.js';
import { type CrowdOptions, crowdDefaults } from '../options/crash-test.js';
import { type Given, resolveOptions } from '../options.js';
import { Random } from '../random.js';
import { SemanticIndex } from '../semantic-index.js';
import { type MemberCounts, type MemberOrders, type MemberReport, noReport } from './crowd-messages.js';
import { emptyFolder } from './empty-folder.js';
import { inspectIndex } from './inspect.js';

/** What a crowd came to. */
export interface CrowdReport extends MemberCounts {
  readonly writers: number;
  readonly readers: number;
  /** Everything that was wrong, in words; empty when all promises were kept. */
  readonly faults: readonly string[];
  readonly milliseconds: number;
}

// A member that is told to stop has an operation to finish, which may wait for other writers.
const longestEnd = 90_000;

/**
 * Lets several processes write to one index while others search it. No call may fail but with BUSY; a search sees every
 * commit that was acknowledged, to whichever process, before it began; and what it finds is of one commit.
 *
 * @throws INVALID_ARGUMENT. A broken promise is no error: it is in the report.
 */
export async function crowd(options: Given<CrowdOptions>): Promise<CrowdReport> {
  const resolved = resolveOptions('crowd', options, crowdDefaults);
  const { writers, readers, duration, seed, signal } = resolved;
  for (const [name, value] of Object.entries({ writers, readers })) {
    if (!Number.isSafeInteger(value) || value < 0 || value > 64) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `crowd: ${name} is ${value}`);
    }
  }
  if (!(duration > 0)) throw new SemanticIndexError('INVALID_ARGUMENT', `crowd: duration is ${duration}`);
  const folder = await emptyFolder('crowd', resolved.directory);
  const [directory, tallies] = [join(folder, 'index'), join(folder, 'tallies')];
  await mkdir(tallies);
  for (let number = 0; number < writers; number++)
    await writeFile(join(tallies, `writer-${number}`), new Uint8Array(8));
  const index = await SemanticIndex.open(directory, { provider: deterministicProvider({ dimensions: 16 }) });
  await index.close();

  const orders = (role: MemberOrders['role'], number: number): MemberOrders => ({
    ...{ directory, tallies, writers, role, number },
    seed: seed * 1_000 + (role === 'writer' ? 0 : 500) + number,
  });
  const members = [
    ...Array.from({ length: writers }, (_, number) => new Member(orders('writer', number))),
    ...Array.from({ length: readers }, (_, number) => new Member(orders('reader', number))),
  ];
  const started = performance.now();
  try {
    await Promise.all(members.map((member) => member.ready));
    await sleep(duration, undefined, { ...(signal !== undefined && { signal }) });
    const reports = await Promise.all(members.map((member) => member.stop()));
    const milliseconds = Math.round(performance.now() - started);
    const faults = reports.flatMap((report) => report.faults);
    faults.push(...(await inspectIndex(directory, new Random(seed), { removed: [], readonly: false })).faults);
    if (faults.length === 0) await rm(folder, { recursive: true, force: true });
    return { writers, readers, ...sum(reports), faults, milliseconds };
  } finally {
    for (const member of members) member.kill();
  }
}

function sum(reports: readonly MemberReport[]): MemberCounts {
  const total: MemberCounts = { ...noReport };
  for (const report of reports) {
    for (const name of Object.keys(total) as (keyof MemberCounts)[]) total[name] += report[name];
  }
  return total;
}

/** A process of the crowd, as its parent sees it. */
class Member {
  readonly #child: ChildProcess;
  readonly #ended: Promise<MemberReport>;
  readonly ready: Promise<unknown>;

  constructor(orders: MemberOrders) {
    const child = fork(new URL('./crowd-member.js', import.meta.url), [JSON.stringify(orders)], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child = child;
    const who = `${orders.role} ${orders.number}`;
    let stderr = '';
    let report: MemberReport | undefined;
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-4_000);
    });
    child.on('message', (message: MemberReport | 'ready') => {
      if (message !== 'ready') report = message;
    });
    this.#ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        const faults = report?.faults ?? [];
        const well = code === 0 && report !== undefined;
        const fault = `${who} ended with ${signal ?? `exit code ${code}`}: ${stderr}`;
        resolve({ ...noReport, ...report, faults: well ? faults : [...faults, fault] });
      });
    });
    const isReady = new Promise((resolve) => child.once('message', resolve));
    this.ready = Promise.race([isReady, this.#ended]);
  }

  /** Lets it finish what it is doing; what it has to say. */
  async stop(): Promise<MemberReport> {
    if (this.#child.connected) this.#child.send('stop');
    const timer = setTimeout(() => this.kill(), longestEnd);
    try {
      return await this.#ended;
    } finally {
      clearTimeout(timer);
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
