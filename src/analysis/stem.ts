import { stemmer } from 'stemmer';
import { ownCopy } from './own-copy.js';

/** Words whose stems are remembered. Results do not depend on the cache, so clearing it is a sufficient eviction policy. */
const maxStems = 65_536;
const plainWord = /^[a-z]{3,}$/;
const stems = new Map<string, string>();

/**
 * The form in which a term is indexed: the stem (Porter 1980) of a word of plain letters; any other term unchanged, except that lone
 * surrogates are replaced, which UTF-8 cannot represent.
 */
export function stemOf(term: string): string {
  const known = stems.get(term);
  if (known !== undefined) return known;
  if (!plainWord.test(term)) return uncachedStemOf(term);
  const word = ownCopy(term);
  const stem = stemmer(word);
  if (stems.size >= maxStems) stems.clear();
  stems.set(word, stem);
  return stem;
}

/** As `stemOf`, for callers that ask for each word about once. */
export function uncachedStemOf(term: string): string {
  if (plainWord.test(term)) return stemmer(term);
  return term.isWellFormed() ? term : term.toWellFormed();
}
