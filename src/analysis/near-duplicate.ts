import { normalizedText } from './normalized-text.js';

/**
 * From this similarity on two vectors are one: what differs between their texts (a sign, an emoji, the order of words) is not in them.
 * Rounding of numbers of 32 bits stays below.
 */
const sameVector = 1 - 1e-7;

/** A text as it is compared with others. */
export interface ComparedText {
  readonly text: string;
  /** See `EmbeddingProvider.knownWords`; undefined where the provider does not declare it. */
  readonly knownWords: string | undefined;
}

/** How far the vectors of two texts decide whether they are duplicates. */
export type Likeness = 'same words' | 'decided by similarity' | 'not decided by similarity';

/**
 * Whether two texts have the same words (`normalizedText`), and if not, whether the similarity of their vectors says anything about
 * what differs. It does not where the vectors are the same, where the model knows too little of one text, and where both texts have
 * the same words as far as the model knows words: then they differ in signs, numbers, names or order only.
 */
export function likenessOf(a: ComparedText, b: ComparedText, similarity: number): Likeness {
  if (a.text === b.text || normalizedText(a.text) === normalizedText(b.text)) return 'same words';
  return isDecidedByVectors(a.knownWords, b.knownWords, similarity)
    ? 'decided by similarity'
    : 'not decided by similarity';
}

/** The same of texts whose words differ. Known words may be given as any values that are equal when the words are. */
export function isDecidedByVectors<T>(a: T | undefined, b: T | undefined, similarity: number): boolean {
  if (similarity >= sameVector) return false;
  return a === undefined || b === undefined || (a !== '' && b !== '' && a !== b);
}
