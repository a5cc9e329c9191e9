import { type PackedTerms, packTerms, unpackTerms } from './packed-terms.js';

/** Bounds of the format of packed terms. */
const [maxFrequency, maxLength] = [2 ** 24, 2 ** 31 - 1];

/** A part of a document that was analyzed for itself. */
export interface WeightedPart {
  /** The place of its document; ascending, the parts of a document one after the other. */
  readonly document: number;
  readonly weight: number;
}

/**
 * Joins the terms of the parts of documents: the frequency of a term is the sum of its frequencies in the parts, each times the weight
 * of the part, and so is the length. BM25 over these numbers is BM25F with one length (Robertson, Zaragoza and Taylor 2004, "Simple
 * BM25 extension to multiple weighted fields"): as if each field were repeated as often as it weighs.
 *
 * @param packed of the parts, in their order.
 * @param keys of the documents, ascending.
 */
export function joinWeighted(packed: Uint8Array, parts: readonly WeightedPart[], keys: readonly number[]): PackedTerms {
  const rows = unpackTerms(packed);
  const [lengths, starts, terms, frequencies]: [number[], number[], number[], number[]] = [[], [0], [], []];
  let part = 0;
  for (let document = 0; document < keys.length; document++) {
    const counts = new Map<number, number>();
    let length = 0;
    for (; parts[part]?.document === document; part++) {
      const { weight } = parts[part] as WeightedPart;
      length += weight * (rows.lengths[part] as number);
      for (let entry = rows.starts[part] as number; entry < (rows.starts[part + 1] as number); entry++) {
        const term = rows.terms[entry] as number;
        counts.set(term, (counts.get(term) ?? 0) + weight * (rows.frequencies[entry] as number));
      }
    }
    for (const [term, count] of [...counts].sort(([left], [right]) => left - right)) {
      terms.push(term);
      frequencies.push(Math.min(count, maxFrequency));
    }
    starts.push(terms.length);
    lengths.push(Math.min(length, maxLength));
  }
  return packTerms({ dictionary: rows.dictionary, keys, lengths, starts, terms, frequencies });
}
