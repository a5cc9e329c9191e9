import type { StoredDocument } from '../backend/documents.js';
import type { FieldReading } from '../backend/field-reading.js';
import type {
  DocumentSet,
  KeyedNeighbor,
  KeyedVector,
  QueryTerm,
  RankedDocuments,
  RankQuery,
  RankSearch,
  ReadSnapshot,
  TermList,
  TermLookUp,
  TermStatistics,
  TermsFilter,
  VectorSearch,
} from '../backend/read-snapshot.js';
import type { Space } from '../backend/space.js';
import { termsOfText } from '../ranking/query-terms.js';
import type { DocumentId, Metric } from '../types.js';
import { distanceSign } from '../vectors/metric.js';
import { hitsOfShards, mergedRanking } from './merged-ranking.js';
import { lookUpInShards } from './merged-terms.js';
import { askByNumber, type Placement, packedByNumber, settled } from './placement.js';
import { ShardedField } from './sharded-field.js';
import { ShardedSet } from './sharded-set.js';

/** A snapshot of each shard, opened at about the same time, read as one. */
export class ShardedSnapshot implements ReadSnapshot {
  readonly space: Space;
  readonly languages: readonly string[];
  readonly #placement: Placement;
  readonly #metric: Metric;
  readonly #snapshots: readonly ReadSnapshot[];

  /** Takes over the snapshots, of which the first is that of the home shard, and closes them when it is closed. */
  constructor(placement: Placement, metric: Metric, snapshots: readonly ReadSnapshot[]) {
    this.#placement = placement;
    this.#metric = metric;
    this.#snapshots = snapshots;
    this.space = this.#home.space;
    this.languages = [...new Set(snapshots.flatMap(({ languages }) => languages))];
  }

  get #home(): ReadSnapshot {
    return this.#snapshots[0] as ReadSnapshot;
  }

  get isLost(): boolean {
    return this.#snapshots.some(({ isLost }) => isLost === true);
  }

  async confirm(): Promise<void> {
    await this.#ask(async (snapshot) => snapshot.confirm?.());
  }

  #ask<T>(ask: (snapshot: ReadSnapshot, shard: number) => Promise<T>): Promise<T[]> {
    return settled(this.#snapshots.map(ask));
  }

  #global(key: number, shard: number): number {
    return this.#placement.global(key, shard);
  }

  setting(name: string): Promise<string | number | undefined> {
    return this.#home.setting(name);
  }

  async search(search: VectorSearch): Promise<KeyedNeighbor[][]> {
    const sign = distanceSign(this.#metric);
    const lists = await this.#ask((snapshot) => snapshot.search(search));
    return Array.from({ length: search.count }, (_, query) =>
      lists
        .flatMap((list, shard) =>
          (list[query] ?? []).map(({ key, distance }) => ({ key: this.#global(key, shard), distance })),
        )
        .sort((a, b) => sign * (a.distance - b.distance) || a.key - b.key)
        .slice(0, search.k),
    );
  }

  async rank(search: RankSearch): Promise<RankedDocuments[]> {
    const { within, without = [], ...shared } = search;
    const queries = search.queries.map((query) => this.#withTerms(query));
    const hasTerms = queries.some(({ terms }) => terms !== undefined);
    const statistics = search.statistics ?? (hasTerms ? await this.statistics(queries) : undefined);
    const left = this.#placement.locals(without);
    const lists = await this.#ask(async (snapshot, shard) => {
      const ofShard = { within: (within as ShardedSet | undefined)?.sets[shard], without: left[shard] };
      const own = { ...shared, ...ofShard, queries, statistics, k: hitsOfShards(search) };
      const rankings = await snapshot.rank(own);
      return rankings.map((list) => ({
        ...list,
        ranked: list.ranked.map((document) => ({ ...document, key: this.#global(document.key, shard) })),
      }));
    });
    const { dimensions } = this.space;
    return queries.map((query, place) => {
      const own = lists.map((list) => list[place] as RankedDocuments);
      return mergedRanking(query, own, search, { metric: this.#metric, dimensions });
    });
  }

  /** The query by the terms of its text in the languages of all shards, of which each may have only some. */
  #withTerms({ text, terms, vector }: RankQuery): RankQuery {
    return { vector, terms: terms ?? (text === undefined ? undefined : termsOfText(text, this.languages)) };
  }

  async statistics(queries: readonly RankQuery[]): Promise<TermStatistics> {
    const asked = queries.map((query) => this.#withTerms(query));
    const counts = new Map<string, number>();
    let [documents, length] = [0, 0];
    for (const own of await this.#ask((snapshot) => snapshot.statistics(asked))) {
      documents += own.documents;
      length += own.length;
      for (const [name, count] of own.counts) counts.set(name, (counts.get(name) ?? 0) + count);
    }
    return { documents, length, counts };
  }

  async termScores(terms: readonly QueryTerm[], keys: readonly number[], given?: TermStatistics): Promise<number[][]> {
    const statistics = given ?? (await this.statistics([{ terms }]));
    const scores = await askByNumber(this.#placement, keys, async (shard, locals) => {
      const ofTerms = await (this.#snapshots[shard] as ReadSnapshot).termScores(terms, locals, statistics);
      return locals.map((_, place) => ofTerms.map((own) => own[place] as number));
    });
    return terms.map((_, term) => scores.map((ofTerms) => ofTerms[term] as number));
  }

  async withTerms(filter: TermsFilter, signal?: AbortSignal, within?: DocumentSet): Promise<ShardedSet> {
    const sets = await this.#ask((snapshot, shard) =>
      snapshot.withTerms(filter, signal, (within as ShardedSet | undefined)?.sets[shard]),
    );
    return new ShardedSet(this.#placement, sets);
  }

  lookUpTerms(lookUp: TermLookUp): Promise<TermList[]> {
    return lookUpInShards(this.#placement, this.#snapshots, lookUp);
  }

  field(name: string): FieldReading {
    return new ShardedField(
      this.#placement,
      this.#snapshots.map((snapshot) => snapshot.field(name)),
    );
  }

  whichMatch(filter: number, keys: readonly number[]): Promise<boolean[]> {
    return askByNumber(this.#placement, keys, (shard, locals) =>
      (this.#snapshots[shard] as ReadSnapshot).whichMatch(filter, locals),
    );
  }

  byKeys(keys: readonly number[], signal?: AbortSignal): Promise<(StoredDocument | undefined)[]> {
    return askByNumber(this.#placement, keys, async (shard, locals) => {
      const documents = await (this.#snapshots[shard] as ReadSnapshot).byKeys(locals, signal);
      return documents.map((document) => document && { ...document, key: this.#global(document.key, shard) });
    });
  }

  async bytesByKeys(keys: readonly number[]): Promise<number> {
    const locals = this.#placement.locals(keys);
    const bytes = await this.#ask(async (snapshot, shard) => {
      const own = locals[shard] as number[];
      return own.length === 0 ? 0 : snapshot.bytesByKeys(own);
    });
    return bytes.reduce((sum, own) => sum + own, 0);
  }

  vectorsByKeys(keys: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    return packedByNumber(this.#placement, keys, this.space.dimensions, (shard, locals) =>
      (this.#snapshots[shard] as ReadSnapshot).vectorsByKeys(locals, signal),
    );
  }

  async vectorOf(id: DocumentId): Promise<KeyedVector | undefined> {
    const shard = this.#placement.ofId(id);
    const found = await (this.#snapshots[shard] as ReadSnapshot).vectorOf(id);
    return found && { ...found, key: this.#global(found.key, shard) };
  }

  close(): void {
    for (const snapshot of this.#snapshots) snapshot.close();
  }
}
