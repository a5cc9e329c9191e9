import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { deterministicProvider } from '../embed/testing/deterministic-provider.js';
import { SemanticIndexError } from '../errors.js';
import { type CrowdOptions, crowdDefaults } from '../options/crash-test.js';
import { describe, resolveOptions } from '../options.js';
import { Random } from '../random.js';
import { SemanticIndex } from '../semantic-index.js';
import { type MemberCounts, type MemberOrders, type MemberReport, noReport } from './crowd-messages.js';
import { emptyDirectory } from './empty-directory.js';
import { inspectIndex } from './inspect.js';

/** Result of `crowd`. */
export interface CrowdReport extends MemberCounts {
  readonly writers: number;
  readonly readers: number;
  /** Descriptions of everything that was wrong; empty when all guarantees held. */
  readonly faults: readonly string[];
  readonly milliseconds: number;
}

// A stopping member completes its operation, which may wait for other writers.
const stopTimeout = 90_000;

/**
 * Runs several processes that write to one index, and others that search it. Calls may fail with BUSY only, a search sees every
 * commit that any process acknowledged before it started, and its hits belong to one commit.
 *
 * @throws INVALID_ARGUMENT. Violated guarantees are in the report.
 */
export async function crowd(options: CrowdOptions): Promise<CrowdReport> {
  const resolved = resolveOptions('crowd', options, crowdDefaults);
  const { writers, readers, duration, seed, signal } = resolved;
  for (const [name, value] of Object.entries({ writers, readers })) {
    if (!Number.isSafeInteger(value) || value < 0 || value > 64) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `crowd: expected ${name} as an integer from 0 to 64, got ${describe(value)}`,
      );
    }
  }
  if (!(duration > 0))
    throw new SemanticIndexError('INVALID_ARGUMENT', `crowd: expected duration above 0, got ${describe(duration)}`);
  const folder = await emptyDirectory('crowd', resolved.directory);
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

/** Handle of a member process. */
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
    const name = `${orders.role} ${orders.number}`;
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
        const fault = `${name} ended with ${signal ?? `exit code ${code}`}: ${stderr}`;
        resolve({ ...noReport, ...report, faults: well ? faults : [...faults, fault] });
      });
    });
    const isReady = new Promise((resolve) => child.once('message', resolve));
    this.ready = Promise.race([isReady, this.#ended]);
  }

  /** Lets it complete its operation; returns its report. */
  async stop(): Promise<MemberReport> {
    if (this.#child.connected) this.#child.send('stop');
    const timer = setTimeout(() => this.kill(), stopTimeout);
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
