import { SearchPart } from '../../src/search/search-part.js';
import { SearchSnapshot, type SnapshotHits } from '../../src/search/search-snapshot.js';
import type { TermsPart } from '../../src/terms/terms-files.js';
import { type Bitset, createBitset, hasItem, removeItem } from '../../src/vectors/bitset.js';

/** The hits of a search of terms: for each its part, its item there, and its score. */
export interface PartHits {
  readonly parts: readonly number[];
  readonly items: readonly number[];
  readonly scores: Float64Array;
  readonly maxScore: number;
}

/** Searches parts that have only terms. @param query from `packQueryTerms` */
export async function searchParts(
  parts: readonly TermsPart[],
  query: Uint8Array,
  { k, allowed }: { k: number; allowed?: readonly Bitset[] },
): Promise<PartHits> {
  const firsts: number[] = [];
  let end = 0;
  const states = parts.map(({ source, items, dead }) => {
    firsts.push(end);
    const offsets = Uint32Array.from({ length: items }, (_, item) => item);
    const part = new SearchPart({ terms: source, keys: { first: end, offsets } });
    end += items;
    return { part, alive: dead === undefined ? undefined : aliveItems(items, dead) };
  });
  const answer = await new SearchSnapshot('angular', 1, states).search([{ terms: query }], { k, allowed });
  if (answer.fault !== undefined) throw new Error(answer.fault.message);
  const { keys, scores, maxScore } = answer.queries[0] as SnapshotHits;
  const places = Array.from(keys, (key) => firsts.findLastIndex((first) => first <= key));
  const items = places.map((part, rank) => (keys[rank] as number) - (firsts[part] as number));
  return { parts: places, items, scores, maxScore };
}

function aliveItems(items: number, dead: Bitset): Bitset {
  const alive = createBitset(items, true);
  for (let item = 0; item < items; item++) if (hasItem(dead, item)) removeItem(alive, item);
  return alive;
}
