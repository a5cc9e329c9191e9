import { checkIndex } from '../check-arguments.js';
import { SemanticIndexError } from '../errors.js';
import { describe, type Listed, type Resolved, resolveOptions, type SearchOptions } from '../options.js';
import type { SemanticIndex } from '../semantic-index.js';
import type { DocumentId, Hit, JudgedQuestion, Query } from '../types.js';

/** Options of `adviseMinScore(index, questions, options)`. */
export interface AdviseMinScoreOptions {
  /** Options of the searches that the score is for, such as `mode`, `rerank` or `vectorWeight`. Default: those of `search`. */
  search?: Omit<SearchOptions, 'after' | 'minScore' | 'groupBy' | 'groupSize' | 'signal'> | undefined;
  /**
   * Questions that the index has no answer to. Default: the judged questions, with the documents that answer them left out of their hits, as
   * if they were not in the index.
   */
  unanswerable?: readonly Query[] | undefined;
  /** Share of the answered questions that must keep an answer, above 0 and at most 1. Default 0.95. */
  keep?: number | undefined;
  /** Aborting rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

const defaults = {
  search: undefined,
  unanswerable: undefined,
  keep: 0.95,
  signal: undefined,
} satisfies Listed<AdviseMinScoreOptions>;

/** A score below which hits answer nothing, and what it does to questions. */
export interface MinScoreAdvice {
  /** Pass it as `minScore` of `search` or of a `Retriever`, with the same options of the search. */
  readonly minScore: number;
  /** Share of the answered questions that keep a relevant hit. */
  readonly kept: number;
  /** Share of the questions without an answer that have no hit any more. */
  readonly refused: number;
  /** How well scores separate both: the probability that an answered question has the higher one; 0.5 is chance. */
  readonly auc: number;
  /** Judged questions of which a relevant document was found; the others do not count. */
  readonly answered: number;
}

/** Hits of a question. */
const depth = 20;

/**
 * Advises a `minScore` by judged questions: the largest one with which a share of the answered questions (`keep`) has a relevant hit. Of
 * questions without an answer as many as possible have no hits then; `refused` and `auc` say whether that is worth it. Scores of
 * hybrid and vector searches are comparable between questions; those of searches for words are less so.
 *
 * @throws INVALID_ARGUMENT without questions, if no relevant document is found, or for a share out of range; UNKNOWN_OPTION; what `search`
 *   throws.
 * @example
 * const { minScore, refused } = await adviseMinScore(index, questions);
 */
export async function adviseMinScore(
  index: Pick<SemanticIndex, 'search'>,
  questions: readonly JudgedQuestion[],
  options?: AdviseMinScoreOptions,
): Promise<MinScoreAdvice> {
  const resolved: Resolved<AdviseMinScoreOptions, typeof defaults> = resolveOptions(
    'adviseMinScore',
    options,
    defaults,
  );
  const { search, unanswerable, keep, signal } = resolved;
  checkIndex('adviseMinScore', index, 'search');
  if (!Array.isArray(questions) || questions.length === 0) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `adviseMinScore: expected an array of judged questions, got ${describe(questions)}`,
      { hint: 'Pass those of `readQuestions`, some hundred if you can.' },
    );
  }
  if (typeof keep !== 'number' || !(keep > 0 && keep <= 1)) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `adviseMinScore: expected a number above 0 and at most 1 as keep, got ${describe(keep)}`,
    );
  }
  const hitsOf = async (query: Query): Promise<readonly Hit[]> =>
    (await index.search(query, { k: depth, ...search, ...(signal !== undefined && { signal }) })).hits;
  const [found, absent]: [number[], number[]] = [[], []];
  for (const { query, relevant } of questions as readonly JudgedQuestion[]) {
    const ids = relevantIds(relevant);
    const hits = await hitsOf(query);
    const score = hits.find(({ id }) => ids.has(String(id)))?.score;
    if (score !== undefined) found.push(score);
    if (unanswerable === undefined)
      absent.push(hits.find(({ id }) => !ids.has(String(id)))?.score ?? Number.NEGATIVE_INFINITY);
  }
  for (const query of unanswerable ?? []) absent.push((await hitsOf(query))[0]?.score ?? Number.NEGATIVE_INFINITY);
  if (found.length === 0) {
    throw new SemanticIndexError('INVALID_ARGUMENT', 'adviseMinScore: no relevant document of any question was found', {
      hint: `Relevant documents must be among the first ${depth} hits: see \`evaluate\` for what is found.`,
    });
  }
  found.sort((a, b) => b - a);
  const minScore = found[Math.ceil(keep * found.length) - 1] as number;
  return {
    minScore,
    kept: found.filter((score) => score >= minScore).length / found.length,
    refused: absent.length === 0 ? 0 : absent.filter((score) => score < minScore).length / absent.length,
    auc: areaUnderCurve(found, absent),
    answered: found.length,
  };
}

function relevantIds(relevant: JudgedQuestion['relevant']): ReadonlySet<string> {
  const graded: Iterable<readonly [DocumentId, number]> = Array.isArray(relevant)
    ? (relevant as readonly DocumentId[]).map((id) => [id, 1] as const)
    : relevant instanceof Map
      ? relevant
      : Object.entries(relevant as Readonly<Record<string, number>>);
  return new Set(Array.from(graded).flatMap(([id, grade]) => (grade > 0 ? [String(id)] : [])));
}

/** The share of pairs in which the first has the higher score; equal ones count half (Mann and Whitney 1947). */
function areaUnderCurve(higher: readonly number[], lower: readonly number[]): number {
  if (higher.length === 0 || lower.length === 0) return 0.5;
  const sorted = [...lower].sort((a, b) => a - b);
  let pairs = 0;
  for (const score of higher) {
    const [below, upTo] = [countBelow(sorted, score, false), countBelow(sorted, score, true)];
    pairs += below + (upTo - below) / 2;
  }
  return pairs / (higher.length * sorted.length);
}

/** How many of ascending numbers are below a bound, or at most it. */
function countBelow(sorted: readonly number[], bound: number, isInclusive: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const value = sorted[middle] as number;
    if (value < bound || (isInclusive && value === bound)) low = middle + 1;
    else high = middle;
  }
  return low;
}
