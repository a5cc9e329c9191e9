import { crashPoint } from '../crash-points.js';
import { SemanticIndexError } from '../errors.js';
import type { IndexEvent, LongWorkOptions, Metric } from '../types.js';
import { backupLease } from './backup.js';
import {
  buildAllStep,
  compactStep,
  type MergeAction,
  nextStep,
  type PlannerOptions,
  rebuildStep,
  type SegmentFacts,
  type TailFacts,
} from './build/planner.js';
import type { BuildRequest } from './build/segment-builder.js';
import { leaseOwner } from './catalog/lease-owner.js';
import type { Lease } from './catalog/lease-table.js';
import { unsoundVectors } from './catalog/unsound-vectors.js';
import { removeSegmentFiles } from './directory/segment-directory.js';
import { freshSegmentName } from './directory/segment-names.js';
import type { Snapshot } from './snapshot/snapshot.js';
import type { CatalogClient } from './writer/catalog-client.js';
import { leaseMilliseconds, whileHeld } from './writer/held-lease.js';

/** What background work needs to know and whom it tells. */
export interface MaintenanceContext {
  readonly directory: string;
  readonly metric: Metric;
  readonly space: number;
  readonly dimensions: number;
  readonly planner: PlannerOptions;
  readonly trees: number;
  readonly seed: number;
  readonly threads: number;
  /** Commits. */
  readonly writer: CatalogClient;
  /** Builds. */
  readonly builder: CatalogClient;
  readonly refresh: () => Promise<Snapshot>;
  readonly onEvent: (event: IndexEvent) => void;
}

const leaseName = 'maintenance';
const retryMilliseconds = 200;
const laterMilliseconds = 5_000;

/**
 * Gives documents forests: seals the tail, merges segments, writes damaged or wasteful ones anew. One process at a time
 * does so for an index; a lease in the catalog says which.
 */
export class Maintenance {
  readonly #context: MaintenanceContext;
  readonly #owner = leaseOwner();
  #running: Promise<void> = Promise.resolve();
  #scheduled = false;
  #stopped = false;
  #later: NodeJS.Timeout | undefined;

  constructor(context: MaintenanceContext) {
    this.#context = context;
  }

  /** Whether the planner finds anything to do. */
  wants(snapshot: Snapshot): boolean {
    return nextStep(segmentFacts(snapshot), tailFacts(snapshot), this.#context.planner) !== undefined;
  }

  /** Does in the background what the planner finds, once; further calls meanwhile change nothing. */
  schedule(): void {
    if (this.#scheduled || this.#stopped || this.#later !== undefined) return;
    this.#scheduled = true;
    this.#enqueue(async () => {
      this.#scheduled = false;
      if (!(await this.#runAll())) this.#scheduleLater();
    }).catch((error: unknown) => {
      this.#report(error);
      this.#scheduleLater();
    });
  }

  /** Another process is at it, or the disk is full: not again with every write. */
  #scheduleLater(): void {
    if (this.#stopped || this.#later !== undefined) return;
    this.#later = setTimeout(() => {
      this.#later = undefined;
      this.schedule();
    }, laterMilliseconds);
    this.#later.unref();
  }

  /** Makes one segment of all documents. */
  buildAll(options: LongWorkOptions): Promise<void> {
    return this.#exclusively(options, async (run) => {
      const snapshot = await this.#context.refresh();
      const step = buildAllStep(segmentFacts(snapshot), tailFacts(snapshot));
      if (step !== undefined) await run(step);
    });
  }

  /** Writes all segments with dead items anew, without them. */
  compactAll(options: LongWorkOptions): Promise<void> {
    return this.#exclusively(options, async (run) => {
      // Each once: while documents keep dying, another round would never be the last.
      for (const { segment } of segmentFacts(await this.#context.refresh())) {
        const now = segmentFacts(await this.#context.refresh());
        const step = compactStep(now.filter((facts) => facts.segment === segment));
        if (step !== undefined) await run(step);
      }
    });
  }

  /** Derives every segment anew from the vectors of the catalog. */
  rebuildAll(options: LongWorkOptions): Promise<void> {
    return this.#exclusively(options, async (run) => {
      for (const segment of segmentFacts(await this.#context.refresh())) await run(rebuildStep(segment));
    });
  }

  /** Runs steps that the caller asked for and waits for; it can be aborted and reports progress. */
  #exclusively(
    { signal, onProgress }: LongWorkOptions,
    work: (run: (step: MergeAction) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    return this.#enqueue(async () => {
      signal?.throwIfAborted();
      const cancel = (): void => void this.#context.builder.builder.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
      let done = 0;
      try {
        await this.#withLease((token) =>
          work(async (step) => {
            signal?.throwIfAborted();
            if (!(await this.#run(step, token))) {
              throw new SemanticIndexError('BUSY', 'Another process took over the building of segments', {
                hint: 'This one was held up for too long. Try again.',
              });
            }
            onProgress?.({ stage: step.kind, done: ++done });
          }),
        );
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      } finally {
        signal?.removeEventListener('abort', cancel);
      }
    });
  }

  /** Ends background work; what is under way is given up. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#later);
    // Where the database is lost nothing can be asked, and nothing is being built.
    if (this.#scheduled || this.#busy > 0) await this.#context.builder.builder.cancel().catch(() => {});
    await this.#running.catch(() => {});
  }

  #busy = 0;

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#busy++;
    const result = this.#running.then(work).finally(() => this.#busy--);
    this.#running = result.catch(() => {});
    return result;
  }

  /** Returns false when another process has the lease, so that it may not have been done. */
  async #runAll(): Promise<boolean> {
    const token = await this.#acquire();
    if (token === 0) return false;
    return this.#held(async () => {
      await this.#sweep(token);
      for (;;) {
        const snapshot = await this.#context.refresh();
        const step = nextStep(segmentFacts(snapshot), tailFacts(snapshot), this.#context.planner);
        if (step === undefined || this.#stopped) return true;
        if (!(await this.#run(step, token))) return false;
        if (this.#busy > 1) {
          // Somebody waits for a build of their own; under constant writing there would be no end to this.
          this.schedule();
          return true;
        }
      }
    });
  }

  async #withLease(work: (token: number) => Promise<void>): Promise<void> {
    const deadline = Date.now() + 2 * leaseMilliseconds;
    let token = await this.#acquire();
    while (token === 0) {
      if (Date.now() > deadline) {
        throw new SemanticIndexError('BUSY', 'Another process is building segments of this index', {
          hint: 'Wait for it to finish and try again.',
        });
      }
      await new Promise((resolve) => setTimeout(resolve, retryMilliseconds));
      token = await this.#acquire();
    }
    await this.#held(() => work(token));
  }

  /** The token of the lease, 0 when another process has it. */
  #acquire(): Promise<number> {
    return this.#context.writer.leases.acquire(leaseName, this.#owner, leaseMilliseconds);
  }

  #held<T>(work: () => Promise<T>): Promise<T> {
    const onError = (error: unknown): void => this.#report(error);
    return whileHeld({ writer: this.#context.writer, name: leaseName, owner: this.#owner, onError }, work);
  }

  /** Returns false, with nothing changed, when the lease was lost meanwhile. */
  async #run(step: MergeAction, token: number): Promise<boolean> {
    const { directory, metric, space, dimensions, trees, seed, threads, builder, writer, refresh, onEvent } =
      this.#context;
    const { kind, firstKey, lastKey, replaces } = step;
    const lease = this.#lease(token);
    const file = freshSegmentName();
    if (!(await writer.segments.plan(lease, file))) return false;
    const forest = { metric, dimensions, trees, seed, threads };
    const request: BuildRequest = { kind, directory, file, firstKey, lastKey, ...forest };
    const { segment, lastDeletion, unsound } = await builder.builder.build(request);
    if (!(await writer.segments.publish({ kind, lease, space, replaces, segment, lastDeletion }))) {
      // Somebody else changed the segments meanwhile: this file has no place in them.
      if (segment !== undefined) await removeSegmentFiles(directory, segment.file);
      return false;
    }
    await refresh();
    await this.#sweep(token);
    crashPoint(`${kind}.swept`);
    if (unsound.length > 0) onEvent(unsoundVectors(unsound));
    onEvent({
      event: eventOf[kind],
      message: `${segment?.items ?? 0} documents in one segment (keys ${firstKey} to ${lastKey}, ${segment?.trees ?? 0} trees)`,
    });
    return true;
  }

  #lease(token: number): Lease {
    return { name: leaseName, owner: this.#owner, token };
  }

  /**
   * Removes the files that the catalog knows and no segment uses: those of replaced segments (a process that has one mapped
   * keeps it until it is unmapped), and those of builds that died. Files that the catalog does not know are left alone: they
   * may be the last copy of something.
   */
  async #sweep(token: number): Promise<void> {
    const { directory, writer, onEvent } = this.#context;
    const removable = await writer.segments.removable(this.#lease(token));
    // A backup copies what was retired after its catalog was; asked last, so that none begins unseen in between.
    if (removable.length === 0 || (await writer.leases.anyHeld(backupLease))) return;
    const removed: string[] = [];
    for (const file of removable) if (await removeSegmentFiles(directory, file)) removed.push(file);
    if (removed.length === 0) return;
    await writer.segments.forgetRetired(removed);
    onEvent({ event: 'sweep', message: `Removed the files of ${removed.length} segments that are not needed` });
  }

  #report(error: unknown): void {
    if (this.#stopped) return;
    this.#context.onEvent({
      event: 'error',
      message: `Background work failed: ${error instanceof Error ? error.message : String(error)}`,
      ...(SemanticIndexError.is(error) ? { error } : {}),
    });
  }
}

const eventOf = {
  heal: 'heal',
  rebuild: 'heal',
  seal: 'seal',
  merge: 'merge',
  compact: 'merge',
  build: 'merge',
} as const satisfies Record<MergeAction['kind'], IndexEvent['event']>;

function segmentFacts(snapshot: Snapshot): SegmentFacts[] {
  return snapshot.parts
    .filter((part) => part.segment !== 0)
    .map(({ segment, firstKey, lastKey, keys, dead, damaged, graphMissing }) => ({
      segment,
      firstKey,
      lastKey,
      items: keys.offsets.length,
      dead,
      damaged: damaged || graphMissing,
    }));
}

function tailFacts(snapshot: Snapshot): TailFacts {
  const tail = snapshot.parts.find((part) => part.segment === 0);
  return { items: (tail?.keys.offsets.length ?? 0) - (tail?.dead ?? 0), lastKey: snapshot.position.lastKey };
}
