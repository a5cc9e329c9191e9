import { SemanticIndexError } from '../../errors.js';
import type { ResolvedSearchOptions } from '../../options.js';
import { diversify } from '../../ranking/diversify.js';
import type { Ranked } from '../../ranking/ranked.js';
import type {
  DegradedSearch,
  FacetsResult,
  FilterValue,
  Hit,
  HitGroup,
  Metadata,
  Query,
  RerankedHits,
  SearchResult,
} from '../../types.js';
import { documentOf } from '../checked-document.js';
import type { OperationContext } from '../context.js';
import { filterFor } from '../declared-fields.js';
import { boundedConcurrency } from './bounded-concurrency.js';
import { CandidateSearch, type Candidates } from './candidates.js';
import { planColumns } from './columns/columns-plan.js';
import type { RankedGroup } from './columns/group-search.js';
import { checkQueries } from './query-vectors.js';
import { rerankHits } from './rerank-hits.js';
import { rerankByTokens } from './rerank-tokens.js';
import { cursorOf, keysOf } from './search-cursor.js';
import { withSnippets } from './search-snippets.js';
import { SearchTrace } from './search-trace.js';

/** What was found for one query. */
interface FoundList<M extends Metadata> extends CompleteHits<M> {
  readonly degraded: DegradedSearch | undefined;
  readonly facets: FacetsResult | undefined;
}

interface CompleteHits<M extends Metadata> {
  readonly found: readonly Found<M>[];
  /** How many hits were reranked, if that had a budget. */
  readonly reranked: RerankedHits | undefined;
}

/** A hit and the key of its document. */
interface Found<M extends Metadata> {
  readonly key: number;
  readonly hit: Hit<M>;
  /** Undefined if hits are not grouped. */
  readonly group: RankedGroup | undefined;
}

const nothing: ReadonlySet<number> = new Set();
/** Queries of a batch that are reranked at the same time. */
const rerankedAtOnce = 16;
/** Share of the new score of tokens: measured on SQuAD. */
const tokensWeight = 0.35;
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
): Promise<SearchResult<M>[]> {
  const { k, after, explain } = options;
  const seen = after === undefined ? nothing : keysOf(after);
  const trace = new SearchTrace();
  const lists = await find<M>(context, queries, { ...options, k: k + 1 }, seen, trace);
  const pages: Hit<M>[][] = [];
  for (const [place, { found }] of lists.entries()) {
    const hits = firstOf(found, k).map(({ hit }) => hit);
    const query = queries[place] as Query;
    const complete = () => withSnippets(context, query, hits, options);
    pages.push(options.snippet === undefined ? hits : await trace.time('snippet', complete));
  }
  const explanation = explain ? { explanation: trace.explanation() } : {};
  return lists.map(({ found, degraded, facets, reranked }, place) => {
    const page = firstOf(found, k);
    const hits = pages[place] as Hit<M>[];
    const facts = {
      ...(options.groupBy !== undefined && { groups: groupsOf(page, hits) }),
      ...(facets !== undefined && { facets: facets.facets }),
      ...(degraded !== undefined && { degraded }),
      ...(reranked !== undefined && { reranked }),
      ...explanation,
    };
    if (found.length === page.length) return { hits, ...facts };
    return { hits, next: cursorOf([...seen, ...page.map(({ key }) => key)]), ...facts };
  });
}

/** The first k hits, or the hits of the first k groups. */
function firstOf<M extends Metadata>(found: readonly Found<M>[], k: number): readonly Found<M>[] {
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
): Promise<FoundList<M>[]> {
  const { mode, signal, where, rerank } = options;
  signal?.throwIfAborted();
  context.space.check();
  const filter = where === undefined ? undefined : await filterFor(context.backend, where);
  const plan = await planColumns(context.backend, options);
  let lost = 0;
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const checked = await trace.time('embed', () => checkQueries(queries, mode !== 'text', context.space, options));
    const search = new CandidateSearch(context, filter, options, seen, trace, plan);
    const found = await search.find(checked).catch((error: unknown) => {
      if (!search.isLost || ++lost > maxLost) throw error;
      return undefined;
    });
    if (found === undefined) {
      trace.restart();
      continue;
    }
    const concurrency = rerank === undefined ? 1 : rerankedAtOnce;
    const complete = async (list: Candidates, position: number): Promise<FoundList<M>> => ({
      ...(await completeHits<M>(queries[position] as Query, list, options, trace)),
      degraded: checked[position]?.degraded,
      facets: list.facets,
    });
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

/** Makes hits of candidates; reranks and diversifies if asked to. */
async function completeHits<M extends Metadata>(
  query: Query,
  { ranked, documents, groups, explained, vectors, words }: Candidates,
  { k, diversity, rerank, rerankWeight, rerankBudget, minScore, signal }: ResolvedSearchOptions<M>,
  trace: SearchTrace,
): Promise<CompleteHits<M>> {
  const hits = new Map<number, Hit<M>>();
  for (const { key, score } of ranked) {
    const row = documents.get(key);
    if (row === undefined) continue;
    const { id, ...document } = documentOf<M>(row);
    hits.set(key, { id, score, ...document });
  }
  let order = ranked;
  let reranked: RerankedHits | undefined;
  if (rerank !== undefined) {
    const readable = ranked.filter(({ key }) => hits.has(key));
    const listed = [...hits.values()];
    const scored = await trace.time('rerank', async () => {
      if (rerank === 'tokens') {
        return rerankByTokens(words ?? [], readable, listed, rerankWeight ?? tokensWeight, signal);
      }
      const limits = { budget: rerankBudget, signal };
      const result = await rerankHits(rerank, query, readable, listed, rerankWeight ?? 1, limits);
      if (rerankBudget !== undefined) reranked = { judged: result.judged, of: listed.length };
      return result.ranked;
    });
    if (groups !== undefined) order = regrouped(scored, groups);
    else order = vectors === undefined ? scored.slice(0, k) : await diversified(scored);
  }
  const found = order.flatMap(({ key, score }) => {
    const hit = hits.get(key);
    return hit === undefined || (minScore !== undefined && score < minScore)
      ? []
      : [{ key, hit: asFound(key, hit, score), group: groups?.get(key) }];
  });
  return { found, reranked };

  function asFound(key: number, hit: Hit<M>, score: number): Hit<M> {
    if (explained === undefined && hit.score === score) return hit;
    return { ...hit, score, ...explanationOf(key, score) };
  }

  function explanationOf(key: number, score: number): Pick<Hit, 'explanation'> {
    const explanation = explained?.get(key);
    if (explanation === undefined) return {};
    return { explanation: rerank === undefined ? explanation : { ...explanation, reranked: score } };
  }

  async function diversified(scored: readonly Ranked[]): Promise<Ranked[]> {
    const { data, dimensions } = vectors as NonNullable<typeof vectors>;
    const rows = new Map(ranked.map(({ key }, row) => [key, row]));
    const ordered = new Float32Array(scored.length * dimensions);
    scored.forEach(({ key }, position) => {
      const row = rows.get(key) as number;
      ordered.set(data.subarray(row * dimensions, (row + 1) * dimensions), position * dimensions);
    });
    return diversify(scored, k, diversity, { data: ordered, dimensions }, signal);
  }
}
