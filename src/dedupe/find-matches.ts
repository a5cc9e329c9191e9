import { SemanticIndexError } from '../errors.js';
import type { SemanticIndex } from '../semantic-index.js';
import { TimeSlice } from '../time-slice.js';
import type { WhereOf } from '../types/where-of.js';
import type { DocumentId, Metadata } from '../types.js';
import { DistinctTexts } from './distinct-texts.js';
import type { Duplicate, DuplicateFindings, DuplicateGroup, Outlier } from './duplicates.js';
import type { SearchedDuplicateOptions } from './options.js';
import { WordStore } from './pair-measure.js';

const documentsPerPage = 64;
const stepsPerTurn = 4096;
/** Neighbors searched for each document: the nearest may differ in ways that the model does not represent. */
const neighbors = 16;

/** A document and the most similar one of the other index. */
interface Match {
  readonly id: DocumentId;
  readonly of: DocumentId;
  readonly kind: Duplicate['kind'];
  readonly value: number;
  readonly similarity: number;
}

/**
 * Finds for each document of an index its match in another index: the same text, else the same words, else the best of the
 * documents with the nearest vectors.
 *
 * @throws SPACE_MISMATCH when the vectors of the two come from different models.
 */
export async function findMatches<M extends Metadata>(
  index: SemanticIndex<M>,
  reference: SemanticIndex<M>,
  options: SearchedDuplicateOptions<M>,
): Promise<DuplicateFindings<M>> {
  const where = options.where as WhereOf<M> | undefined;
  const { near, threshold, exact, measure, signal, onProgress } = options;
  const store = near && measure === 'probability' ? await WordStore.create() : undefined;
  if (near) await checkSameSpace(index, reference);
  const wanted = { known: near && store === undefined, words: store, signal, onProgress };
  const known = await DistinctTexts.read(reference, undefined, wanted);
  const matches: Match[] = [];
  const nearest: Outlier[] = [];
  const slice = new TimeSlice();
  const total = await index.count({ where });
  let documents = 0;
  let after: string | undefined;
  do {
    signal?.throwIfAborted();
    const page = await index.listDocuments({ where, after, limit: documentsPerPage });
    const others: { id: DocumentId; text: string }[] = [];
    for (const { id, text } of page.documents) {
      const same = known.find(text);
      if (same === undefined) others.push({ id, text });
      else matches.push({ id, of: known.idOfText(same.text), kind: same.kind, value: 1, similarity: 1 });
      if (slice.due()) await slice.yieldIfDue(signal);
    }
    if (near && others.length > 0 && known.ids.length > 0) {
      const vectors = await index.getVectors(others.map(({ id }) => id));
      const words = wanted.known ? await index.knownWords(others.map(({ text }) => text)) : [];
      const there = others
        .map(({ id, text }, position) => ({ id, text, words: words[position] }))
        .filter((_, position) => vectors[position] !== undefined);
      const queries = vectors.filter((vector) => vector !== undefined);
      const lists = (await reference.searchMany(queries, { mode: 'vector', k: neighbors, exact, signal })).map(
        ({ hits }) => hits,
      );
      lists.forEach((hits, position) => {
        const [nearestHit] = hits;
        if (nearestHit === undefined) return;
        const { id, text: own, words } = there[position] as (typeof there)[number];
        nearest.push({ id, similarity: Math.min(1, nearestHit.score) });
        const read = store?.scorer.read(own);
        let best: Match | undefined;
        for (const hit of hits) {
          const text = known.textOfId(hit.id);
          const similarity = Math.min(1, hit.score);
          if (text === undefined) continue;
          if (store !== undefined && read !== undefined) {
            const value = store.scorer.probability(read, store.of(text));
            if (value < threshold || value <= (best?.value ?? -1)) continue;
            best = { id, of: hit.id, kind: 'near', value, similarity };
          } else if (hit.score >= threshold && known.isDecidedAgainst(text, words, similarity)) {
            best = { id, of: hit.id, kind: 'near', value: similarity, similarity };
            break;
          }
        }
        if (best !== undefined) matches.push(best);
      });
    }
    documents += page.documents.length;
    onProgress?.({ stage: 'compare', done: documents, total });
    after = page.next;
  } while (after !== undefined);
  return {
    index,
    reference,
    documents,
    lowest: near ? threshold : Number.NEGATIVE_INFINITY,
    group: (at) => groupMatches(matches, at),
    outliers: () => [...nearest].sort((a, b) => a.similarity - b.similarity),
  };
}

async function checkSameSpace<M extends Metadata>(index: SemanticIndex<M>, other: SemanticIndex<M>): Promise<void> {
  const [ours, theirs] = await Promise.all([index.stats(), other.stats()]);
  if (ours.provider === undefined || theirs.provider === undefined) return;
  const same =
    ours.provider === theirs.provider && ours.dimensions === theirs.dimensions && ours.metric === theirs.metric;
  if (same) return;
  throw new SemanticIndexError('SPACE_MISMATCH', 'findDuplicates: the two indexes have vectors of different models', {
    hint: 'Migrate one index to the model of the other, or pass `near: false` to compare texts only.',
    details: { expected: theirs.provider, actual: ours.provider },
  });
}

function* groupMatches(matches: readonly Match[], threshold: number): Generator<void, DuplicateGroup[]> {
  const groups = new Map<DocumentId, Duplicate[]>();
  for (const [position, { id, of, kind, value, similarity }] of matches.entries()) {
    if (position % stepsPerTurn === 0) yield;
    if (kind === 'near' && value < threshold) continue;
    const members = groups.get(of) ?? [];
    members.push({ id, kind, value, similarity });
    groups.set(of, members);
  }
  return [...groups.entries()].map(([representative, duplicates]) => ({
    representative,
    duplicates: duplicates.sort((a, b) => b.value - a.value),
  }));
}
