import type { SegmentSummary } from '../../backend/backend.js';
import type { ReadSetting } from '../../backend/read-snapshot.js';
import { SemanticIndexError } from '../../errors.js';
import { type ResolvedTuneOptions, tuneDefaults } from '../../options.js';
import type { Drift, IndexEvent, TuneResult, Tuning } from '../../types.js';
import type { OperationContext, RecallControl, SearchEffort } from '../context.js';
import { driftOf } from './drift.js';
import { storedTuning, tune } from './tune.js';

/** Options of `open` that decide how searches are done. */
export interface RecallOptions {
  readonly recall: number | undefined;
  readonly background: boolean;
  readonly readonly: boolean;
  readonly onEvent: ((event: IndexEvent) => void) | undefined;
}

/** Sets searches to the measured setting, and measures again when the index has drifted away from it. */
export class RecallMonitor implements RecallControl {
  readonly #context: OperationContext;
  readonly #options: RecallOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(context: OperationContext, options: RecallOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** What was measured last, and how far the index has moved since. */
  async tuning(): Promise<(Tuning & Drift) | undefined> {
    const tuning = await this.#stored();
    if (tuning === undefined) return undefined;
    return { ...tuning, ...driftOf(tuning, await this.#segments()) };
  }

  #stored(): Promise<Tuning | undefined> {
    const { settings } = this.#context.backend;
    return storedTuning((name) => settings.get(name));
  }

  async #segments(): Promise<readonly SegmentSummary[]> {
    return (await this.#context.backend.facts()).segments;
  }

  /**
   * How a search is done: as it says itself, else as was tuned. Where `open` asked for a recall, what was not yet
   * measured to have it is searched exactly: that costs time and no answers.
   */
  async settle<O extends SearchEffort>(search: O, setting: ReadSetting): Promise<O> {
    if (search.exact || search.searchK !== undefined || search.mode === 'text') return search;
    const tuning = await storedTuning(setting);
    if (this.#options.recall !== undefined && !(await this.#holds(tuning))) return { ...search, exact: true };
    if (tuning === undefined) return search;
    if (tuning.exact) return { ...search, exact: true };
    const { searchK, k } = tuning;
    if (searchK === undefined) return search;
    return { ...search, searchK: Math.ceil(searchK * Math.max(1, search.k / k)) };
  }

  async #holds(tuning: Tuning | undefined): Promise<boolean> {
    const asked = this.#options.recall;
    if (asked === undefined) return true;
    return tuning !== undefined && tuning.targetRecall >= asked && !driftOf(tuning, await this.#segments()).drifted;
  }

  /** Measures, chooses and, unless it is a dry run, keeps the choice. */
  tune(options: ResolvedTuneOptions): Promise<TuneResult> {
    return tune(this.#context, options);
  }

  /** Receives all events: new segments may require another measurement. */
  onEvent({ type }: IndexEvent): void {
    if (type === 'seal' || type === 'merge' || type === 'repair') this.check();
  }

  /** Measures in the background, where that is allowed and called for. */
  check(): void {
    const { background, readonly } = this.#options;
    if (!background || readonly || this.#running !== undefined || this.#stopping.signal.aborted) return;
    this.#running = this.#measureIfDrifted()
      .catch((error: unknown) => {
        if (this.#stopping.signal.aborted) return;
        const typed = SemanticIndexError.is(error)
          ? error
          : new SemanticIndexError('INTERNAL', 'Measuring recall failed', { cause: error });
        this.#options.onEvent?.({ type: 'error', message: typed.message, error: typed });
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #measureIfDrifted(): Promise<void> {
    const tuning = await this.#stored();
    const asked = this.#options.recall;
    const segments = await this.#segments();
    if (segments.length === 0) return;
    const drifted = tuning !== undefined && driftOf(tuning, segments).drifted;
    const unmeasured = asked !== undefined && (tuning === undefined || tuning.targetRecall < asked);
    if (!drifted && !unmeasured) return;
    const { tuning: found } = await this.tune({
      ...tuneDefaults,
      recall: Math.max(asked ?? 0, tuning?.targetRecall ?? 0),
      k: tuning?.k ?? tuneDefaults.k,
      confidence: tuning?.confidence ?? tuneDefaults.confidence,
      signal: this.#stopping.signal,
    });
    const how = found.exact ? 'exact search' : `searchK ${found.searchK}`;
    const { k, recall, low, exact, searchK } = found;
    const message = `recall@${k} ${recall.toFixed(4)} (at least ${low.toFixed(4)}) with ${how}`;
    const measured = { k, recall, low, exact, ...(searchK !== undefined && { searchK }) };
    this.#options.onEvent?.({ type: 'tune', ...measured, message });
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new SemanticIndexError('CLOSED', 'The index is closed'));
    await this.#running;
  }
}
