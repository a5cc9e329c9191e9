import { normalizedText } from './normalized-text.js';

/**
 * Similarity at or above which two vectors count as equal: they do not represent the difference between their texts (a sign, an
 * emoji, the order of words). float32 rounding stays within this tolerance.
 */
const sameVector = 1 - 1e-7;

/** A text to compare. */
export interface ComparedText {
  readonly text: string;
  /** See `EmbeddingProvider.knownWords`; undefined when the provider does not declare it. */
  readonly knownWords: string | undefined;
}

/** Whether the vectors of two texts decide if they are duplicates. */
export type Likeness = 'same words' | 'decided by similarity' | 'not decided by similarity';

/**
 * Decides whether two texts have the same words (`normalizedText`), and if not, whether the similarity of their vectors is
 * meaningful. It is not when the vectors are equal, when the model knows too few words of one text, or when both texts have the
 * same known words: then they differ only in signs, numbers, names or order.
 */
export function likenessOf(a: ComparedText, b: ComparedText, similarity: number): Likeness {
  if (a.text === b.text || normalizedText(a.text) === normalizedText(b.text)) return 'same words';
  return isDecidedByVectors(a.knownWords, b.knownWords, similarity)
    ? 'decided by similarity'
    : 'not decided by similarity';
}

/** Same for texts whose words differ. Known words may be any values that are equal when the words are. */
export function isDecidedByVectors<T>(a: T | undefined, b: T | undefined, similarity: number): boolean {
  if (similarity >= sameVector) return false;
  return a === undefined || b === undefined || (a !== '' && b !== '' && a !== b);
}
