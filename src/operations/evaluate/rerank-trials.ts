import { checkSearch } from '../../check-arguments.js';
import { searchDefaults } from '../../options.js';
import type { DocumentId, Hit, RankingMeasure } from '../../types.js';
import type { IndexContext } from '../context.js';
import { fuseTokenScores, tokenScores, type WeightedWord, weightedWords } from '../search/rerank-tokens.js';
import { searchQuestions } from './answer-questions.js';
import type { CheckedQuestion } from './judged-questions.js';
import { measuresOf } from './measures.js';
import type { Trial } from './trial.js';

/** A question while weights of a reranking are tried: what tokens say does not depend on them. */
interface TriedQuestion {
  readonly words: readonly WeightedWord[];
  /** Scores by tokens of the documents that were hits so far. */
  readonly known: Map<DocumentId, number>;
}

/**
 * Measures questions with `rerank: 'tokens'`: the function that is returned searches with a weight of vectors once, and tries all shares of
 * the new score on the hits.
 */
export async function rerankTrials(
  context: IndexContext,
  questions: readonly CheckedQuestion[],
  rerankWeights: readonly number[],
  {
    measure,
    k,
    signal,
  }: { readonly measure: RankingMeasure; readonly k: number; readonly signal: AbortSignal | undefined },
): Promise<(vectorWeight: number, report: (done: number) => void) => Promise<Trial[]>> {
  const tried: TriedQuestion[] = [];
  const snapshot = await context.backend.snapshot({ signal });
  try {
    for (const { query } of questions) {
      const isText = typeof query === 'string' && snapshot !== undefined;
      tried.push({ words: isText ? await weightedWords(query, snapshot, signal) : [], known: new Map() });
    }
  } finally {
    snapshot?.close();
  }
  return async (vectorWeight, report) => {
    const depth = Math.max(k, searchDefaults.rerankDepth);
    const search = checkSearch({ k: depth, mode: 'hybrid', vectorWeight }, context.options.ann.searchK);
    const values = rerankWeights.map(() => new Array<number>(questions.length).fill(0));
    await searchQuestions(context, questions, search, signal, async (hits, place) => {
      const { words } = tried[place] as TriedQuestion;
      const { grades } = questions[place] as CheckedQuestion;
      const own = await ownScores(tried[place] as TriedQuestion, hits, signal);
      const ranked = hits.map(({ score }, key) => ({ key, score }));
      for (const [trial, share] of rerankWeights.entries()) {
        const order = fuseTokenScores({ words, share }, ranked, own);
        const ids = order.map(({ key }) => (hits[key] as Hit).id);
        (values[trial] as number[])[place] = measuresOf(ids, grades, k)[measure];
      }
      report(place + 1);
    });
    return rerankWeights.map((rerankWeight, trial) => ({
      vectorWeight,
      rerankWeight,
      values: values[trial] as number[],
    }));
  };
}

/** The scores of hits by tokens; undefined where no word of the query is known. */
async function ownScores(
  { words, known }: TriedQuestion,
  hits: readonly Hit[],
  signal: AbortSignal | undefined,
): Promise<number[] | undefined> {
  const unknown = hits.filter(({ id }) => !known.has(id));
  const scores = unknown.length === 0 ? [] : await tokenScores(words, unknown, signal);
  if (scores === undefined) return undefined;
  for (const [place, { id }] of unknown.entries()) known.set(id, scores[place] as number);
  return hits.map(({ id }) => known.get(id) as number);
}
