import type { StoredDocument } from '../../backend/documents.js';
import type {
  DocumentSet,
  KeyedNeighbor,
  KeyedVector,
  QueryTerm,
  RankedDocument,
  RankedDocuments,
  RankedGroups,
  RankQuery,
  RankSearch,
  ReadSnapshot,
  TermList,
  TermLookUp,
  TermStatistics,
  TermsFilter,
  VectorSearch,
} from '../../backend/read-snapshot.js';
import type { Space } from '../../backend/space.js';
import type { FieldColumn } from '../../columns/field-column.js';
import { SemanticIndexError } from '../../errors.js';
import { packedStatistics, packedTermsOf, readStatistics } from '../../search/packed-terms.js';
import type { SnapshotHits, SnapshotQuery } from '../../search/search-snapshot.js';
import { beginRead, endRead } from '../../search/search-turn.js';
import { TimeSlice } from '../../time-slice.js';
import type { DocumentId } from '../../types.js';
import { addItem, type Bitset, createBitset, hasItem, removeItem } from '../../vectors/bitset.js';
import type { MatchingDocuments } from '../catalog/catalog.js';
import { itemOf, itemsOf } from '../catalog/sorted-keys.js';
import { nativeBoosts } from './fields/native-boosts.js';
import { SnapshotField } from './fields/snapshot-field.js';
import { ItemSets } from './item-sets.js';
import type { ColumnsReading } from './metadata-columns.js';
import type { LookUps } from './reads.js';
import type { Snapshot } from './snapshot.js';

/** Vectors and terms in memory and a read of the catalog at the same position. */
export class CatalogSnapshot implements ReadSnapshot {
  readonly space: Space;
  readonly #snapshot: Snapshot;
  readonly #lookUps: LookUps;
  readonly #allowed: readonly Bitset[] | undefined;
  readonly #columns: ColumnsReading | undefined;
  #closed = false;

  /** Takes over the look-ups, and ends them when it is closed. */
  constructor(
    space: Space,
    snapshot: Snapshot,
    lookUps: LookUps,
    matching?: MatchingDocuments | readonly Bitset[] | undefined,
    columns?: ColumnsReading | undefined,
  ) {
    snapshot.shared.retain();
    beginRead();
    this.space = space;
    this.#snapshot = snapshot;
    this.#lookUps = lookUps;
    this.#columns = columns;
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

  async rank(search: RankSearch): Promise<RankedDocuments[]> {
    const { queries, statistics, skipsMissing, signal, k, depth, exact, searchK, vectorWeight, evidence, onSegment } =
      search;
    const allowed = this.#rankable(this.#itemsOf(search.within), search.without, search.groups);
    const boosts =
      search.boosts && (await nativeBoosts(search.boosts, this.#columns, this.#snapshot.all.length, signal));
    const packed = await inSlices(queries, signal, (query) => packedQuery(query, this.languages, statistics));
    const weights = { vectorWeight, evidence, boosts };
    const own = { k, depth, exact, searchK, ...weights, allowed, skipsMissing, signal, onSegment };
    const found = await this.#snapshot.search(packed, own);
    return inSlices(found, signal, (hits) => ({
      ranked: rankedDocuments(hits),
      maxTextScore: hits.maxScore,
      missingTerms: hits.missingTerms,
      evidence: hits.evidence,
      similarityScale: hits.similarityScale,
      isComplete: hits.isComplete,
      isSkipped: skipsMissing === true && queries.length === 1 && hits.missingTerms > 0,
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

  field(name: string): SnapshotField {
    const { all } = this.#snapshot;
    const columns = this.#columns?.fields.get(name);
    if (columns === undefined) throw new SemanticIndexError('INTERNAL', `The snapshot was opened without "${name}"`);
    return new SnapshotField(
      all.map(({ keys, alive }, place) => ({
        keys,
        alive,
        matching: this.#allowed?.[place],
        column: columns[place] as FieldColumn,
      })),
    );
  }

  /** The items that a search may find: those that pass the filter, without some documents and groups. */
  #rankable(
    items: readonly Bitset[] | undefined,
    without: readonly number[] = [],
    groups?: RankedGroups | undefined,
  ): readonly Bitset[] | undefined {
    const isGrouped = groups !== undefined && (groups.only || groups.groups.length > 0);
    // A set of all items would make the search one behind a filter.
    if (without.length === 0 && !isGrouped) return items;
    const columns = groups === undefined ? undefined : this.#columns?.fields.get(groups.field);
    return this.#snapshot.all.map(({ keys }, place) => {
      const allowed = items?.[place]?.slice() ?? createBitset(keys.offsets.length, true);
      const inGroups = columns?.[place]?.itemsOfGroups(groups?.groups ?? []);
      if (inGroups !== undefined) {
        for (let word = 0; word < allowed.length; word++) {
          const bits = groups?.only === true ? (inGroups[word] ?? 0) : ~(inGroups[word] ?? 0);
          allowed[word] = (allowed[word] as number) & bits;
        }
      }
      for (const key of without) {
        const item = itemOf(keys, key);
        if (item >= 0) removeItem(allowed, item);
      }
      return allowed;
    });
  }

  statistics(queries: readonly RankQuery[]): Promise<TermStatistics> {
    const packed = queries.flatMap((query) => packedTermsOf(query, this.languages) ?? []);
    return readStatistics(packed, (terms) => this.#snapshot.countTerms(terms));
  }

  async termScores(
    terms: readonly QueryTerm[],
    keys: readonly number[],
    statistics?: TermStatistics,
  ): Promise<number[][]> {
    const wanted = new Set(keys);
    if (terms.length === 0 || wanted.size === 0) return terms.map(() => []);
    const allowed = this.#snapshot.all.map(({ keys: own }) => {
      const bits = createBitset(own.offsets.length, false);
      for (const key of wanted) {
        const item = itemOf(own, key);
        if (item >= 0) addItem(bits, item);
      }
      return bits;
    });
    const queries = terms.map((term) => packedQuery({ terms: [term] }, this.languages, statistics));
    const found = await this.#snapshot.search(queries, { k: wanted.size, allowed });
    return found.map((hits) => {
      const scores = new Map(Array.from(hits.keys, (key, hit) => [key, hits.scores[hit] as number]));
      return keys.map((key) => scores.get(key) ?? 0);
    });
  }

  async whichMatch(filter: number, keys: readonly number[]): Promise<boolean[]> {
    const matching = this.#columns?.matching[filter] ?? [];
    return keys.map((key) =>
      this.#snapshot.all.some((part, place) => {
        const item = itemOf(part.keys, key);
        return item >= 0 && hasItem(matching[place] as Bitset, item);
      }),
    );
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

  setting(name: string): Promise<string | number | undefined> {
    return this.#lookUps.setting(name);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    endRead();
    this.#snapshot.shared.release();
    this.#lookUps.end();
  }
}

function rankedDocuments({ keys, scores, distances, termScores, factors }: SnapshotHits): RankedDocument[] {
  const ranked: RankedDocument[] = [];
  for (let place = 0; place < keys.length; place++) {
    ranked.push({
      key: keys[place] as number,
      score: scores[place] as number,
      textScore: termScores[place] as number,
      distance: distances[place] as number,
      factor: factors[place] as number,
    });
  }
  return ranked;
}

function isListOfSets(matching: MatchingDocuments | readonly Bitset[]): matching is readonly Bitset[] {
  return Array.isArray(matching);
}

function packedQuery(
  query: RankQuery,
  languages: readonly string[],
  statistics: TermStatistics | undefined,
): SnapshotQuery {
  const terms = packedTermsOf(query, languages);
  return {
    vector: query.vector,
    terms: terms?.packed,
    statistics: terms === undefined || statistics === undefined ? undefined : packedStatistics(terms, statistics),
  };
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
