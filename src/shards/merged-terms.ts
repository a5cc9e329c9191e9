import type { FoundTerm, ReadSnapshot, TermList, TermLookUp } from '../backend/read-snapshot.js';
import { type Placement, settled } from './placement.js';

/** Terms that each shard is asked for at first: as many as there may be, or this many. */
const [askedPerTerm, leastAsked] = [4, 64];
/** Times as many that are asked for when a shard has more. */
const growth = 16;
const mostAsked = 2 ** 30;

/**
 * Looks terms up in all shards. Numbers of documents are sums, so no list of a shard may be cut: what it leaves out could be frequent
 * elsewhere. Whether a term has similar ones looked up depends on whether any shard has it.
 */
export async function lookUpInShards(
  placement: Placement,
  snapshots: readonly ReadSnapshot[],
  lookUp: TermLookUp,
): Promise<TermList[]> {
  const { terms, distances, limit, sample = 0 } = lookUp;
  const own =
    distances === undefined ? lookUp : { ...lookUp, distances: await settleDistances(snapshots, terms, distances) };
  let asked = Math.max(leastAsked, askedPerTerm * limit);
  // The keys of a sample take longer than the terms: they are read with these only where there are few.
  let keys = sample;
  for (;;) {
    const request = { ...own, limit: asked, sample: keys };
    const lists = await settled(snapshots.map((snapshot) => snapshot.lookUpTerms(request)));
    if (asked < mostAsked && lists.some((list) => list.some(({ isCut }) => isCut))) {
      asked = Math.min(mostAsked, asked * growth);
      keys = 0;
      continue;
    }
    const merged = terms.map((_, place) =>
      mergedList(
        placement,
        lists.map((list) => list[place] as TermList),
        limit,
        sample,
      ),
    );
    return keys === sample ? merged : withKeys(placement, snapshots, merged, lookUp);
  }
}

/** No edits for terms that a shard has: those are looked up alone. */
async function settleDistances(
  snapshots: readonly ReadSnapshot[],
  terms: readonly string[],
  distances: readonly number[],
): Promise<number[]> {
  const queries = [{ terms: terms.map((term) => ({ forms: [term], times: 1 })) }];
  const all = await settled(snapshots.map((snapshot) => snapshot.statistics(queries)));
  return terms.map((term, place) =>
    all.some(({ counts }) => (counts.get(term) ?? 0) > 0) ? 0 : (distances[place] as number),
  );
}

function mergedList(placement: Placement, lists: readonly TermList[], limit: number, sample: number): TermList {
  const found = new Map<string, { term: string; distance: number; documents: number; keys: number[] }>();
  for (const [shard, { terms }] of lists.entries()) {
    for (const { term, distance, documents, keys } of terms) {
      const known = found.get(term) ?? { term, distance, documents: 0, keys: [] };
      known.documents += documents;
      for (const key of keys) known.keys.push(placement.global(key, shard));
      found.set(term, known);
    }
  }
  const terms = [...found.values()].sort(byEditsAndNumber);
  const kept = terms.slice(0, limit).map((one): FoundTerm => ({ ...one, keys: firstOf(one.keys, sample) }));
  return { terms: kept, isCut: terms.length > limit };
}

function byEditsAndNumber(a: Omit<FoundTerm, 'keys'>, b: Omit<FoundTerm, 'keys'>): number {
  return (
    a.distance - b.distance || b.documents - a.documents || Buffer.compare(Buffer.from(a.term), Buffer.from(b.term))
  );
}

function firstOf(keys: number[], count: number): number[] {
  return keys.sort((a, b) => a - b).slice(0, count);
}

/** Reads the first documents of terms that were found without them. */
async function withKeys(
  placement: Placement,
  snapshots: readonly ReadSnapshot[],
  lists: readonly TermList[],
  { sample = 0, signal }: TermLookUp,
): Promise<TermList[]> {
  const terms = [...new Set(lists.flatMap((list) => list.terms.map(({ term }) => term)))];
  const request = { terms, distances: terms.map(() => 0), limit: 1, sample, signal };
  const all = await settled(snapshots.map((snapshot) => snapshot.lookUpTerms(request)));
  const keysOf = new Map(
    terms.map((term, place) => {
      const keys = all.flatMap((found, shard) =>
        Array.from(found[place]?.terms[0]?.keys ?? [], (key) => placement.global(key, shard)),
      );
      return [term, firstOf(keys, sample)];
    }),
  );
  return lists.map(({ terms, isCut }) => ({
    terms: terms.map((one) => ({ ...one, keys: keysOf.get(one.term) ?? [] })),
    isCut,
  }));
}
