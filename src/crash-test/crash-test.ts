import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CrashPoint } from '../crash-points.js';
import { SemanticIndexError } from '../errors.js';
import { type CrashTestOptions, crashTestDefaults, type ResolvedCrashTestOptions } from '../options/crash-test.js';
import { describe, resolveOptions } from '../options.js';
import { Random } from '../random.js';
import { crashPoints } from './crash-points.js';
import { emptyDirectory } from './empty-directory.js';
import { inspectIndex, inspectSearches } from './inspect.js';
import { type Breach, Ledger } from './ledger.js';
import type { WriterMessage, WriterOrders, WrittenDocument } from './messages.js';
import { type KillPlan, runWriter } from './writer-process.js';

const derivedEnds = ['.terms', '.columns'];

/** Result of `crashTest`. */
export interface CrashTestReport {
  readonly rounds: number;
  /** Number of kills by place: the crash point, or the last message of a writer that was killed at random. */
  readonly kills: Readonly<Record<string, number>>;
  /** Crash points at which no writer was killed. */
  readonly unreached: readonly CrashPoint[];
  /** Documents whose addition, replacement or deletion was acknowledged: the promise had resolved. */
  readonly acknowledged: number;
  /** Backups that were opened and compared. */
  readonly backups: number;
  /** Acknowledged documents that were missing. */
  readonly lost: number;
  /** Deleted or replaced documents that came back. */
  readonly resurrected: number;
  /** Documents or operations that were applied in part. */
  readonly torn: number;
  /** Descriptions of everything that was wrong; empty when all guarantees held. */
  readonly faults: readonly string[];
  readonly milliseconds: number;
}

const roundsPerIndex = 40;
const maxFaults = 20;

/**
 * Kills a writer process repeatedly, at each crash point of the store and at random moments, and verifies the index after each
 * kill: it opens without repair, no acknowledged document is missing, no deleted one is back, none is there in part, `validate`
 * finds nothing, and searches equal brute force.
 *
 * @throws INVALID_ARGUMENT when the directory is not empty. Violated guarantees are in the report.
 */
export function crashTest(options: CrashTestOptions): Promise<CrashTestReport> {
  const resolved = resolveOptions('crash-test', options, crashTestDefaults);
  return new CrashTest(resolved).run();
}

class CrashTest {
  readonly #options: ResolvedCrashTestOptions;
  readonly #random: Random;
  #folder = '';
  readonly #kills: Record<string, number> = {};
  readonly #faults: string[] = [];
  readonly #counts = { lost: 0, resurrected: 0, torn: 0 };
  #ledger = new Ledger();
  #acknowledged = 0;
  #backups = 0;
  #queue: CrashPoint[] = [];
  /** Segment files that `#damage` removed. */
  #removed: string[] = [];

  constructor(options: ResolvedCrashTestOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
  }

  async run(): Promise<CrashTestReport> {
    const { rounds, duration = Number.POSITIVE_INFINITY, directory, signal, onProgress } = this.#options;
    if (!Number.isSafeInteger(rounds) || rounds < 1) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `crash-test: expected rounds as a positive integer, got ${describe(rounds)}`,
      );
    }
    if (!(duration > 0))
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `crash-test: expected duration above 0, got ${describe(duration)}`,
      );
    this.#folder = await emptyDirectory('crash-test', directory);
    const started = performance.now();
    let done = 0;
    while (done < rounds && performance.now() - started < duration && this.#faults.length < maxFaults) {
      signal?.throwIfAborted();
      await this.#round(done);
      onProgress?.({ stage: 'crash-test', done: ++done, total: rounds });
    }
    if (this.#faults.length === 0) await rm(this.#folder, { recursive: true, force: true });
    return {
      rounds: done,
      kills: Object.fromEntries(Object.entries(this.#kills).sort(([a], [b]) => (a < b ? -1 : 1))),
      unreached: this.#unreached,
      acknowledged: this.#acknowledged + this.#ledger.changes,
      backups: this.#backups,
      ...this.#counts,
      faults: this.#faults,
      milliseconds: Math.round(performance.now() - started),
    };
  }

  async #round(round: number): Promise<void> {
    const index = Math.floor(round / roundsPerIndex);
    if (round % roundsPerIndex === 0 && round > 0) await this.#nextIndex(index - 1);
    const directory = join(this.#folder, `index-${index}`);
    const plan = this.#plan(round);
    const emphasis =
      plan.at === 'crash-point' ? (plan.crashPoint.split('.')[0] as string) : this.#random.pick(['seal', 'build', '']);
    if (emphasis === 'repair') await this.#damage(directory, '');
    if (emphasis === 'analyze') await this.#damage(directory, derivedEnd(plan) ?? this.#random.pick(derivedEnds));
    const backups = join(this.#folder, 'backups');
    await mkdir(backups, { recursive: true });
    const { durability } = this.#options;
    const operations = this.#random.chance(0.05) ? 5 : 10_000;
    const seed = this.#options.seed * 100_000 + round;
    const orders: WriterOrders = { directory, seed, durability, backups, emphasis, operations };
    const copies: { target: string; documents: WrittenDocument[] }[] = [];
    const moments = new Map<string, number>();
    const end = await runWriter(orders, plan, (message) => this.#note(message, round, moments, copies));
    this.#kills[end.killedAt] = (this.#kills[end.killedAt] ?? 0) + 1;
    if (end.fault !== undefined) this.#fault(round, end.fault);
    await this.#inspect(round, directory);
    await this.#inspectBackups(round, backups, copies);
  }

  #note(
    message: WriterMessage,
    round: number,
    moments: Map<string, number>,
    copies: { target: string; documents: WrittenDocument[] }[],
  ): void {
    if (message.about === 'failed') this.#fault(round, message.message);
    if (message.about === 'intent') {
      if (message.operation.kind === 'backup') moments.set(message.operation.target, this.#ledger.moment);
      this.#ledger.announce(message.lane, message.operation);
    }
    if (message.about === 'acknowledged') {
      const operation = this.#ledger.acknowledge(message.lane);
      if (operation?.kind !== 'backup') return;
      const moment = moments.get(operation.target) ?? 0;
      copies.push({ target: operation.target, documents: this.#ledger.untouchedSince(moment) });
    }
  }

  /** Kills at every crash point in turn, in random order, and in 40 % of the rounds at a random moment. */
  #plan(round: number): KillPlan {
    if (round % roundsPerIndex === 0 && this.#random.chance(0.5)) {
      return { at: 'crash-point', crashPoint: 'open.tables-made', occurrence: 1 };
    }
    if (this.#random.chance(0.4)) {
      const from = this.#random.pick<'opening' | 'opened'>(['opening', 'opened', 'opened']);
      const limit = from === 'opening' ? 300 : this.#random.pick([300, 1_500]);
      return { at: 'time', from, milliseconds: this.#random.integer(limit) };
    }
    // A crash point that was not reached yet is tried twice in each turn, at its first occurrence.
    if (this.#queue.length === 0) {
      this.#queue = [...crashPoints, ...this.#unreached].filter((point) => !point.startsWith('open.'));
    }
    const [crashPoint] = this.#queue.splice(this.#random.integer(this.#queue.length), 1) as [CrashPoint];
    const latest = crashPoint.startsWith('add.') ? 40 : crashPoint.startsWith('delete.') ? 10 : 2;
    const occurrence = 1 + (crashPoint in this.#kills ? this.#random.integer(latest) : 0);
    return { at: 'crash-point', crashPoint, occurrence };
  }

  get #unreached(): CrashPoint[] {
    return crashPoints.filter((point) => !(point in this.#kills));
  }

  /** Removes segment files with such an end, so that there is something to derive again. */
  async #damage(directory: string, end: string): Promise<void> {
    const segments = join(directory, 'segments');
    if (!existsSync(segments)) return;
    for (const file of await readdir(segments)) {
      if (!file.endsWith(end)) continue;
      await rm(join(segments, file));
      this.#removed.push(file);
    }
  }

  async #inspect(round: number, directory: string): Promise<void> {
    if (!existsSync(join(directory, 'index.db'))) {
      // It was killed before the index was created, so nothing can be acknowledged.
      for (const breach of this.#ledger.settle(new Map())) this.#breach(round, breach);
      return;
    }
    try {
      // A reader fails until the index is created completely; afterwards it must work.
      const readonly = this.#ledger.documents.length > 0 && this.#random.chance(0.3);
      const { documents, faults } = await inspectIndex(directory, this.#random, { removed: this.#removed, readonly });
      for (const breach of this.#ledger.settle(documents)) this.#breach(round, breach);
      for (const fault of faults) this.#fault(round, fault);
      for (const fault of await inspectSearches(directory, this.#ledger.documents, this.#random)) {
        this.#fault(round, fault);
      }
    } catch (error) {
      this.#fault(round, `the index does not open: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }

  /** An acknowledged backup holds every document that was unchanged meanwhile; any other is complete or absent. */
  async #inspectBackups(
    round: number,
    folder: string,
    copies: readonly { target: string; documents: readonly WrittenDocument[] }[],
  ): Promise<void> {
    for (const entry of await readdir(folder)) {
      const target = join(folder, entry);
      if (!entry.includes('.partial-')) await this.#inspectBackup(round, target, copies);
    }
    for (const { target } of copies) {
      if (!existsSync(target)) this.#fault(round, `the acknowledged backup ${target} is missing`);
    }
    await rm(folder, { recursive: true, force: true });
  }

  async #inspectBackup(
    round: number,
    target: string,
    copies: readonly { target: string; documents: readonly WrittenDocument[] }[],
  ): Promise<void> {
    try {
      const readonly = this.#random.chance(0.3);
      const { documents, faults } = await inspectIndex(target, this.#random, { removed: this.#removed, readonly });
      for (const fault of faults) this.#fault(round, `backup: ${fault}`);
      for (const { id, text } of copies.find((copy) => copy.target === target)?.documents ?? []) {
        if (documents.get(id)?.text !== text) {
          this.#breach(round, { kind: 'lost', message: `${JSON.stringify(id)} is missing in a backup` });
        }
      }
      this.#backups++;
    } catch (error) {
      this.#fault(round, `a backup does not open: ${String(error)}`);
    }
  }

  async #nextIndex(done: number): Promise<void> {
    this.#acknowledged += this.#ledger.changes;
    this.#ledger = new Ledger();
    this.#removed = [];
    if (this.#faults.length === 0) await rm(join(this.#folder, `index-${done}`), { recursive: true, force: true });
  }

  #breach(round: number, { kind, message }: Breach): void {
    this.#counts[kind]++;
    this.#fault(round, `${kind}: ${message}`);
  }

  #fault(round: number, message: string): void {
    if (this.#faults.length < maxFaults) this.#faults.push(`round ${round}: ${message}`);
  }
}

/** The end of the names of the files that a crash point is about, if it is about some. */
function derivedEnd(plan: KillPlan): string | undefined {
  const point = plan.at === 'crash-point' ? plan.crashPoint : '';
  return derivedEnds.find((end) => point === `analyze${end}-written`);
}
