import type { StoredDocument } from '../../backend/documents.js';
import type { Field } from '../../backend/filter-tree.js';
import type {
  QueryTerm,
  RankedDocument,
  RankedDocuments,
  RankedGroups,
  ReadSetting,
  ReadSnapshot,
  SnapshotRequest,
} from '../../backend/read-snapshot.js';
import type { ResolvedSearchOptions } from '../../options.js';
import { diversify } from '../../ranking/diversify.js';
import type { Ranked } from '../../ranking/ranked.js';
import type { FacetsResult, SearchedPhrases, SearchedSegment } from '../../types.js';
import type { OperationContext } from '../context.js';
import { rankQueries, type SyntaxQuery } from '../query/rank-queries.js';
import { boundedConcurrency } from './bounded-concurrency.js';
import type { ColumnsPlan } from './columns/columns-plan.js';
import { explainHits, type RankedFacts } from './columns/explain-hits.js';
import { countFacets, emptyFacets } from './columns/facets.js';
import { checkFieldsExist } from './columns/field-names.js';
import { findGroups, type RankedGroup, type RankSome } from './columns/group-search.js';
import { type Candidates, noCandidates, type VectorRows } from './found-candidates.js';
import { type CheckedQuery, type ResolvedQuery, resolveQueries } from './query-vectors.js';
import { weightedWords } from './rerank-tokens.js';
import { HitBytes } from './result-size.js';
import type { SearchTrace } from './search-trace.js';
import { snippetTermsOf } from './snippet-terms.js';
import { defaultRerankWeight } from './stored-weights.js';

/** The options that ranking reads; no hook is called. */
export type RankOptions = Omit<ResolvedSearchOptions, 'where' | 'rerank' | 'boost'> & { readonly rerank: unknown };

/** Completes what a search does not say itself by the settings of the index. */
export type SettleOptions = (options: RankOptions, setting: ReadSetting) => Promise<RankOptions>;

/** Depth of each ranking before rankings are fused. */
const fusionDepth = 50;
/** Depth of each ranking when all scores are multiplied: at least, and for each hit. */
const [boostedDepth, boostedShare] = [100, 4];
/** Depth that no index reaches. */
const maxDepth = 2 ** 29;
/** Candidates for each hit when hits are diversified. */
const diversityDepth = 5;

/** A search from checked queries to documents. */
export class CandidateSearch {
  readonly #context: OperationContext;
  readonly #filter: Pick<SnapshotRequest, 'filter' | 'checkFields'>;
  readonly #settle: SettleOptions | undefined;
  #options: RankOptions;
  readonly #seen: ReadonlySet<number>;
  readonly #trace: SearchTrace;
  readonly #bytes: HitBytes;
  readonly #plan: ColumnsPlan;
  /** The terms that queries were ranked by, where these are not those of their analysis; only if hits have snippets. */
  readonly #searched = new WeakMap<ResolvedQuery, readonly QueryTerm[]>();
  /** Queries for whose phrases not all texts were read. */
  readonly #phrases = new WeakMap<ResolvedQuery, SearchedPhrases>();
  /** What the first ranking of a query found out about its words, for those that leave documents out. */
  readonly #evidence = new WeakMap<ResolvedQuery, number>();
  /** Queries that were ranked once. */
  readonly #noted = new WeakSet<ResolvedQuery>();
  #isLost = false;
  /** How documents were ranked; only if hits are explained. */
  readonly #facts = new WeakMap<ResolvedQuery, Map<number, RankedFacts>>();

  /** @param seen keys of documents to leave out. @param settle undefined for options that are complete. */
  constructor(
    context: OperationContext,
    filter: Pick<SnapshotRequest, 'filter' | 'checkFields'>,
    options: RankOptions,
    seen: ReadonlySet<number>,
    trace: SearchTrace,
    plan: ColumnsPlan,
    settle: SettleOptions | undefined,
  ) {
    this.#context = context;
    this.#settle = settle;
    this.#plan = plan;
    this.#filter = filter;
    this.#options = options;
    this.#seen = seen;
    this.#trace = trace;
    this.#bytes = new HitBytes(options.maxBytes);
  }

  /**
   * Undefined when the index moved to another space after the queries were embedded.
   *
   * @param isOptimistic whether the snapshot may be lost as something is written: see `SnapshotRequest`.
   */
  async find(queries: readonly CheckedQuery[], isOptimistic: boolean): Promise<Candidates[] | undefined> {
    const { consistency, signal } = this.#options;
    const { backend } = this.#context;
    const { fields, boosts } = this.#plan;
    const { filter, checkFields } = this.#filter;
    const snapshot = await this.#trace.time('filter', () =>
      backend.snapshot({
        filter,
        checkFields,
        fields: fields.length === 0 ? undefined : fields,
        boosted: boosts?.filters,
        consistency,
        // Fields are read in many statements.
        isOptimistic: isOptimistic && fields.length === 0,
        signal,
      }),
    );
    try {
      // Also what failed may have failed as the snapshot is not that of the newest commit.
      return await this.#findIn(snapshot, queries).finally(() => snapshot?.confirm?.());
    } finally {
      this.#isLost = snapshot?.isLost === true;
      snapshot?.close();
    }
  }

  async #findIn(
    snapshot: ReadSnapshot | undefined,
    queries: readonly CheckedQuery[],
  ): Promise<Candidates[] | undefined> {
    const { space } = this.#context;
    const { boosts, group, facets: plans } = this.#plan;
    const { signal } = this.#options;
    if (snapshot === undefined) {
      const facets = plans && emptyFacets(plans);
      return (await resolveQueries(queries, undefined)).map(() => ({ ...noCandidates, facets }));
    }
    if (hasMoved(queries, snapshot)) return undefined;
    if (this.#settle !== undefined) {
      this.#options = await this.#settle(this.#options, (name) => snapshot.setting(name));
    }
    // A vector that the caller made with the old model must not be compared with those of the new one.
    space.check();
    const resolved = await resolveQueries(queries, snapshot);
    if (boosts !== undefined) {
      const fields = boosts.fields.map((field) => ({ option: 'boost', field }));
      await checkFieldsExist('search', snapshot, fields);
    }
    const facets = plans && (await countFacets('search', plans, snapshot, signal));
    if (group === undefined) {
      const ranked = await this.#rank(resolved, snapshot);
      return await boundedConcurrency(
        ranked,
        1,
        async (list, place) =>
          this.#explained(await this.#read(list, snapshot, facets), resolved[place] as ResolvedQuery, snapshot),
        signal,
      );
    }
    await checkFieldsExist('search', snapshot, [{ option: 'groupBy', field: group }]);
    return await boundedConcurrency(
      resolved,
      1,
      async (query) => {
        const groups = await this.#rankGroups(query, group, snapshot);
        return this.#explained(await this.#readGroups(groups, snapshot, facets), query, snapshot);
      },
      signal,
    );
  }

  /** Whether `find` failed as its snapshot was lost: another search may find. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Candidates that are wanted of each query: those that are diversified or reranked. */
  get #wanted(): number {
    const { k, diversity, rerank, rerankDepth } = this.#options;
    const candidates = diversity > 0 ? k * diversityDepth : k;
    return rerank === undefined ? candidates : Math.max(candidates, rerankDepth);
  }

  get #wantedGroups(): number {
    const { k, groupSize, rerank, rerankDepth } = this.#options;
    return rerank === undefined ? k : Math.max(k, Math.ceil(rerankDepth / groupSize));
  }

  /** Documents that are read of what is ranked: where that is not measured or chosen before. */
  get #reads(): number {
    const { k, diversity, rerank, maxBytes } = this.#options;
    return diversity > 0 || rerank !== undefined || maxBytes !== undefined ? 0 : k - 1;
  }

  get #depth(): number {
    return this.#wanted + this.#seen.size;
  }

  /** The best groups of a query: enough for those that are reranked. */
  async #rankGroups(query: ResolvedQuery, group: Field, snapshot: ReadSnapshot): Promise<RankedGroup[]> {
    const { groupSize } = this.#options;
    const rank: RankSome<Ranked> = async (wanted, without, groups) => {
      const search = { k: wanted, without, groups: { field: group.name, ...groups } };
      const [ranked = []] = await this.#rank([query], snapshot, search);
      return ranked;
    };
    // What the words of the query say does not depend on the page.
    if (this.#seen.size > 0) await rank(1, [], { groups: [], only: false });
    return await findGroups(rank, snapshot.field(group.name), {
      groups: this.#wantedGroups,
      size: groupSize,
      seen: [...this.#seen],
      without: query.own === undefined ? [] : [query.own],
    });
  }

  /** Reads the documents of groups. */
  async #readGroups(
    groups: readonly RankedGroup[],
    snapshot: ReadSnapshot,
    facets: FacetsResult | undefined,
  ): Promise<Candidates> {
    const ranked = groups.flatMap((group) => group.ranked);
    const ofKeys = new Map(groups.flatMap((group) => group.ranked.map(({ key }) => [key, group] as const)));
    const documents = await this.#documentsOf(keysOf(ranked), snapshot);
    const isFull = groups.length >= this.#wantedGroups;
    return { ...noCandidates, ranked, documents, isFull, groups: ofKeys, facets };
  }

  /** @param among documents that are searched for; default: all, and enough for the options. */
  async #rank(
    queries: readonly ResolvedQuery[],
    snapshot: ReadSnapshot,
    among?: { readonly k: number; readonly without: readonly number[]; readonly groups: RankedGroups },
  ): Promise<(readonly Ranked[])[]> {
    const { mode, typos, exact, explain, searchK, snippet, vectorWeight, signal } = this.#options;
    // Those of the snapshot: the index may move to another model while it is searched.
    const { dimensions } = snapshot.space;
    const [isRanked, places]: [SyntaxQuery[], number[]] = [[], []];
    // The document whose neighbours are wanted is one of them.
    let own = 0;
    for (let place = 0; place < queries.length; place++) {
      const query = queries[place] as ResolvedQuery;
      if (query.vector !== undefined) this.#context.space.checkDimensions(query.vector.length, dimensions);
      if (query.own !== undefined) own = 1;
      const asked = this.#asked(query);
      if (!isAsked(asked)) continue;
      isRanked.push(asked);
      places.push(place);
    }
    if (places.length === 0) return queries.map(() => []);
    const k = among === undefined ? this.#depth + own : among.k;
    const boosts = this.#plan.boosts?.boosts;
    const trace = this.#trace;
    const onSegment = explain ? (segment: SearchedSegment): number => trace.segments.push(segment) : undefined;
    const onTerms =
      snippet === undefined
        ? undefined
        : (place: number, terms: readonly QueryTerm[]): void => {
            this.#searched.set(queries[places[place] as number] as ResolvedQuery, terms);
          };
    const onPhrases = (place: number, phrases: SearchedPhrases): void => {
      this.#phrases.set(queries[places[place] as number] as ResolvedQuery, phrases);
    };
    const [without, groups] = [among?.without, among?.groups];
    const evidence = among === undefined ? undefined : this.#evidence.get(queries[0] as ResolvedQuery);
    const rank = (depth: number): Promise<RankedDocuments[]> => {
      let notes: SearchTrace | undefined;
      if (explain) {
        // What is ranked again is read as before.
        if (!queries.some((query) => this.#noted.has(query))) notes = trace;
        for (const query of queries) this.#noted.add(query);
      }
      const search = {
        queries: isRanked,
        k,
        depth,
        boosts,
        evidence,
        without,
        groups,
        exact,
        searchK,
        vectorWeight,
        reads: among === undefined && this.#seen.size === 0 ? this.#reads + own : 0,
        skipsMissing: typos,
        signal,
        onSegment,
      };
      return rankQueries(snapshot, search, { notes, onTerms, onPhrases });
    };
    const found = await this.#trace.time(mode === 'text' ? 'words' : 'vectors', async () => {
      const isWide = exact && boosts !== undefined;
      let depth = Math.max(isWide ? Math.max(boostedDepth, boostedShare * k) : k, fusionDepth);
      for (;;) {
        const lists = await rank(depth);
        // The best by one side alone are all that is ranked; by both, and with factors, others may be better.
        const mayMiss = mode === 'hybrid' || boosts !== undefined || among !== undefined;
        const isDone = !exact || !mayMiss || lists.every((one) => one.isComplete);
        if (isDone || depth >= maxDepth) return lists;
        depth = Math.min(maxDepth, 4 * depth);
      }
    });
    const wanted = this.#wanted;
    let position = 0;
    const complete = (query: ResolvedQuery, place: number): readonly Ranked[] => {
      // Queries are completed in their order.
      if (places[position] !== place) return [];
      const list = found[position++] as RankedDocuments;
      const ranked = query.degraded === undefined ? list.ranked : sharesOf(list);
      if (explain) {
        this.#remember(query, list);
        trace.matchingWords += ranked.filter(({ textScore }) => textScore > 0).length;
      }
      if (among !== undefined) {
        if (!this.#evidence.has(query)) this.#evidence.set(query, list.evidence);
        return ranked;
      }
      const { own } = query;
      const isPassed = own !== undefined || this.#seen.size > 0;
      const others = isPassed ? ranked.filter(({ key }) => key !== own && !this.#seen.has(key)) : ranked;
      return others.length > wanted ? others.slice(0, wanted) : others;
    };
    return boundedConcurrency(queries, 1, complete, signal);
  }

  #asked({ text, clauses, vector, degraded }: ResolvedQuery): SyntaxQuery {
    const { mode } = this.#options;
    const byText = mode !== 'vector' || degraded !== undefined;
    return { text: byText ? text : undefined, vector: mode === 'text' ? undefined : vector, clauses };
  }

  #remember(query: ResolvedQuery, { ranked, maxTextScore, evidence, similarityScale }: RankedDocuments): void {
    if (!this.#options.explain) return;
    const facts = this.#facts.get(query) ?? new Map<number, RankedFacts>();
    for (const document of ranked) facts.set(document.key, { document, maxTextScore, evidence, similarityScale });
    this.#facts.set(query, facts);
  }

  /** Adds what is read of the snapshot for reranking, snippets and explanations. */
  async #explained(found: Candidates, query: ResolvedQuery, snapshot: ReadSnapshot): Promise<Candidates> {
    const { rerank, rerankWeight, snippet, signal } = this.#options;
    const { text, clauses } = query;
    const phrases = this.#phrases.get(query);
    let candidates = phrases === undefined ? found : { ...found, phrases };
    if (snippet !== undefined && text !== undefined && found.ranked.length > 0) {
      const searched = this.#searched.get(query);
      const marked = await this.#trace.time('snippet', () =>
        snippetTermsOf(snapshot, { text, clauses }, searched, signal),
      );
      candidates = { ...candidates, marked };
    }
    if (rerank === 'tokens' && text !== undefined) {
      const words = await this.#trace.time('rerank', () => weightedWords(text, snapshot, signal));
      candidates = { ...candidates, tokens: { words, share: rerankWeight ?? defaultRerankWeight } };
    }
    const facts = this.#facts.get(query);
    if (facts === undefined) return candidates;
    const explained = await explainHits(snapshot, facts, keysOf(candidates.ranked), {
      query: this.#asked(query),
      options: this.#options,
      boosts: this.#plan.boosts?.boosts,
      metric: this.#context.backend.metric,
      isDegraded: query.degraded !== undefined,
    });
    return { ...candidates, explained };
  }

  /** Diversifies unless that follows reranking, and reads the documents. */
  async #read(
    candidates: readonly Ranked[],
    snapshot: ReadSnapshot,
    facets: FacetsResult | undefined,
  ): Promise<Candidates> {
    const { k, diversity, rerank, minScore, signal } = this.#options;
    const isFull = candidates.length >= this.#wanted;
    let ranked = candidates;
    let vectors: VectorRows | undefined;
    if (diversity > 0) {
      // Those below must not take the places of others; with `rerank` other scores decide.
      if (rerank === undefined && minScore !== undefined) ranked = candidates.filter(({ score }) => score >= minScore);
      const data = await snapshot.vectorsByKeys(keysOf(ranked), signal);
      const rows = { data, dimensions: snapshot.space.dimensions };
      if (rerank === undefined) ranked = await diversify(ranked, k, diversity, rows, signal);
      else vectors = rows;
    }
    let needed = ranked.length;
    if (rerank === undefined) {
      if (ranked.length > k) ranked = ranked.slice(0, k);
      // The last one shows that another page follows.
      needed = Math.min(ranked.length, k - 1);
    }
    let documents = await this.#documentsOf(keysOf(ranked, needed), snapshot);
    if (needed < ranked.length && documents.includes(undefined)) {
      documents = [...documents, ...(await this.#documentsOf(keysOf(ranked.slice(needed)), snapshot))];
    }
    return { ...noCandidates, ranked, documents, isFull, facets, vectors };
  }

  async #documentsOf(
    keys: readonly number[],
    snapshot: ReadSnapshot,
  ): Promise<readonly (StoredDocument | undefined)[]> {
    if (this.#options.maxBytes !== undefined) await this.#bytes.add(() => snapshot.bytesByKeys(keys));
    return this.#trace.time('lookup', () => snapshot.byKeys(keys, this.#options.signal));
  }
}

/** Documents with BM25 as a share of its upper bound: a scale that does not depend on the query, as that of the fused scores. */
function sharesOf({ ranked, maxTextScore }: RankedDocuments): RankedDocument[] {
  return ranked.map((one) => ({
    ...one,
    score: maxTextScore > 0 ? one.factor * Math.min(1, one.textScore / maxTextScore) : 0,
  }));
}

function keysOf(ranked: readonly Ranked[], count = ranked.length): number[] {
  const keys: number[] = [];
  for (let place = 0; place < count; place++) keys.push((ranked[place] as Ranked).key);
  return keys;
}

function isAsked({ text, vector }: SyntaxQuery): boolean {
  return text !== undefined || vector !== undefined;
}

function hasMoved(queries: readonly CheckedQuery[], { space }: ReadSnapshot): boolean {
  return queries.some((query) => query.space !== undefined && query.space !== space.space);
}
