import { checkIndex, checkOneOf, checkPositive, duplicateThreshold } from '../check-arguments.js';
import { defaultMeasure, resolveOptions } from '../options.js';
import type { SemanticIndex } from '../semantic-index.js';
import { TimeSlice } from '../time-slice.js';
import type { Metadata } from '../types.js';
import { DistinctTexts } from './distinct-texts.js';
import { type Duplicate, type DuplicateFindings, type DuplicateGroup, Duplicates, type Outlier } from './duplicates.js';
import { findMatches } from './find-matches.js';
import { groupTexts } from './group-texts.js';
import { NeighborPairs } from './neighbor-pairs.js';
import {
  type DuplicateOptions,
  duplicateDefaults,
  type Representative,
  type ResolvedDuplicateOptions,
  type SearchedDuplicateOptions,
} from './options.js';
import { type PairMeasure, ProbabilityMeasure, SimilarityMeasure, WordStore } from './pair-measure.js';

const firstNeighbors = 4;
const growth = 4;
const stepsPerTurn = 4096;

/**
 * Finds documents that duplicate another one: the same text, the same words, or, of the documents with similar vectors, those whose words
 * make them duplicates with a probability of at least `threshold`. With `against`, finds documents that another index has too. Changes
 * nothing; see `Duplicates.apply`.
 *
 * Searches the nearest neighbors of each distinct text instead of comparing all pairs, and more of them while the last ones are
 * still duplicates. The same index gives the same groups. Documents added meanwhile are left out.
 *
 * @throws INVALID_ARGUMENT, INVALID_FILTER, SPACE_MISMATCH (`against` has vectors of another model), or the signal's reason.
 * @example const duplicates = await findDuplicates(index)
 */
export async function findDuplicates<M extends Metadata>(
  index: SemanticIndex<M>,
  options?: DuplicateOptions<M>,
): Promise<Duplicates<M>> {
  const given = resolveOptions('findDuplicates', options, duplicateDefaults);
  checkIndex('findDuplicates', index);
  if (given.against !== undefined) checkIndex('findDuplicates: against', given.against);
  checkOptions(given);
  const measure = given.measure ?? defaultMeasure((await index.stats()).provider);
  const resolved = { ...given, measure, threshold: duplicateThreshold('findDuplicates', { ...given, measure }) };
  const { against, threshold, signal } = resolved;
  const findings =
    against === undefined ? await findWithin(index, resolved) : await findMatches(index, against, resolved);
  return new Duplicates(findings, threshold, await politely(findings.group(threshold), signal));
}

function checkOptions({
  threshold,
  measure,
  neighbors,
  representative,
}: Pick<ResolvedDuplicateOptions, 'threshold' | 'measure' | 'neighbors' | 'representative'>): void {
  duplicateThreshold('findDuplicates', { measure: measure ?? 'similarity', threshold });
  checkPositive('findDuplicates', 'neighbors', neighbors);
  checkOneOf('findDuplicates', 'representative', representative, ['first', 'longest', 'central']);
}

async function findWithin<M extends Metadata>(
  index: SemanticIndex<M>,
  options: SearchedDuplicateOptions<M>,
): Promise<DuplicateFindings<M>> {
  const { where, near, threshold, representative, measure, signal, onProgress } = options;
  const bySimilarity = measure === 'similarity';
  const words = near && !bySimilarity ? await WordStore.create() : undefined;
  const texts = await DistinctTexts.read(index, where, { known: near && bySimilarity, words, signal, onProgress });
  const compared: PairMeasure =
    words === undefined ? new SimilarityMeasure(texts) : new ProbabilityMeasure(words, texts.firstOf.length);
  const pairs = new NeighborPairs(texts.firstOf.length, compared);
  if (near) await findPairs(index, texts, pairs, compared, options);
  return {
    index,
    reference: index,
    documents: texts.ids.length,
    lowest: near ? threshold : Number.NEGATIVE_INFINITY,
    group: (at) => groupDocuments(texts, pairs, at, representative),
    outliers: () => findOutliers(texts, pairs),
  };
}

/** Searches the neighbors of every text, then more neighbors of representatives until none is missed. */
async function findPairs<M extends Metadata>(
  index: SemanticIndex<M>,
  texts: DistinctTexts,
  pairs: NeighborPairs,
  compared: PairMeasure,
  options: SearchedDuplicateOptions<M>,
): Promise<void> {
  const { where, exact, threshold, neighbors, representative, signal, onProgress } = options;
  const search = { where, exact, lowest: threshold, signal, onProgress };
  const everything = texts.firstOf.map((_, text) => text);
  let k = Math.min(firstNeighbors, neighbors);
  await pairs.search(index, texts, everything, k, search);
  while (k < neighbors) {
    k = Math.min(k * growth, neighbors);
    await pairs.search(index, texts, pairs.incomplete(everything, threshold), k, search);
  }
  // A text with more duplicates than `neighbors` represents them all only when all have been searched.
  for (;;) {
    k = Math.min(k * growth, texts.ids.length);
    const incomplete = pairs.incomplete(everything, compared.endless(threshold));
    if (incomplete.length === 0) return;
    const { representativeOf } = await politely(groupTexts(texts, pairs, threshold, representative), signal);
    const standing = incomplete.filter((text) => representativeOf[text] === text);
    if (standing.length === 0) return;
    await pairs.search(index, texts, standing, k, search);
  }
}

function* groupDocuments(
  texts: DistinctTexts,
  pairs: NeighborPairs,
  threshold: number,
  representative: Representative,
): Generator<void, DuplicateGroup[]> {
  const { representativeOf, value, similarity } = yield* groupTexts(texts, pairs, threshold, representative);
  const groups = new Map<number, Duplicate[]>();
  for (let document = 0; document < texts.ids.length; document++) {
    if (document % stepsPerTurn === 0) yield;
    const text = texts.textOf[document] as number;
    const standing = representativeOf[text] as number;
    const first = texts.firstOf[standing] as number;
    if (first === document) continue;
    const sameWords = texts.wordingOf[text] === texts.wordingOf[standing];
    const duplicate: Duplicate = {
      id: texts.ids[document] as Duplicate['id'],
      kind: text === standing ? 'exact' : sameWords ? 'normalized' : 'near',
      value: value[text] as number,
      similarity: similarity[text] as number,
    };
    const members = groups.get(first);
    if (members === undefined) groups.set(first, [duplicate]);
    else members.push(duplicate);
  }
  return [...groups.entries()]
    .sort(([a], [b]) => a - b)
    .map(([first, duplicates]) => ({
      representative: texts.ids[first] as Duplicate['id'],
      duplicates: duplicates.sort(byValue),
    }));
}

const rank = { exact: 0, normalized: 1, near: 2 };

/** The highest value first, ties in the order of the index. */
function byValue(a: Duplicate, b: Duplicate): number {
  return b.value - a.value || rank[a.kind] - rank[b.kind];
}

function findOutliers(texts: DistinctTexts, pairs: NeighborPairs): Outlier[] {
  return texts.ids
    .map((id, document) => ({ id, similarity: pairs.nearest[texts.textOf[document] as number] as number }))
    .filter(({ similarity }) => similarity > Number.NEGATIVE_INFINITY)
    .sort((a, b) => a.similarity - b.similarity);
}

/** Runs a generator in time slices, so that it does not block the event loop. */
async function politely<T>(work: Generator<void, T>, signal: AbortSignal | undefined): Promise<T> {
  const slice = new TimeSlice();
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    if (slice.due()) await slice.yieldIfDue(signal);
  }
}
