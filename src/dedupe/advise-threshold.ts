import { DuplicateScorer } from '../analysis/likeness/duplicate-scorer.js';
import { likenessOf } from '../analysis/near-duplicate.js';
import { checkIndex, checkOneOf, checkPositive, checkShare } from '../check-arguments.js';
import { loadWordKnowledge } from '../embed/bundled/bundled-provider.js';
import { SemanticIndexError } from '../errors.js';
import { type DuplicateMeasure, defaultMeasure, describe, resolveOptions } from '../options.js';
import type { SemanticIndex } from '../semantic-index.js';
import { TimeSlice } from '../time-slice.js';
import type { DocumentId, Metadata } from '../types.js';
import { type AdviceOptions, adviceDefaults, type ResolvedAdviceOptions, type SimilarPair } from './options.js';

/** Pairs within a range of the measure. */
export interface SimilarityBand<M extends Metadata = Metadata> {
  /** Bounds of the band: from <= value < to; the last band includes its end. */
  readonly from: number;
  readonly to: number;
  /** Pairs found in the sample. */
  readonly pairs: number;
  /** Example pairs, spread evenly over the band, the highest value first. */
  readonly examples: readonly SimilarPair<M>[];
  /** Fraction of the examples that the judge called duplicates; undefined without judge or examples. */
  readonly duplicates: number | undefined;
}

/** Result of `adviseThreshold`. */
export interface ThresholdAdvice<M extends Metadata = Metadata> {
  /** Bands of the measure, the highest first. */
  readonly bands: readonly SimilarityBand<M>[];
  /** Documents whose neighbors were searched. */
  readonly sampled: number;
  /**
   * Suggested threshold: the lowest bound of a band above which the judged pairs, weighted by their number, reach the requested
   * precision, without a band where most pairs are not duplicates. Undefined without judge, and when no band qualifies.
   */
  readonly threshold: number | undefined;
}

const defaultBands = {
  probability: [0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
  similarity: [0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 1],
};
const documentsPerPage = 256;
const hitsPerSearch = 256;

/**
 * Samples pairs of similar documents at each probability of being duplicates, to choose a threshold for `findDuplicates` that suits the
 * texts. With a `judge`, a person or a model that decides for each pair, it suggests a threshold.
 *
 * @throws INVALID_ARGUMENT, INVALID_FILTER, or the signal's reason; errors of the judge.
 * @example const { bands } = await adviseThreshold(index, { sample: 500 })
 */
export async function adviseThreshold<M extends Metadata>(
  index: SemanticIndex<M>,
  options?: AdviceOptions<M>,
): Promise<ThresholdAdvice<M>> {
  const resolved = resolveOptions('adviseThreshold', options, adviceDefaults);
  checkIndex('adviseThreshold', index);
  checkPositive('adviseThreshold', 'sample', resolved.sample);
  checkPositive('adviseThreshold', 'neighbors', resolved.neighbors);
  checkPositive('adviseThreshold', 'pairsPerBand', resolved.pairsPerBand);
  checkShare('adviseThreshold', 'precision', resolved.precision);
  const measure = await measureOf(index, resolved.measure);
  const bounds = checkBands(resolved.bands ?? defaultBands[measure]);
  const ids = await sampleIds(index, resolved);
  const pairs = await pairsOf(index, ids, { ...resolved, measure }, bounds[0] as number);
  const bands: SimilarityBand<M>[] = [];
  for (let band = bounds.length - 2; band >= 0; band--) {
    const [from, to] = [bounds[band] as number, bounds[band + 1] as number];
    const last = band === bounds.length - 2;
    const inside = pairs.filter(({ value }) => value >= from && (value < to || (last && value <= to)));
    bands.push(await describeBand(index, from, to, inside, { ...resolved, measure }));
    resolved.onProgress?.({ stage: 'judge', done: bands.length, total: bounds.length - 1 });
  }
  return { bands, sampled: ids.length, threshold: suggest(bands, resolved.precision) };
}

async function measureOf<M extends Metadata>(
  index: SemanticIndex<M>,
  given: DuplicateMeasure | undefined,
): Promise<DuplicateMeasure> {
  if (given === undefined) return defaultMeasure((await index.stats()).provider);
  checkOneOf('adviseThreshold', 'measure', given, ['probability', 'similarity']);
  return given;
}

function checkBands(bands: readonly number[]): readonly number[] {
  const ascending =
    Array.isArray(bands) &&
    bands.length > 1 &&
    bands.every((bound, place) => Number.isFinite(bound) && (place === 0 || bound > (bands[place - 1] as number)));
  if (ascending) return bands;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `adviseThreshold: expected bands as two or more ascending numbers, got ${describe(bands)}`,
    {
      hint: 'For example [0.8, 0.9, 1].',
    },
  );
}

/** Ids of evenly spaced documents. */
async function sampleIds<M extends Metadata>(
  index: SemanticIndex<M>,
  { where, sample, signal, onProgress }: ResolvedAdviceOptions<M>,
): Promise<DocumentId[]> {
  const total = await index.count({ where });
  const wanted = Math.min(sample, total);
  const ids: DocumentId[] = [];
  let [row, after] = [0, undefined as string | undefined];
  do {
    signal?.throwIfAborted();
    const page = await index.listDocuments({ where, after, limit: documentsPerPage });
    for (const { id } of page.documents) {
      if (ids.length < wanted && row++ >= (ids.length * total) / wanted) ids.push(id);
    }
    onProgress?.({ stage: 'sample', done: ids.length, total: wanted });
    after = page.next;
  } while (after !== undefined && ids.length < wanted);
  return ids;
}

type MeasuredAdvice<M extends Metadata> = ResolvedAdviceOptions<M> & { readonly measure: DuplicateMeasure };

interface FoundPair {
  readonly first: DocumentId;
  readonly second: DocumentId;
  readonly value: number;
  readonly similarity: number;
}

/**
 * Finds pairs of sampled documents and their neighbors, each once, the highest value first. By similarity, leaves out pairs that no
 * threshold makes duplicates, because the model does not represent their difference.
 */
async function pairsOf<M extends Metadata>(
  index: SemanticIndex<M>,
  ids: readonly DocumentId[],
  { neighbors, where, measure, signal, onProgress }: MeasuredAdvice<M>,
  lowest: number,
): Promise<FoundPair[]> {
  const scorer = measure === 'probability' ? new DuplicateScorer(await loadWordKnowledge()) : undefined;
  const found = new Map<string, FoundPair>();
  const slice = new TimeSlice();
  const perSearch = Math.max(1, Math.floor(hitsPerSearch / neighbors));
  for (let first = 0; first < ids.length; first += perSearch) {
    signal?.throwIfAborted();
    const some = ids.slice(first, first + perSearch);
    const documents = await index.getDocuments(some);
    const present = (await index.getVectors(some)).flatMap((vector, place) => {
      const document = documents[place];
      return vector === undefined || document === undefined ? [] : [{ ...document, vector }];
    });
    const results = await index.searchMany(
      present.map(({ vector }) => vector),
      { mode: 'vector', k: neighbors + 1, where, signal },
    );
    const texts = [...present, ...results.flatMap(({ hits }) => hits)].map(({ text }) => text);
    const known = scorer === undefined ? await index.knownWords(texts) : [];
    const knownWordsOf = new Map(texts.map((text, place) => [text, known[place]]));
    for (const [place, { hits }] of results.entries()) {
      const { id, text } = present[place] as { id: DocumentId; text: string };
      const own = { text, knownWords: knownWordsOf.get(text) };
      for (const hit of hits) {
        const similarity = Math.min(1, hit.score);
        if (hit.id === id) continue;
        const name = [JSON.stringify(id), JSON.stringify(hit.id)].sort().join(' ');
        if (found.has(name)) continue;
        const value = scorer === undefined ? similarity : scorer.compare(text, hit.text);
        if (value < lowest) continue;
        const other = { text: hit.text, knownWords: knownWordsOf.get(hit.text) };
        if (scorer === undefined && likenessOf(own, other, similarity) === 'not decided by similarity') continue;
        found.set(name, { first: id, second: hit.id, value, similarity });
        if (slice.due()) await slice.yieldIfDue(signal);
      }
      if (slice.due()) await slice.yieldIfDue(signal);
    }
    onProgress?.({ stage: 'search', done: Math.min(first + perSearch, ids.length), total: ids.length });
  }
  return [...found.values()].sort((a, b) => b.value - a.value || b.similarity - a.similarity);
}

async function describeBand<M extends Metadata>(
  index: SemanticIndex<M>,
  from: number,
  to: number,
  pairs: readonly FoundPair[],
  { pairsPerBand, judge, measure, signal }: MeasuredAdvice<M>,
): Promise<SimilarityBand<M>> {
  const count = Math.min(pairsPerBand, pairs.length);
  const chosen = Array.from(
    { length: count },
    (_, place) => pairs[Math.floor((place * pairs.length) / count)] as FoundPair,
  );
  const examples: SimilarPair<M>[] = [];
  for (const { first, second, value, similarity } of chosen) {
    const [one, other] = await index.getDocuments([first, second]);
    const probability = measure === 'probability' ? value : undefined;
    if (one !== undefined && other !== undefined) examples.push({ first: one, second: other, probability, similarity });
  }
  let duplicates: number | undefined;
  if (judge !== undefined && examples.length > 0) {
    let same = 0;
    for (const pair of examples) {
      signal?.throwIfAborted();
      if (await judge(pair)) same++;
    }
    duplicates = same / examples.length;
  }
  return { from, to, pairs: pairs.length, examples, duplicates };
}

function suggest(bands: readonly SimilarityBand[], precision: number): number | undefined {
  let [all, same] = [0, 0];
  let threshold: number | undefined;
  for (const { from, pairs, duplicates } of bands) {
    if (duplicates === undefined) continue;
    // Many duplicates in the bands above must not outweigh a band where most pairs are not.
    if (duplicates < 0.5) break;
    all += pairs;
    same += pairs * duplicates;
    if (same >= precision * all) threshold = from;
  }
  return threshold;
}
