import { TimeSlice } from '../../time-slice.js';
import type { TermArrays } from './document-terms.js';
import type { Postings } from './postings.js';

/** The terms of some documents, and the postings of one term after the other: those of term `i` from `starts[i]` to `starts[i + 1]`. */
export interface InvertedTerms {
  readonly terms: readonly string[];
  readonly starts: Uint32Array;
  readonly postings: Postings;
}

/** Inverts the terms of documents. @param keys keys of the documents; the postings of a term are in their order. */
export async function invertTerms(keys: readonly number[], documents: readonly TermArrays[]): Promise<InvertedTerms> {
  const slice = new TimeSlice();
  const numbers = new Map<string, number>();
  const counts: number[] = [];
  const entries = documents.reduce((sum, { terms }) => sum + terms.length, 0);
  const numberOf = new Uint32Array(entries);
  const order = [...keys.keys()].sort((left, right) => (keys[left] as number) - (keys[right] as number));
  let entry = 0;
  for (const place of order) {
    for (const term of (documents[place] as TermArrays).terms) {
      let number = numbers.get(term);
      if (number === undefined) {
        number = counts.length;
        numbers.set(term, number);
        counts.push(0);
      }
      counts[number] = (counts[number] as number) + 1;
      numberOf[entry++] = number;
    }
    if (slice.due()) await slice.yieldIfDue();
  }
  const starts = new Uint32Array(counts.length + 1);
  for (const [number, count] of counts.entries()) starts[number + 1] = (starts[number] as number) + count;
  const next = starts.slice();
  const postings = {
    keys: new Float64Array(entries),
    frequencies: new Uint32Array(entries),
    lengths: new Uint32Array(entries),
  };
  entry = 0;
  for (const place of order) {
    const { frequencies, length } = documents[place] as TermArrays;
    for (const frequency of frequencies) {
      const number = numberOf[entry++] as number;
      const at = next[number] as number;
      next[number] = at + 1;
      postings.keys[at] = keys[place] as number;
      postings.frequencies[at] = frequency;
      postings.lengths[at] = length;
    }
    if (slice.due()) await slice.yieldIfDue();
  }
  return { terms: [...numbers.keys()], starts, postings };
}
