import type { Hit, SearchOptions, SearchResult, SemanticIndex } from '../../index.js';
import { furthestCut } from '../../rag/chunking/split-parts.js';
import type { AnswerBudget } from './answer-budget.js';
import { type HitAnswer, hitAnswer } from './hit-answer.js';

/** The answer of the tool `search`. */
export interface SearchAnswer {
  readonly hits: readonly HitAnswer[];
  readonly next?: string;
  readonly degraded?: SearchResult['degraded'];
  readonly reranked?: SearchResult['reranked'];
  readonly phrases?: SearchResult['phrases'];
}

/** Characters of a cursor per document that it excludes, with room for large indexes. */
const charactersPerHit = 4;
/** Characters of its mark and checksum. */
const charactersAround = 4;

/**
 * Searches within a budget: a page ends before the hit that does not fit, and its cursor goes on with that hit. If not even the first
 * fits, its text is cut.
 *
 * @throws TOO_LARGE and what `search` throws.
 */
export async function searchAnswer(
  index: SemanticIndex,
  query: string,
  options: SearchOptions & { readonly k: number },
  budget: AnswerBudget,
): Promise<SearchAnswer> {
  let { k } = options;
  for (;;) {
    const result = await index.search(query, { ...options, k });
    const kept = keptHits(result, options, budget);
    // A cursor counts the hits that its page returned: the same search, for fewer of them, has the right one.
    if (kept.length === result.hits.length) return answerOf(kept, result);
    if (k === 1 || result.hits.length === 1) {
      const hits = [cutHit(result.hits[0] as Hit, answerOf([], result), budget)];
      if (result.hits.length === 1) return answerOf(hits, result);
    }
    k = Math.max(1, Math.min(kept.length, k - 1));
  }
}

function answerOf(hits: readonly HitAnswer[], { next, degraded, reranked, phrases }: SearchResult): SearchAnswer {
  return {
    hits,
    ...(next !== undefined && { next }),
    ...(degraded !== undefined && { degraded }),
    ...(reranked !== undefined && { reranked }),
    ...(phrases !== undefined && { phrases }),
  };
}

function keptHits(result: SearchResult, { after = '' }: SearchOptions, budget: AnswerBudget): HitAnswer[] {
  const longest = 'x'.repeat(after.length + result.hits.length * charactersPerHit + charactersAround);
  const rest = answerOf([], { ...result, next: result.next ?? longest });
  const all = result.hits.map((hit) => hitAnswer(shortText(hit, budget), budget));
  const kept = budget.firstThatFit(all, rest);
  while (kept.length > 0 && !budget.holds(answerOf(kept, { ...result, next: result.next ?? longest }))) kept.pop();
  // The last page has no cursor.
  if (result.next === undefined && budget.holds(answerOf(all, result))) return all;
  return kept;
}

/** A text that cannot fit need not be counted. */
function shortText(hit: Hit, { maxTokens }: AnswerBudget): Hit {
  const longest = maxTokens * 32;
  return hit.snippet !== undefined || hit.text.length <= longest ? hit : { ...hit, text: hit.text.slice(0, longest) };
}

/** A hit with as much of its text as fits. @throws TOO_LARGE when nothing of it does. */
function cutHit(hit: Hit, rest: SearchAnswer, budget: AnswerBudget): HitAnswer {
  const whole = hitAnswer(hit, budget);
  let free = budget.maxTokens - budget.tokensOf({ ...rest, hits: [{ ...whole, text: '', cut: true }] });
  for (; free > 0; free = Math.floor(free * 0.8)) {
    const length = furthestCut(whole.text, 0, whole.text.length, free, budget.tokensOfText);
    const cut = { ...whole, text: whole.text.slice(0, length), cut: true };
    if (budget.holds({ ...rest, hits: [cut] })) return cut;
  }
  return budget.refuse('A hit');
}
