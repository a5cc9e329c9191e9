import type { StoredDocument } from '../../backend/documents.js';
import { SemanticIndexError } from '../../errors.js';
import type { ResolvedSearchOptions } from '../../options.js';
import { diversify } from '../../ranking/diversify.js';
import type { Ranked } from '../../ranking/ranked.js';
import type {
  DegradedSearch,
  FacetsResult,
  FilterValue,
  Hit,
  HitExplanation,
  HitGroup,
  Metadata,
  Query,
  RerankedHits,
  SearchedPhrases,
  SearchResult,
} from '../../types.js';
import { documentOf } from '../checked-document.js';
import type { OperationContext } from '../context.js';
import { boundedConcurrency } from './bounded-concurrency.js';
import { CandidateSearch, type SettleOptions } from './candidates.js';
import { planColumns } from './columns/columns-plan.js';
import type { RankedGroup } from './columns/group-search.js';
import type { Candidates } from './found-candidates.js';
import { awaitRecognition, checkQueries } from './query-vectors.js';
import { rerankHits } from './rerank-hits.js';
import { rerankByTokens } from './rerank-tokens.js';
import { cursorOf, keysOf } from './search-cursor.js';
import { SearchFilters } from './search-filters.js';
import { withSnippets } from './search-snippets.js';
import { SearchTrace } from './search-trace.js';
import type { SnippetTerms } from './snippet-terms.js';

/** What was found for one query. */
interface FoundList<M extends Metadata> extends CompleteHits<M> {
  readonly isFull: boolean;
  readonly degraded: DegradedSearch | undefined;
  readonly facets: FacetsResult | undefined;
  readonly marked: SnippetTerms | undefined;
  readonly phrases: SearchedPhrases | undefined;
}

interface CompleteHits<M extends Metadata> {
  readonly found: readonly Found<M>[];
  /** What reranking scored below `minScore`. Each document is judged once: pages after this one leave it out. */
  readonly refused: readonly Ranked[];
  /** How many hits were reranked, if that had a budget. */
  readonly reranked: RerankedHits | undefined;
}

/** A hit and the key of its document. */
interface Found<M extends Metadata> {
  readonly key: number;
  /** Undefined for one of the next page that was not read. */
  readonly hit: Hit<M> | undefined;
  /** Undefined if hits are not grouped. */
  readonly group: RankedGroup | undefined;
}

const nothing: ReadonlySet<number> = new Set();
/** Queries of a batch that are reranked at the same time. */
const rerankedAtOnce = 16;
/** Attempts of a search while other processes move the index to other models. */
const maxAttempts = 32;
/** Snapshots that a search may lose with their connections. */
const maxLost = 5;

/**
 * The best hits of each query that are not on earlier pages. One more than `k` is searched for: it shows whether another page
 * follows.
 */
export async function search<M extends Metadata>(
  context: OperationContext,
  queries: readonly Query[],
  options: ResolvedSearchOptions<M>,
  settle?: SettleOptions,
): Promise<SearchResult<M>[]> {
  const { k, after, explain, snippet } = options;
  const seen = after === undefined ? nothing : keysOf(after);
  const trace = new SearchTrace(explain);
  const lists = await find<M>(context, queries, { ...options, k: k + 1 }, seen, trace, settle);
  const pages: SearchPage<M>[] = [];
  for (let place = 0; place < lists.length; place++) {
    const list = lists[place] as FoundList<M>;
    const page = firstOf(list.found, k, options.groupBy !== undefined);
    let hits = page.map(({ hit }) => hit as Hit<M>);
    if (snippet !== undefined) {
      const query = queries[place] as Query;
      hits = await trace.time('snippet', () => withSnippets(context, query, list.marked, hits, options));
    }
    pages.push({ list, page, hits });
  }
  const explanation = explain ? trace.explanation() : undefined;
  return pages.map(({ list: { found, refused, isFull, degraded, facets, reranked, phrases }, page, hits }) => {
    const result: { -readonly [Member in keyof SearchResult<M>]: SearchResult<M>[Member] } = { hits };
    // What was refused made room on this page only: documents that nothing has judged yet may pass.
    const hasUnjudged = refused.length > 0 && isFull && page.length > 0;
    if (found.length > page.length || hasUnjudged) result.next = cursorOf(seen, [...page, ...refused]);
    if (options.groupBy !== undefined) result.groups = groupsOf(page, hits);
    if (facets !== undefined) result.facets = facets.facets;
    if (degraded !== undefined) result.degraded = degraded;
    if (reranked !== undefined) result.reranked = reranked;
    if (phrases !== undefined) result.phrases = phrases;
    if (explanation !== undefined) result.explanation = explanation;
    return result;
  });
}

/** The part of what was found that is returned. */
interface SearchPage<M extends Metadata> {
  readonly list: FoundList<M>;
  readonly page: readonly Found<M>[];
  readonly hits: Hit<M>[];
}

/** The first k hits, or the hits of the first k groups. */
function firstOf<M extends Metadata>(found: readonly Found<M>[], k: number, isGrouped: boolean): readonly Found<M>[] {
  if (!isGrouped) return found.length > k ? found.slice(0, k) : found;
  let [count, last]: [number, RankedGroup | undefined] = [0, undefined];
  const end = found.findIndex(({ group }) => {
    if (group === undefined || group !== last) count++;
    last = group;
    return count > k;
  });
  return end < 0 ? found : found.slice(0, end);
}

/** @param hits those of the page, in its order. */
function groupsOf<M extends Metadata>(page: readonly Found<M>[], hits: readonly Hit<M>[]): HitGroup<M>[] {
  const groups = new Map<RankedGroup | undefined, Hit<M>[]>();
  for (const [place, { group }] of page.entries()) {
    const hit = hits[place] as Hit<M>;
    const others = groups.get(group);
    if (others === undefined) groups.set(group, [hit]);
    else others.push(hit);
  }
  return [...groups].map(([group, hits]) => {
    if (group?.key === undefined) return { hits };
    const values = JSON.parse(group.key) as FilterValue[];
    return { value: values.length === 1 ? (values[0] as FilterValue) : values, hits };
  });
}

async function find<M extends Metadata>(
  context: OperationContext,
  queries: readonly Query[],
  options: ResolvedSearchOptions<M>,
  seen: ReadonlySet<number>,
  trace: SearchTrace,
  settle: SettleOptions | undefined,
): Promise<FoundList<M>[]> {
  const { mode, signal, where, rerank } = options;
  signal?.throwIfAborted();
  context.space.check();
  const filters = new SearchFilters(context.backend);
  const filter = where === undefined ? undefined : await filters.parse(where);
  const plan = await planColumns(filters, options);
  let [lost, { consistency }] = [0, options];
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const checked = await trace.time('embed', () => checkQueries(queries, mode !== 'text', context.space, options));
    const search = new CandidateSearch(
      context,
      { filter, checkFields: filters.checkFields },
      { ...options, consistency },
      seen,
      trace,
      plan,
      settle,
    );
    const found = await search.find(checked, attempt === 1).catch(async (error: unknown) => {
      await awaitRecognition(checked);
      if (!search.isLost || ++lost > maxLost) throw error;
      return undefined;
    });
    await awaitRecognition(checked);
    if (found === undefined) {
      // A replica may not have received yet that the index has moved.
      if (!search.isLost) consistency = 'strong';
      trace.restart();
      continue;
    }
    const concurrency = rerank === undefined ? 1 : rerankedAtOnce;
    const complete = async (list: Candidates, position: number): Promise<FoundList<M>> => {
      const { isFull, facets, marked, phrases } = list;
      const same = { isFull, degraded: checked[position]?.degraded, facets, marked, phrases };
      if (rerank === undefined) {
        return { found: hitsOf<M>(list, options.minScore), refused: [], reranked: undefined, ...same };
      }
      return { ...(await rerankedHits<M>(queries[position] as Query, list, rerank, options, trace)), ...same };
    };
    return boundedConcurrency(found, concurrency, complete, signal);
  }
  throw new SemanticIndexError('BUSY', 'The index kept moving to other models');
}

/** Reranked hits by group: the groups in the order of their best hits. */
function regrouped(scored: readonly Ranked[], groups: ReadonlyMap<number, RankedGroup>): Ranked[] {
  const members = new Map<RankedGroup | undefined, Ranked[]>();
  for (const one of scored) {
    const group = groups.get(one.key);
    const others = members.get(group);
    if (others === undefined) members.set(group, [one]);
    else others.push(one);
  }
  return [...members.values()].flat();
}

/** Makes hits of candidates. */
function hitsOf<M extends Metadata>(
  { ranked, documents, groups, explained }: Candidates,
  minScore: number | undefined,
): Found<M>[] {
  const found: Found<M>[] = [];
  for (let place = 0; place < ranked.length; place++) {
    const { key, score } = ranked[place] as Ranked;
    const row = documents[place];
    if ((row === undefined && place < documents.length) || (minScore !== undefined && score < minScore)) continue;
    found.push({ key, hit: row && hitOf<M>(row, score, explained?.get(key)), group: groups?.get(key) });
  }
  return found;
}

function hitOf<M extends Metadata>(
  row: StoredDocument,
  score: number,
  explanation: HitExplanation | undefined,
): Hit<M> {
  const { id, text, textFields, metadata } = documentOf<M>(row);
  const hit: { -readonly [Member in keyof Hit<M>]: Hit<M>[Member] } =
    textFields === undefined ? { id, score, text, metadata } : { id, score, text, textFields, metadata };
  if (explanation !== undefined) hit.explanation = explanation;
  return hit;
}

/** Makes hits of candidates, reranks them, and diversifies them if asked to. */
async function rerankedHits<M extends Metadata>(
  query: Query,
  candidates: Candidates,
  rerank: NonNullable<ResolvedSearchOptions<M>['rerank']>,
  { k, diversity, rerankWeight, rerankBudget, minScore, signal }: ResolvedSearchOptions<M>,
  trace: SearchTrace,
): Promise<CompleteHits<M>> {
  const { ranked, documents, groups, explained, vectors, tokens } = candidates;
  const hits = new Map<number, Hit<M>>();
  for (const [place, { key, score }] of ranked.entries()) {
    const row = documents[place];
    if (row !== undefined) hits.set(key, hitOf<M>(row, score, undefined));
  }
  let reranked: RerankedHits | undefined;
  const readable = ranked.filter(({ key }) => hits.has(key));
  const listed = [...hits.values()];
  const scored = await trace.time('rerank', async () => {
    if (rerank === 'tokens') {
      return tokens === undefined ? readable : rerankByTokens(tokens, readable, listed, signal);
    }
    const limits = { budget: rerankBudget, signal };
    const result = await rerankHits(rerank, query, readable, listed, rerankWeight ?? 1, limits);
    if (rerankBudget !== undefined) reranked = { judged: result.judged, of: listed.length };
    return result.ranked;
  });
  const passes = ({ score }: Ranked): boolean => minScore === undefined || score >= minScore;
  const passed = scored.filter(passes);
  let order: readonly Ranked[];
  if (groups !== undefined) order = regrouped(passed, groups);
  else order = vectors === undefined ? passed.slice(0, k) : await diversified(passed, vectors);
  const found: Found<M>[] = [];
  for (const { key, score } of order) {
    const hit = hits.get(key);
    if (hit === undefined) continue;
    const explanation = explained?.get(key);
    const facts = explanation === undefined ? {} : { explanation: { ...explanation, reranked: score } };
    found.push({ key, hit: { ...hit, score, ...facts }, group: groups?.get(key) });
  }
  // A group that has other hits is left for a page of its own.
  const kept = new Set(groups && passed.map(({ key }) => groups.get(key)));
  const refused = scored.filter((one) => !passes(one) && !kept.has(groups?.get(one.key)));
  return { found, refused, reranked };

  async function diversified(
    passed: readonly Ranked[],
    { data, dimensions }: NonNullable<Candidates['vectors']>,
  ): Promise<Ranked[]> {
    const rows = new Map(ranked.map(({ key }, row) => [key, row]));
    const ordered = new Float32Array(passed.length * dimensions);
    passed.forEach(({ key }, position) => {
      const row = rows.get(key) as number;
      ordered.set(data.subarray(row * dimensions, (row + 1) * dimensions), position * dimensions);
    });
    return diversify(passed, k, diversity, { data: ordered, dimensions }, signal);
  }
}
