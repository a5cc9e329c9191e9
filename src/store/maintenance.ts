import { documentsPerRead } from '../backend/batch-sizes.js';
import { crashPoint } from '../crash-points.js';
import { SemanticIndexError } from '../errors.js';
import type { IndexEvent, LongWorkOptions, Metric } from '../types.js';
import { backupLease } from './backup.js';
import {
  type AnalyzeAction,
  buildAllAction,
  compactAction,
  joinAction,
  type MergeAction,
  nextAction,
  type PlannerOptions,
  rebuildAction,
  type SegmentFacts,
  sealAction,
  type TailFacts,
} from './build/planner.js';
import type { BuildRequest, BuiltSegment } from './build/segment-builder.js';
import { leaseOwner } from './catalog/lease-owner.js';
import type { Lease } from './catalog/lease-table.js';
import { unsoundVectors } from './catalog/sound-vectors.js';
import { removeSegmentFiles } from './directory/segment-directory.js';
import { columnsFile, freshSegmentName, termsFile } from './directory/segment-names.js';
import type { Snapshot } from './snapshot/snapshot.js';
import { fromSqliteError } from './sqlite/sqlite-error.js';
import type { TailImages } from './tail-images.js';
import type { CatalogClient } from './writer/catalog-client.js';
import { acquireLease, type LeaseRequest, leaseMilliseconds, whileHeld } from './writer/held-lease.js';

/** Dependencies of background work. */
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
  readonly tailImages: TailImages;
  readonly onEvent: (event: IndexEvent) => void;
}

/** Pause between two attempts to take the lease, for a caller that waits for it. */
const retryMilliseconds = 200;
/**
 * Batches of at least so many documents are usually followed by others, for which a build would leave less processor time; and one
 * segment of all takes less time than several that are merged. So background work begins when none came for a while (so many times
 * the time between the last two, and within these milliseconds), or when the tail has so many times the documents of a seal, or
 * vectors of so many bytes.
 */
const bulk = { documents: 256, intervals: 4, minQuiet: 300, maxQuiet: 5_000, seals: 8, bytes: 192 * 2 ** 20 };
/** Pause before background work is tried again that failed or is done by another process. */
const laterMilliseconds = 5_000;

/**
 * Builds segments: seals the tail, merges segments, and rewrites damaged ones and those with many deleted items. A
 * lease in the catalog keeps this to one process at a time.
 */
export class Maintenance {
  readonly #context: MaintenanceContext;
  readonly #lease: LeaseRequest;
  #running: Promise<void> = Promise.resolve();
  #scheduled = false;
  #stopped = false;
  #later: NodeJS.Timeout | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #lastBulk = Number.NEGATIVE_INFINITY;

  constructor(context: MaintenanceContext) {
    this.#context = context;
    const onError = (error: unknown): void => this.#report(error);
    this.#lease = { writer: context.writer, name: 'maintenance', owner: leaseOwner(), onError };
  }

  /** Whether there is anything to do. */
  wants(snapshot: Snapshot): boolean {
    if (snapshot.tail !== undefined && snapshot.tail.terms.lacking.length > 0) return true;
    if (nextAction(segmentFacts(snapshot), tailFacts(snapshot), this.#context.planner) !== undefined) return true;
    return this.#context.tailImages.wants(snapshot);
  }

  /**
   * Writes the tail in the form that it is opened from, if it has grown since that was done. To be called after `stop`; what fails is
   * done by the next process.
   */
  async saveTail(snapshot: Snapshot): Promise<void> {
    const { tailImages } = this.#context;
    if (!tailImages.wants(snapshot, true)) return;
    try {
      const lease = await acquireLease(this.#lease);
      if (lease === undefined) return;
      await whileHeld(this.#lease, async () => {
        if (await tailImages.write(snapshot, lease)) await this.#sweep(lease);
      });
    } catch (error) {
      this.#report(error);
    }
  }

  /** Runs the actions of the planner in the background after a write of so many documents, if there is anything to do. */
  scheduleAfter(documents: number, snapshots: { readonly current: Snapshot }): void {
    if (documents >= bulk.documents) {
      const now = performance.now();
      const interval = now - this.#lastBulk;
      this.#lastBulk = now;
      const quiet = interval > bulk.maxQuiet ? bulk.minQuiet : Math.max(bulk.minQuiet, bulk.intervals * interval);
      clearTimeout(this.#quiet);
      this.#quiet = setTimeout(
        () => {
          this.#quiet = undefined;
          if (this.wants(snapshots.current)) this.schedule();
        },
        Math.min(quiet, bulk.maxQuiet),
      );
      this.#quiet.unref();
    }
    const { current } = snapshots;
    if (!this.#isWaiting(current) && this.wants(current)) this.schedule();
  }

  /** Whether more documents are about to come, and the tail has room for them. */
  #isWaiting({ tail }: Snapshot): boolean {
    const { planner, dimensions } = this.#context;
    const most = Math.max(planner.sealAt, Math.min(bulk.seals * planner.sealAt, bulk.bytes / (4 * dimensions)));
    return this.#quiet !== undefined && (tail?.keys.offsets.length ?? 0) < most;
  }

  /** Runs the actions of the planner in the background; calls before it has begun change nothing. */
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

  /** Another process holds the lease, or the disk is full: do not try again with every write. */
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
      const action = buildAllAction(segmentFacts(snapshot), tailFacts(snapshot));
      if (action !== undefined) await run(action);
    });
  }

  /**
   * Builds a segment for the tail, runs the actions of the planner, merges the segments of a small index, and rewrites segments with
   * deleted items.
   */
  optimize(options: LongWorkOptions): Promise<void> {
    return this.#exclusively(options, async (run) => {
      const before = await this.#context.refresh();
      const seal = sealAction(segmentFacts(before), tailFacts(before));
      if (seal !== undefined) await run(seal);
      // A merge leaves fewer segments; a repair that keeps failing must not be repeated forever.
      for (let left = 2 * before.segments.length + 2; left > 0; left--) {
        const now = await this.#context.refresh();
        const action = nextAction(segmentFacts(now), { items: 0, lastKey: 0 }, this.#context.planner);
        if (action === undefined) break;
        await run(action);
      }
      const join = joinAction(segmentFacts(await this.#context.refresh()), this.#context.planner);
      if (join !== undefined) await run(join);
      // Each once: while documents are being deleted, there would always be another round.
      for (const { segment } of segmentFacts(await this.#context.refresh())) {
        const now = segmentFacts(await this.#context.refresh());
        const action = compactAction(now.filter((facts) => facts.segment === segment));
        if (action !== undefined) await run(action);
      }
    });
  }

  /** Rebuilds every segment from the vectors in the catalog. */
  rebuildAll(options: LongWorkOptions): Promise<void> {
    return this.#exclusively(options, async (run) => {
      for (const segment of segmentFacts(await this.#context.refresh())) await run(rebuildAction(segment));
    });
  }

  /** Runs actions for a caller that waits for them; can be aborted and reports progress. */
  #exclusively(
    { signal, onProgress }: LongWorkOptions,
    work: (run: (action: MergeAction | AnalyzeAction) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    return this.#enqueue(async () => {
      signal?.throwIfAborted();
      const cancel = (): void => void this.#context.builder.builder.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
      let done = 0;
      try {
        await this.#withLease((lease) =>
          work(async (action) => {
            signal?.throwIfAborted();
            if (!(await this.#run(action, lease))) {
              throw new SemanticIndexError('BUSY', 'Another process took over building segments of this index', {
                hint: 'This process was suspended for too long. Try again.',
              });
            }
            onProgress?.({ stage: action.kind, done: ++done });
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

  /** Ends background work; a running build is cancelled. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#later);
    clearTimeout(this.#quiet);
    // The call fails when the database is lost; then nothing is being built.
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

  /** Returns false when another process holds the lease, so that work may be left. */
  async #runAll(): Promise<boolean> {
    const lease = await acquireLease(this.#lease);
    if (lease === undefined) return false;
    return whileHeld(this.#lease, async () => {
      await this.#sweep(lease);
      await this.#storeTerms(await this.#context.refresh());
      for (;;) {
        const snapshot = await this.#context.refresh();
        const action = nextAction(segmentFacts(snapshot), tailFacts(snapshot), this.#context.planner);
        // The timer of the last write begins again.
        if (this.#stopped || this.#isWaiting(snapshot)) return true;
        if (action === undefined) {
          const { tailImages } = this.#context;
          if (tailImages.wants(snapshot) && (await tailImages.write(snapshot, lease))) await this.#sweep(lease);
          return true;
        }
        if (!(await this.#run(action, lease))) return false;
        if (this.#busy > 1) {
          // A caller waits for a build of its own; under constant writes it would never resolve.
          this.schedule();
          return true;
        }
      }
    });
  }

  async #withLease(work: (lease: Lease) => Promise<void>): Promise<void> {
    const deadline = Date.now() + 2 * leaseMilliseconds;
    let lease = await acquireLease(this.#lease);
    while (lease === undefined) {
      if (Date.now() > deadline) {
        throw new SemanticIndexError('BUSY', 'Another process is building segments of this index', {
          hint: 'Wait for it to finish and try again.',
        });
      }
      await new Promise((resolve) => setTimeout(resolve, retryMilliseconds));
      lease = await acquireLease(this.#lease);
    }
    const held = lease;
    await whileHeld(this.#lease, () => work(held));
  }

  /** Stores the terms of documents of the tail that an earlier version wrote, or whose row is damaged. */
  async #storeTerms({ tail }: Snapshot): Promise<void> {
    const lacking = tail?.terms.lacking ?? [];
    for (const keys of lacking) {
      for (let first = 0; first < keys.length; first += documentsPerRead) {
        if (this.#stopped) return;
        const last = Math.min(first + documentsPerRead, keys.length) - 1;
        await this.#context.writer.terms.restore(keys[first] as number, keys[last] as number);
      }
    }
    tail?.terms.restored(lacking);
  }

  /** Returns false, with nothing changed, when the lease was lost meanwhile. */
  #run(action: MergeAction | AnalyzeAction, lease: Lease): Promise<boolean> {
    return action.kind === 'analyze' ? this.#analyze(action, lease) : this.#merge(action, lease);
  }

  async #analyze({ kind: _, ...wanted }: AnalyzeAction, lease: Lease): Promise<boolean> {
    const { directory, threads, builder, writer, refresh, onEvent } = this.#context;
    const began = performance.now();
    const analyzed = await builder.builder.analyze({ ...wanted, directory, threads });
    // Replaced meanwhile: the next action is chosen for what is there now.
    if (analyzed === undefined) return true;
    const { file, documents, files, analysis } = analyzed;
    if (!(await writer.segments.publishDerived(lease, wanted.segment, files, analysis))) return false;
    await refresh();
    const milliseconds = performance.now() - began;
    const names = [...(wanted.terms ? [termsFile(file)] : []), ...(wanted.columns ? [columnsFile(file)] : [])];
    for (const name of names) {
      const message = `${documents} documents in ${name}`;
      onEvent({ type: 'repair', message, file: `segments/${name}`, documents, milliseconds });
    }
    return true;
  }

  async #merge(action: MergeAction, lease: Lease): Promise<boolean> {
    const { directory, metric, space, dimensions, trees, seed, threads, builder, writer, refresh, onEvent } =
      this.#context;
    const { kind, firstKey, lastKey, replaces } = action;
    const began = performance.now();
    const file = freshSegmentName();
    if (!(await writer.segments.plan(lease, file))) return false;
    const forest = { metric, dimensions, trees, seed, threads };
    const request: BuildRequest = { kind, directory, file, firstKey, lastKey, ...forest };
    const { unsound, ...built } = await builder.builder.build(request);
    const { segment } = built;
    const publication = { kind, lease, space, replaces, firstKey, lastKey, ...built };
    if (!(await writer.segments.publish(publication))) {
      // Another process changed the segments meanwhile: this file does not belong to them.
      if (segment !== undefined) await removeSegmentFiles(directory, segment.file);
      return false;
    }
    await refresh();
    await this.#sweep(lease);
    crashPoint(`${kind}.swept`);
    if (unsound.length > 0) onEvent(unsoundVectors(unsound));
    onEvent(publishedEvent(action, segment, performance.now() - began));
    return true;
  }

  /**
   * Removes the files that the catalog knows and no segment uses: those of replaced segments (a process that has one
   * mapped keeps it until it is unmapped), and those of builds that died. Files that the catalog does not know are left
   * alone: they may be the last copy of something.
   */
  async #sweep(lease: Lease): Promise<void> {
    const { directory, writer, onEvent } = this.#context;
    const removable = await writer.segments.removable(lease);
    // A backup copies files that were retired after its catalog was copied. Checked last, so that none begins in
    // between.
    if (removable.length === 0 || (await writer.leases.anyHeld(backupLease))) return;
    const removed: string[] = [];
    for (const file of removable) if (await removeSegmentFiles(directory, file)) removed.push(file);
    if (removed.length === 0) return;
    await writer.segments.forgetRetired(removed);
    const message = `Removed the files of ${removed.length} segments that are not needed`;
    onEvent({ type: 'sweep', files: removed, message });
  }

  #report(error: unknown): void {
    if (this.#stopped) return;
    const message = `Background work failed: ${error instanceof Error ? error.message : String(error)}`;
    const typed = fromSqliteError(error);
    this.#context.onEvent({
      type: 'error',
      message,
      error: SemanticIndexError.is(typed) ? typed : new SemanticIndexError('INTERNAL', message, { cause: error }),
    });
  }
}

const eventOf = {
  repair: 'repair',
  rebuild: 'repair',
  seal: 'seal',
  merge: 'merge',
  compact: 'merge',
  build: 'merge',
} as const satisfies Record<MergeAction['kind'], IndexEvent['type']>;

/** The event of a new segment; without `segment` every document of it was deleted. */
function publishedEvent(
  { kind, firstKey, lastKey }: MergeAction,
  segment: BuiltSegment['segment'],
  milliseconds: number,
): IndexEvent {
  const { file, items: documents = 0, trees = 0 } = segment ?? {};
  const message = `${documents} documents in one segment (keys ${firstKey} to ${lastKey}, ${trees} trees)`;
  const facts = { message, documents, milliseconds };
  const type = eventOf[kind];
  if (type === 'repair') return { type, ...facts, ...(file !== undefined && { file: `segments/${file}` }) };
  return { type, ...facts, ...(file !== undefined && { segment: file }) };
}

function segmentFacts(snapshot: Snapshot): SegmentFacts[] {
  return snapshot.segments.map(({ segment, firstKey, lastKey, keys, dead, vectors, terms, columns }) => ({
    segment,
    firstKey,
    lastKey,
    items: keys.offsets.length,
    dead,
    damaged: vectors.state !== 'stored' || terms.state === 'damaged' || columns?.state === 'damaged',
    termsMissing: terms.state === 'missing',
    columnsMissing: columns?.state === 'missing',
  }));
}

function tailFacts({ tail, position }: Snapshot): TailFacts {
  return { items: (tail?.keys.offsets.length ?? 0) - (tail?.dead ?? 0), lastKey: position.lastKey };
}
