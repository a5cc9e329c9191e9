import { analyzeQuery } from '../../analysis/analyze.js';
import type { StoredDocument } from '../../backend/documents.js';
import type {
  DocumentSet,
  KeyedNeighbor,
  KeyedVector,
  QueryTerm,
  RankedDocuments,
  RankSearch,
  ReadSnapshot,
  TermList,
  TermLookUp,
  TermsFilter,
  VectorSearch,
} from '../../backend/read-snapshot.js';
import type { Space } from '../../backend/space.js';
import { joined, packQueryTerms } from '../../terms/packed-query.js';
import { TimeSlice } from '../../time-slice.js';
import type { DocumentId } from '../../types.js';
import type { Bitset } from '../../vectors/bitset.js';
import type { MatchingDocuments } from '../catalog/catalog.js';
import { itemsOf } from '../catalog/sorted-keys.js';
import { ItemSets } from './item-sets.js';
import type { LookUps } from './reads.js';
import type { Snapshot } from './snapshot.js';

/** Vectors and terms in memory and a read of the catalog at the same position. */
export class CatalogSnapshot implements ReadSnapshot {
  readonly space: Space;
  readonly #snapshot: Snapshot;
  readonly #lookUps: LookUps;
  readonly #allowed: readonly Bitset[] | undefined;
  #closed = false;

  /** Takes over the look-ups, and ends them when it is closed. */
  constructor(
    space: Space,
    snapshot: Snapshot,
    lookUps: LookUps,
    matching?: MatchingDocuments | readonly Bitset[] | undefined,
  ) {
    snapshot.shared.retain();
    this.space = space;
    this.#snapshot = snapshot;
    this.#lookUps = lookUps;
    this.#allowed = matching === undefined || isListOfSets(matching) ? matching : allowedItems(snapshot, matching);
  }

  get languages(): readonly string[] {
    return this.#snapshot.words.languages;
  }

  async search({ queries, count, ...search }: VectorSearch): Promise<KeyedNeighbor[][]> {
    const dimensions = queries.length / count;
    const vectors = Array.from({ length: count }, (_, query) => ({
      vector: queries.subarray(query * dimensions, (query + 1) * dimensions),
    }));
    const found = await this.#snapshot.search(vectors, { ...search, allowed: this.#allowed });
    return inSlices(found, search.signal, ({ keys, distances }) =>
      Array.from(keys, (key, place) => ({ key, distance: distances[place] as number })),
    );
  }

  async rank({ queries, within, ...search }: RankSearch): Promise<RankedDocuments[]> {
    const packed = await inSlices(queries, search.signal, ({ text, terms, vector }) => ({
      vector,
      terms:
        terms === undefined
          ? text === undefined
            ? undefined
            : packedQuery(text, this.#snapshot.words.languages)
          : packedTerms(terms),
    }));
    const found = await this.#snapshot.search(packed, { ...search, allowed: this.#itemsOf(within) });
    return inSlices(found, search.signal, ({ keys, scores, termScores, maxScore, missingTerms }) => ({
      ranked: Array.from(keys, (key, place) => ({
        key,
        score: scores[place] as number,
        textScore: termScores[place] as number,
      })),
      maxTextScore: maxScore,
      missingTerms,
    }));
  }

  async withTerms(filter: TermsFilter, signal?: AbortSignal, within?: DocumentSet): Promise<DocumentSet> {
    const items = await this.#snapshot.filterByTerms(filter, this.#itemsOf(within), signal);
    return new ItemSets(this.#snapshot.all, items);
  }

  lookUpTerms(lookUp: TermLookUp): Promise<readonly TermList[]> {
    return this.#snapshot.lookUpTerms(lookUp, this.#allowed);
  }

  #itemsOf(within: DocumentSet | undefined): readonly Bitset[] | undefined {
    return within === undefined ? this.#allowed : (within as ItemSets).items;
  }

  byKeys(keys: readonly number[], signal?: AbortSignal): Promise<(StoredDocument | undefined)[]> {
    return this.#lookUps.byKeys(keys, signal);
  }

  bytesByKeys(keys: readonly number[]): Promise<number> {
    return this.#lookUps.bytesByKeys(keys);
  }

  vectorsByKeys(keys: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    return this.#lookUps.vectorsByKeys(keys, this.space.dimensions, signal);
  }

  vectorOf(id: DocumentId): Promise<KeyedVector | undefined> {
    return this.#lookUps.vectorOf(id);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#snapshot.shared.release();
    this.#lookUps.end();
  }
}

function isListOfSets(matching: MatchingDocuments | readonly Bitset[]): matching is readonly Bitset[] {
  return Array.isArray(matching);
}

function packedQuery(text: string, languages: readonly string[]): Uint8Array {
  const { terms, weights } = analyzeQuery(text, languages);
  return packQueryTerms(terms.map((term, place) => [term, weights[place] as number] as const));
}

function packedTerms(terms: readonly QueryTerm[]): Uint8Array {
  return packQueryTerms(
    terms.flatMap(({ forms, times, alternatives = [] }) => [
      ...forms.map((form, place) => [form, place === 0 ? times : joined] as const),
      ...alternatives.map((form) => [form, 0] as const),
    ]),
  );
}

/** Maps a list, which may be long, without blocking the event loop. */
async function inSlices<T, R>(list: readonly T[], signal: AbortSignal | undefined, map: (item: T) => R): Promise<R[]> {
  if (list.length === 1) return [map(list[0] as T)];
  const slice = new TimeSlice();
  const mapped: R[] = [];
  for (const item of list) {
    if (slice.due()) await slice.yieldIfDue(signal);
    mapped.push(map(item));
  }
  return mapped;
}

/**
 * Items of segments were matched along with the filter; the tail, and a segment whose keys are damaged in the catalog, have items
 * of their own, and are short.
 */
function allowedItems({ segments, tail }: Snapshot, { keys, items }: MatchingDocuments): Bitset[] {
  const allowed = segments.map((segment, position) => {
    const matched = segment.keys.offsets instanceof Uint32Array ? items[position] : undefined;
    return matched ?? itemsOf(segment.keys, keys);
  });
  return tail === undefined ? allowed : [...allowed, itemsOf(tail.keys, keys)];
}
