import { type CompoundParts, compoundPartsOf } from '../../analysis/query/compounds.js';
import type { FoundTerm, ReadSnapshot } from '../../backend/read-snapshot.js';
import { TimeSlice } from '../../time-slice.js';

/** Documents that a part must be in: what occurs once is too often a name or a typo. */
const minDocuments = 2;

/**
 * Splits words into two words that documents have, where they can be. Of several ways, the one whose parts are in the most documents, by
 * their geometric mean (Koehn and Knight 2003, "Empirical methods for compound splitting").
 *
 * @param words in lower case, without marks.
 * @param sample documents of each part whose keys are returned.
 */
export async function splitCompounds(
  snapshot: ReadSnapshot,
  words: readonly string[],
  { sample, signal }: { readonly sample: number; readonly signal: AbortSignal | undefined },
): Promise<Map<string, readonly FoundTerm[]>> {
  const ways = new Map<string, CompoundParts[]>();
  const slice = new TimeSlice();
  for (const word of words) {
    if (slice.due()) await slice.yieldIfDue(signal);
    const parts = snapshot.languages.flatMap((language) => compoundPartsOf(word, language));
    if (parts.length > 0) ways.set(word, parts);
  }
  const terms = [...new Set([...ways.values()].flat().flatMap(({ head, tail }) => [head, tail]))];
  if (terms.length === 0) return new Map();
  const lists = await snapshot.lookUpTerms({ terms, distances: terms.map(() => 0), limit: 1, sample, signal });
  const found = new Map(terms.map((term, place) => [term, lists[place]?.terms[0]]));
  const split = new Map<string, readonly FoundTerm[]>();
  for (const [word, parts] of ways) {
    let most = 0;
    for (const part of parts) {
      const [head, tail] = [found.get(part.head), found.get(part.tail)];
      if (head === undefined || tail === undefined || Math.min(head.documents, tail.documents) < minDocuments) continue;
      if (head.documents * tail.documents <= most) continue;
      most = head.documents * tail.documents;
      split.set(word, [head, tail]);
    }
  }
  return split;
}
