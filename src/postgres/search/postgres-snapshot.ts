import type { StoredDocument } from '../../backend/documents.js';
import type { Field, FilterTree } from '../../backend/filter-tree.js';
import type {
  DocumentSet,
  KeyedNeighbor,
  KeyedVector,
  QueryTerm,
  RankBoost,
  RankedDocuments,
  RankedGroups,
  RankQuery,
  RankSearch,
  ReadSnapshot,
  SnapshotRequest,
  TermList,
  TermLookUp,
  TermStatistics,
  TermsFilter,
  VectorSearch as VectorRequest,
} from '../../backend/read-snapshot.js';
import type { Space } from '../../backend/space.js';
import { SemanticIndexError } from '../../errors.js';
import type { DocumentId } from '../../types.js';
import type { ReadTransaction } from '../connection/database.js';
import type { SchemaNames } from '../connection/schema.js';
import { type Condition, DocumentReads } from '../tables/document-reads.js';
import { conditionOf } from '../tables/filter-sql.js';
import type { IndexState } from '../tables/index-state.js';
import { placeOfKey } from '../tables/postings.js';
import type { PostingsCache, TermPostings } from '../tables/postings-cache.js';
import { readSetting } from '../tables/settings-table.js';
import type { TermNames } from '../tables/term-names.js';
import { BoostFactors } from './boosts.js';
import { keysOfGroups, PostgresField, type ReadField, readField } from './field.js';
import { type RankingContext, rankQuery } from './ranking.js';
import { KeySet, Selection } from './selection.js';
import type { SelectionCache } from './selection-cache.js';
import { TermDictionary } from './term-look-up.js';
import { readStatistics, TextQuery } from './text-query.js';
import { type ScoredQuery, TextSearch } from './text-search.js';
import { type VectorEffort, type VectorMetric, VectorSearch } from './vector-search.js';

/** Matching documents up to this number are looked up once, and searched exactly; more are tested by each statement. */
const maxListed = 4_096;

/** What the snapshots of an open index have read lately. */
export interface SharedReads {
  readonly postings: PostingsCache;
  readonly selections: SelectionCache;
  readonly termNames: TermNames;
}

/** Reads of an index in one transaction, which sees one point in time. */
export class PostgresSnapshot implements ReadSnapshot {
  readonly space: Space;
  readonly languages: readonly string[];
  readonly #transaction: ReadTransaction;
  readonly #names: SchemaNames;
  readonly #state: IndexState;
  readonly #metric: VectorMetric;
  readonly #request: SnapshotRequest;
  readonly #reads: DocumentReads;
  readonly #shared: SharedReads;
  readonly #text: TextSearch;
  readonly #postings: TermPostings;
  readonly #vectors: VectorSearch;
  readonly #dictionary: TermDictionary;
  readonly #fields = new Map<string, Promise<ReadField>>();
  /** Those that were read along the way. */
  readonly #documents = new Map<number, StoredDocument>();
  #selection = Selection.all;

  private constructor(
    transaction: ReadTransaction,
    shared: SharedReads,
    names: SchemaNames,
    state: IndexState,
    space: Space,
    metric: VectorMetric,
    request: SnapshotRequest,
  ) {
    this.space = space;
    this.languages = state.languages;
    this.#transaction = transaction;
    this.#names = names;
    this.#state = state;
    this.#metric = metric;
    this.#request = request;
    this.#reads = new DocumentReads(transaction, names);
    this.#shared = shared;
    this.#postings = shared.postings.at(transaction, state.position);
    this.#text = new TextSearch(this.#postings, this.#reads);
    this.#vectors = new VectorSearch(transaction, names, metric, space, state.hnsw, state.position.deletions > 0);
    this.#dictionary = new TermDictionary(transaction, names, this.#postings, shared.termNames, state.position.version);
  }

  /** Takes over the transaction, and ends it when it is closed. */
  static async open(
    transaction: ReadTransaction,
    shared: SharedReads,
    names: SchemaNames,
    state: IndexState,
    space: Space,
    metric: VectorMetric,
    request: SnapshotRequest,
  ): Promise<PostgresSnapshot> {
    const snapshot = new PostgresSnapshot(transaction, shared, names, state, space, metric, request);
    try {
      request.signal?.throwIfAborted();
      if (request.filter !== undefined) await snapshot.#select(request.filter);
      request.signal?.throwIfAborted();
      return snapshot;
    } catch (error) {
      snapshot.close();
      throw error;
    }
  }

  async setting(name: string): Promise<string | number | undefined> {
    const { settings } = this.#state;
    if (!settings.has(name)) {
      settings.set(name, await readSetting(this.#transaction, this.#names.table('settings'), name));
    }
    return settings.get(name) as string | number | undefined;
  }

  async #select(filter: FilterTree): Promise<void> {
    const condition = conditionOf(filter, this.#state.fields);
    this.#selection = await this.#shared.selections.of(condition, this.#state.position.version, async () => {
      const keys = await this.#reads.keys(condition, maxListed + 1);
      return keys.length <= maxListed ? Selection.of(keys) : Selection.where(condition);
    });
  }

  get isLost(): boolean {
    return this.#transaction.isLost;
  }

  async confirm(): Promise<void> {
    await this.#transaction.confirm?.();
  }

  /** The documents that pass the filter, as a condition over the row `d`. */
  get #passing(): Condition {
    return (parameters) => this.#selection.sql(parameters, 'd.key');
  }

  async search({ queries, count, k, exact, searchK, signal, onSegment }: VectorRequest): Promise<KeyedNeighbor[][]> {
    const { dimensions } = this.space;
    this.#checkDimensions(queries.length / count);
    const found: KeyedNeighbor[][] = [];
    for (let query = 0; query < count; query++) {
      signal?.throwIfAborted();
      const began = performance.now();
      const vector = queries.subarray(query * dimensions, (query + 1) * dimensions);
      const effort = { exact: exact === true, searchK };
      const { neighbors, isExact } = await this.#vectors.nearest({
        vector,
        limit: k,
        selection: this.#selection,
        effort,
        reads: 0,
      });
      this.#report(onSegment, isExact, performance.now() - began);
      found.push(neighbors);
    }
    return found;
  }

  #report(onSegment: VectorRequest['onSegment'], exact: boolean, milliseconds: number): void {
    const items = this.#state.documents;
    const allowed = this.#selection.keys?.length ?? items;
    onSegment?.({ segment: this.space.space, items, allowed, exact, milliseconds });
  }

  async rank(search: RankSearch): Promise<RankedDocuments[]> {
    const { queries, k, depth, reads = 0, skipsMissing = false, exact, searchK, vectorWeight = 1 / 3 } = search;
    const { evidence, signal, boosts, onSegment } = search;
    for (const { vector } of queries) if (vector !== undefined) this.#checkDimensions(vector.length);
    const effort: VectorEffort = { exact: exact === true, searchK };
    const context: RankingContext = {
      text: this.#text,
      vectors: this.#vectors,
      metric: this.#metric,
      dimensions: this.space.dimensions,
      selection: await this.#rankable(search),
      boosts,
      factors: boosts && (await this.#factors(boosts, signal)),
      k,
      depth,
      reads,
      skipsMissing,
      effort,
      vectorWeight,
      evidence,
      signal,
    };
    const weigh = this.#weighing(search);
    const ranked: RankedDocuments[] = [];
    for (const [place, query] of queries.entries()) {
      signal?.throwIfAborted();
      const began = performance.now();
      const { isExact, documents, ...found } = await rankQuery(context, query, () => weigh(place));
      for (const document of documents) this.#documents.set(document.key, document);
      if (isExact !== undefined) this.#report(onSegment, isExact, performance.now() - began);
      ranked.push(found);
    }
    return ranked;
  }

  /** Weighs the terms of queries by place; those of all queries are read when the first ones are asked for. */
  #weighing({ queries, statistics }: RankSearch): (place: number) => Promise<ScoredQuery> {
    let reading: Promise<ScoredQuery[]> | undefined;
    const read = async (): Promise<ScoredQuery[]> => {
      const terms = queries.map((query) => TextQuery.of(query, this.languages) ?? TextQuery.ofTerms([]));
      const sizes = statistics ?? (await this.#statisticsOf(terms));
      return terms.map((query) => ({ weighted: query.weigh(sizes), sizes }));
    };
    return async (place) => {
      reading ??= read();
      return (await reading)[place] as ScoredQuery;
    };
  }

  #checkDimensions(actual: number): void {
    const expected = this.space.dimensions;
    if (actual === expected) return;
    throw new SemanticIndexError(
      'DIMENSION_MISMATCH',
      `search: expected vectors of ${expected} dimensions, got ${actual}`,
      {
        details: { expected, actual },
      },
    );
  }

  async #rankable({
    within,
    without = [],
    groups,
  }: Pick<RankSearch, 'within' | 'without' | 'groups'>): Promise<Selection> {
    let selection = this.#setOf(within).without(without);
    if (groups !== undefined) selection = await this.#ofGroups(selection, groups);
    return selection;
  }

  async #ofGroups(selection: Selection, { field, groups, only }: RankedGroups): Promise<Selection> {
    const keys = keysOfGroups(await this.#column(field), groups);
    return only ? selection.within(keys) : selection.without(keys);
  }

  #factors(boosts: readonly RankBoost[], signal: AbortSignal | undefined): Promise<BoostFactors> {
    return BoostFactors.read(
      boosts,
      (field) => this.#column(field),
      (filter, keys) => this.whichMatch(filter, keys),
      signal,
    );
  }

  /** The values of a field of the request; read once. */
  #column(name: string): Promise<ReadField> {
    const field = this.#fieldOf(name);
    const known = this.#fields.get(name);
    if (known !== undefined) return known;
    const column = this.#readColumn(field);
    this.#fields.set(name, column);
    return column;
  }

  async #readColumn(field: Field): Promise<ReadField> {
    const documents = this.#selection.keys?.length ?? (await this.#reads.count(this.#passing));
    return readField(this.#reads, field, this.#passing, documents, this.#request.signal);
  }

  #fieldOf(name: string): Field {
    const field = this.#request.fields?.find((one) => one.name === name);
    if (field === undefined) throw new SemanticIndexError('INTERNAL', `The snapshot was opened without "${name}"`);
    return field;
  }

  async withTerms({ required, excluded }: TermsFilter, _signal?: AbortSignal, within?: DocumentSet): Promise<KeySet> {
    const selection = this.#setOf(within);
    await this.#postings.load([...required, ...excluded]);
    let keys: readonly number[] | undefined = selection.keys;
    for (const term of required) {
      const having = (await this.#postings.of(term)).keys;
      keys = keys === undefined ? [...having] : keys.filter((key) => placeOfKey(having, key) >= 0);
    }
    if (selection.keys === undefined && (keys === undefined || !selection.isAll)) {
      const among = keys === undefined ? selection : selection.within(keys);
      keys = await this.#reads.keys((parameters) => among.sql(parameters, 'd.key'));
    }
    const gone = (await this.#postings.united(excluded.map((term) => [term]))).map((list) => list.keys);
    const left = (keys ?? []).filter((key) => gone.every((list) => placeOfKey(list, key) < 0));
    return new KeySet(left.toSorted((one, other) => one - other));
  }

  #setOf(within: DocumentSet | undefined): Selection {
    return within === undefined ? this.#selection : Selection.of((within as KeySet).list);
  }

  lookUpTerms(lookUp: TermLookUp): Promise<readonly TermList[]> {
    return this.#dictionary.lookUp(lookUp, this.#selection);
  }

  field(name: string): PostgresField {
    const field = this.#fieldOf(name);
    const exists = conditionOf({ kind: 'field', field, test: { test: 'exists' } });
    return new PostgresField(field, () => this.#column(name), this.#reads, exists);
  }

  statistics(queries: readonly RankQuery[]): Promise<TermStatistics> {
    const terms = queries.flatMap((query) => TextQuery.of(query, this.languages) ?? []);
    return this.#statisticsOf(terms);
  }

  #statisticsOf(queries: readonly TextQuery[]): Promise<TermStatistics> {
    return readStatistics(this.#postings, this.#state, queries);
  }

  async termScores(terms: readonly QueryTerm[], keys: readonly number[], given?: TermStatistics): Promise<number[][]> {
    if (terms.length === 0 || keys.length === 0) return terms.map(() => []);
    const queries = terms.map((term) => TextQuery.ofTerms([term]));
    const statistics = given ?? (await this.#statisticsOf(queries));
    const all: number[][] = [];
    for (const query of queries) {
      const weighted = query.weigh(statistics);
      const scores = await this.#text.scores({ weighted, sizes: statistics }, keys);
      all.push(keys.map((key) => scores.get(key) ?? 0));
    }
    return all;
  }

  async whichMatch(filter: number, keys: readonly number[]): Promise<boolean[]> {
    const tree = this.#request.boosted?.[filter];
    if (tree === undefined)
      throw new SemanticIndexError('INTERNAL', `The snapshot was opened without filter ${filter}`);
    const condition = conditionOf(tree);
    const found = await this.#reads.keys(
      (parameters) => `d.key = ANY(${parameters.numbers(keys)}) AND ${condition(parameters)}`,
    );
    const matching = new Set(found);
    return keys.map((key) => matching.has(key));
  }

  async byKeys(keys: readonly number[], signal?: AbortSignal): Promise<(StoredDocument | undefined)[]> {
    const rest = keys.filter((key) => !this.#documents.has(key));
    const read = await this.#reads.byKeys(rest);
    signal?.throwIfAborted();
    const others = new Map(rest.map((key, place) => [key, read[place]]));
    return keys.map((key) => this.#documents.get(key) ?? others.get(key));
  }

  bytesByKeys(keys: readonly number[]): Promise<number> {
    return this.#reads.bytesByKeys(keys);
  }

  vectorsByKeys(keys: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    return this.#reads.vectorsByKeys(keys, this.space.dimensions, signal);
  }

  vectorOf(id: DocumentId): Promise<KeyedVector | undefined> {
    return this.#reads.vectorOf(id);
  }

  close(): void {
    this.#transaction.close();
  }
}
