import { embeddedTextOf } from '../../analysis/fields/stored-text.js';
import type { ReadSetting } from '../../backend/read-snapshot.js';
import { parseStored } from '../../backend/stored-json.js';
import { SemanticIndexError } from '../../errors.js';
import { describe, type ResolvedTuneOptions } from '../../options.js';
import { Random } from '../../random.js';
import { TimeSlice } from '../../time-slice.js';
import type { MeasuredRecall, Query, TuneResult, Tuning, TuningPoint } from '../../types.js';
import { packVectors } from '../../vectors/pack-vectors.js';
import type { OperationContext } from '../context.js';
import { awaitRecognition, checkQueries, resolveQueries } from '../search/query-vectors.js';
import { plotCurve } from './curve-plot.js';
import { designEffect, type FoundCounts, normalQuantile, recallInterval } from './recall-interval.js';
import { type ProbeQueries, type ProbeSetting, RecallProbe } from './recall-probe.js';
import { fragmentOf, mixtures } from './sample-queries.js';
import { compareTrees } from './trees-table.js';

/** Kinds of queries: each has to reach the target by itself. */
type Kinds = readonly ProbeQueries[];

const fewestQueries = 400;
const maxQueries = 10_000;
const maxTimes = 24;
const settingName = 'tuning';
/** Texts read in one turn of the event loop: about a millisecond. */
const textsPerRead = 32;

/** The stored tuning of an index. */
export async function storedTuning(setting: ReadSetting): Promise<Tuning | undefined> {
  const stored = await setting(settingName);
  return typeof stored === 'string' ? (parseStored(stored, 'The tuning') as Tuning) : undefined;
}

/**
 * Finds the fastest setting that reaches a recall. Half of the queries select it; the held-out half validates it, so
 * the reported figures are not biased by the selection.
 *
 * @throws INVALID_ARGUMENT when the index is empty, and what embedding the queries causes.
 */
export function tune(context: OperationContext, options: ResolvedTuneOptions): Promise<TuneResult> {
  return new Tuner(context, options).run();
}

/** One call of `tune`: the settings measured so far. */
class Tuner {
  readonly #context: OperationContext;
  readonly #options: ResolvedTuneOptions;
  readonly #probe: RecallProbe;
  readonly #points: TuningPoint[] = [];
  #effect: number;
  #exactMilliseconds = 0;

  constructor(context: OperationContext, options: ResolvedTuneOptions) {
    this.#context = context;
    this.#options = options;
    this.#probe = new RecallProbe(context.backend, options.k, options.signal);
    this.#effect = options.k;
  }

  async run(): Promise<TuneResult> {
    const [choosing, certifying] = await this.#queries();
    const exact = await this.#probe.time(choosing[0] as ProbeQueries, { exact: true, searchK: undefined });
    this.#exactMilliseconds = exact.milliseconds;
    const { maxNodes: cap } = await this.#context.backend.facts();
    const natural = await this.#probe.time(choosing[0] as ProbeQueries, { exact: false, searchK: undefined });
    const hasWalks = natural.segments.some((segment) => !segment.exact);
    if (hasWalks) await this.#explore(choosing, cap);
    const tuning = await this.#certify(choosing, certifying, cap);
    this.#points.sort((a, b) => (a.searchK ?? 0) - (b.searchK ?? 0));
    const curve = [...this.#points, this.#exactPoint()];
    const { trees, dryRun } = this.#options;
    const table =
      trees === undefined
        ? []
        : await compareTrees(this.#context, trees, certifying[0] as ProbeQueries, {
            ...this.#options,
            searchK: tuning.searchK ?? this.#closest(cap),
            effect: this.#effect,
          });
    if (!dryRun) await this.#context.backend.settings.set(settingName, JSON.stringify(tuning));
    return { tuning, curve, trees: table, svg: plotCurve(curve, tuning) };
  }

  #exactPoint(): TuningPoint {
    return {
      searchK: undefined,
      exact: true,
      recall: 1,
      low: 1,
      high: 1,
      milliseconds: this.#exactMilliseconds,
    };
  }

  #closest(cap: number): number {
    const best = this.#points.filter(({ low }) => low >= this.#options.recall)[0] ?? this.#points.at(-1);
    return best?.searchK ?? cap;
  }

  /** Two sets of queries that have nothing in common, each with its kinds. */
  async #queries(): Promise<[Kinds, Kinds]> {
    const given = this.#options.queries;
    const raw = given === undefined ? await this.#ownQueries() : [await this.#givenQueries(given)];
    const total = raw.reduce((sum, { own }) => sum + own.length, 0);
    let before = 0;
    const halves: [ProbeQueries[], ProbeQueries[]] = [[], []];
    for (const { vectors, own } of raw) {
      const dimensions = vectors.length / own.length;
      const middle = Math.ceil(own.length / 2);
      for (const half of [0, 1] as const) {
        const [from, to] = half === 0 ? [0, middle] : [middle, own.length];
        if (from === to) continue;
        const queries = vectors.slice(from * dimensions, to * dimensions);
        const report = (done: number): void => this.#report('truth', before + from + done, total);
        halves[half].push(await this.#probe.truth(queries, own.slice(from, to), report));
      }
      before += own.length;
    }
    this.#report('truth', total, total);
    // A single query cannot be divided.
    return halves[1].length === 0 ? [halves[0], halves[0]] : halves;
  }

  async #givenQueries(given: readonly Query[]): Promise<{ vectors: Float32Array; own: Float64Array }> {
    if (!Array.isArray(given) || given.length === 0) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `tune: queries is ${describe(given)}`, {
        hint: 'Pass an array of some hundreds of texts, vectors or ids, or leave it out.',
      });
    }
    const { backend, space } = this.#context;
    const queries = await checkQueries(given, true, space, {
      onProviderFailure: 'error',
      syntax: 'plain',
      embedBudget: undefined,
      signal: this.#options.signal,
    });
    await awaitRecognition(queries);
    const checked = await resolveQueries(queries, backend);
    for (const { vector } of checked) space.checkDimensions((vector as Float32Array).length);
    return {
      vectors: packVectors(checked.map(({ vector }) => vector as Float32Array)),
      own: Float64Array.from(checked, ({ own }) => own ?? 0),
    };
  }

  /** Documents of the index, and what is asked of them: parts of their texts, else mixtures of their vectors. */
  async #ownQueries(): Promise<{ vectors: Float32Array; own: Float64Array }[]> {
    const { seed, sample } = this.#options;
    const { backend } = this.#context;
    const random = new Random(seed);
    const keys = await backend.sampleKeys(2 * (sample ?? this.#queriesNeeded()), random);
    if (keys.length === 0) {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'tune: the index has no documents', {
        hint: 'Add documents first; a small index is searched exactly without tuning.',
      });
    }
    const own = Float64Array.from(keys);
    const vectors = await backend.vectorsByKeys(keys);
    const strangers =
      (await this.#fragments(keys, random)) ??
      mixtures(vectors, this.#context.space.dimensions ?? 1, this.#context.backend.metric);
    const documents = { vectors, own };
    if (strangers === undefined) return [documents];
    return [documents, { vectors: strangers, own: new Float64Array(strangers.length / (vectors.length / own.length)) }];
  }

  /** Vectors of a few words out of each document; undefined if documents have no texts, or there is no provider. */
  async #fragments(keys: readonly number[], random: Random): Promise<Float32Array | undefined> {
    if (!this.#context.space.canEmbed) return undefined;
    const slice = new TimeSlice();
    const texts: string[] = [];
    for (let first = 0; first < keys.length; first += textsPerRead) {
      for (const document of await this.#context.backend.byKeys(keys.slice(first, first + textsPerRead))) {
        const text = fragmentOf(embeddedTextOf(document?.text ?? ''), random);
        if (text !== undefined) texts.push(text);
        if (slice.due()) await slice.yieldIfDue(this.#options.signal);
      }
    }
    if (texts.length < keys.length / 2) return undefined;
    const vectors: Float32Array[] = [];
    for await (const landed of this.#context.space.embed(texts, { role: 'query', signal: this.#options.signal })) {
      vectors.push(...landed.vectors);
      this.#report('embed', vectors.length, texts.length);
    }
    return packVectors(vectors);
  }

  /** With fewer queries even a perfect score would not prove the target. */
  #queriesNeeded(): number {
    const { recall: targetRecall, confidence } = this.#options;
    const z = normalQuantile(confidence);
    const needed = (1.5 * z * z * targetRecall) / Math.max(1e-4, 1 - targetRecall);
    return Math.min(maxQueries, Math.max(fewestQueries, Math.ceil(needed)));
  }

  /** Measures knobs around the smallest whose lower bound reaches the target, as long as exact search is not faster. */
  async #explore(queries: Kinds, cap: number): Promise<void> {
    const { recall: targetRecall, k } = this.#options;
    let searchK = Math.min(cap, Math.max(64, k * 8));
    let below = 0;
    let slowInARow = 0;
    let reached: number | undefined;
    for (let time = 0; time < maxTimes; time++) {
      const point = await this.#measure(queries, searchK);
      const enough = point.low >= targetRecall;
      if (enough && reached === undefined) reached = searchK;
      if (!enough) below = searchK;
      // One slow point may be the machine's doing; larger knobs are not given up for it.
      slowInARow = point.milliseconds > this.#exactMilliseconds ? slowInARow + 1 : 0;
      if (searchK >= cap || slowInARow > 1 || (enough && point.recall >= 0.999) || (enough && time > 6)) break;
      searchK = Math.min(cap, searchK * 2);
    }
    if (reached === undefined) return;
    for (let step = 0; step < 3 && below > 0 && below < reached; step++) {
      const between = Math.round(Math.sqrt(below * reached));
      const point = await this.#measure(queries, between);
      if (point.low >= targetRecall) reached = between;
      else below = between;
    }
    await this.#timeAgain(queries);
  }

  /** Times whatever may be chosen a second time: the better of two depends less on other processes. */
  async #timeAgain(queries: Kinds): Promise<void> {
    const first = queries[0] as ProbeQueries;
    const again = await this.#probe.time(first, { exact: true, searchK: undefined });
    this.#exactMilliseconds = Math.min(this.#exactMilliseconds, again.milliseconds);
    for (const [place, point] of this.#points.entries()) {
      if (point.low < this.#options.recall) continue;
      const { milliseconds } = await this.#probe.time(first, { exact: false, searchK: point.searchK });
      this.#points[place] = { ...point, milliseconds: Math.min(point.milliseconds, milliseconds) };
    }
  }

  async #measure(queries: Kinds, searchK: number): Promise<TuningPoint> {
    const setting = { exact: false, searchK };
    const { milliseconds } = await this.#probe.time(queries[0] as ProbeQueries, setting);
    const point = { searchK, exact: false, milliseconds, ...(await this.#recall(queries, setting)) };
    this.#points.push(point);
    this.#report('measure', this.#points.length);
    return point;
  }

  /** Of the kind of queries that finds least. */
  async #recall(queries: Kinds, setting: ProbeSetting): Promise<MeasuredRecall> {
    const counts: FoundCounts[] = [];
    for (const kind of queries) counts.push(await this.#probe.found(kind, setting));
    const effects = counts.flatMap((count) => designEffect(count) ?? []);
    // Where nothing was missed nothing is known of how misses cluster; the worst that was seen elsewhere is taken.
    if (effects.length > 0) {
      const worst = Math.max(...effects);
      this.#effect = this.#points.length === 0 ? worst : Math.max(this.#effect, worst);
    }
    const measured = counts.map((count) => recallInterval(count, this.#options.confidence, this.#effect));
    return measured.reduce((least, one) => (one.low < least.low ? one : least));
  }

  /**
   * The fastest measured setting, including exact search, that reaches the target on the held-out queries as well. If
   * none does, larger values of searchK are measured.
   */
  async #certify(choosing: Kinds, certifying: Kinds, cap: number): Promise<Tuning> {
    const { recall: targetRecall } = this.#options;
    let largestFailed: number | undefined;
    for (;;) {
      const best = this.#points
        .filter(({ low }) => low >= targetRecall)
        .reduce<TuningPoint | undefined>(
          (a, b) => (a === undefined || b.milliseconds < a.milliseconds ? b : a),
          undefined,
        );
      if (best?.searchK !== undefined && best.milliseconds < this.#exactMilliseconds) {
        const { searchK, milliseconds } = best;
        const measured = await this.#recall(certifying, { exact: false, searchK });
        this.#points[this.#points.indexOf(best)] = { ...best, ...measured };
        if (measured.low >= targetRecall) {
          return this.#tuning(certifying, { exact: false, searchK, milliseconds, ...measured });
        }
        largestFailed = Math.max(largestFailed ?? 0, searchK);
        continue;
      }
      if (best !== undefined || largestFailed === undefined || largestFailed >= cap) break;
      largestFailed = Math.min(cap, Math.ceil(largestFailed * 1.25));
      await this.#measure(choosing, largestFailed);
    }
    const milliseconds = this.#exactMilliseconds;
    return this.#tuning(certifying, { exact: true, searchK: undefined, milliseconds, recall: 1, low: 1, high: 1 });
  }

  async #tuning(
    queries: Kinds,
    found: MeasuredRecall & Pick<Tuning, 'exact' | 'searchK' | 'milliseconds'>,
  ): Promise<Tuning> {
    const { recall: targetRecall, k, confidence } = this.#options;
    const { segments } = await this.#context.backend.facts();
    return {
      targetRecall,
      k,
      ...found,
      confidence,
      queries: queries.reduce((sum, { count }) => sum + count, 0),
      queriesFrom: this.#options.queries === undefined ? 'documents' : 'given',
      exactMilliseconds: this.#exactMilliseconds,
      segments: segments.map(({ segment }) => segment),
      dead: segments.reduce((sum, { dead }) => sum + dead, 0),
      measuredAt: new Date().toISOString(),
    };
  }

  #report(stage: string, done: number, total?: number): void {
    this.#options.onProgress?.({ stage, done, ...(total === undefined ? {} : { total }) });
  }
}
