import { normalizedText } from '../analysis/normalized-text.js';
import { SemanticIndexError } from '../errors.js';
import { describe } from '../options.js';
import type { SemanticIndex } from '../semantic-index.js';
import type { Document, DocumentId, Metadata } from '../types.js';
import { AnnoyIndex } from '../vectors/annoy/annoy-index.js';
import { scoreOf } from '../vectors/metric.js';
import { type DifferencePart, wordDifference } from './word-difference.js';

/** How two documents are alike, and how they differ. */
export interface PairExplanation {
  readonly first: Document;
  readonly second: Document;
  /** As in `Duplicate`; `near` also for documents that are not similar. */
  readonly kind: 'exact' | 'normalized' | 'near';
  /** Similarity of their vectors, as a score of the index. */
  readonly similarity: number;
  /** Changes from the first text to the second. */
  readonly difference: readonly DifferencePart[];
  /** Runs of words that only the first text has. */
  readonly removed: readonly string[];
  /** Runs of words that only the second text has. */
  readonly added: readonly string[];
}

/** @throws NOT_FOUND when one of the documents does not exist. */
export async function explainPair<M extends Metadata>(
  firstIndex: SemanticIndex<M>,
  firstId: DocumentId,
  secondIndex: SemanticIndex<M>,
  secondId: DocumentId,
): Promise<PairExplanation> {
  const [[first], [second]] = await Promise.all([
    firstIndex.getDocuments([firstId]),
    secondIndex.getDocuments([secondId]),
  ]);
  const [[u], [v]] = await Promise.all([firstIndex.getVectors([firstId]), secondIndex.getVectors([secondId])]);
  if (first === undefined || u === undefined) throw notFound(firstId);
  if (second === undefined || v === undefined) throw notFound(secondId);
  const difference = wordDifference(first.text, second.text);
  const runs = (kind: DifferencePart['kind']): string[] =>
    difference.flatMap((part) => (part.kind === kind ? [part.text.trim()] : []));
  const sameWords = normalizedText(first.text) === normalizedText(second.text);
  return {
    first,
    second,
    kind: first.text === second.text ? 'exact' : sameWords ? 'normalized' : 'near',
    similarity: similarityOf((await firstIndex.stats()).metric, u, v),
    difference,
    removed: runs('removed'),
    added: runs('added'),
  };
}

function similarityOf(metric: ConstructorParameters<typeof AnnoyIndex>[1], u: Float32Array, v: Float32Array): number {
  const pair = new AnnoyIndex(u.length, metric);
  try {
    pair.addItem(0, u);
    pair.addItem(1, v);
    return Math.min(1, scoreOf(metric, pair.getDistance(0, 1), u.length));
  } finally {
    pair.close();
  }
}

function notFound(id: DocumentId): SemanticIndexError {
  return new SemanticIndexError('NOT_FOUND', `explain: no document has the id ${describe(id)}`);
}
