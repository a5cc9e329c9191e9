import type { ReadSetting } from '../../backend/read-snapshot.js';
import type { ResolvedSearchOptions } from '../../options.js';
import type { Hit, Metadata, QuestionResult } from '../../types.js';
import type { IndexContext } from '../context.js';
import { search } from '../search/search.js';
import { withStoredWeights } from '../search/stored-weights.js';
import type { CheckedQuestion } from './judged-questions.js';
import { measuresOf } from './measures.js';

/** Questions that are searched for at once. */
const questionsPerSearch = 32;

/** The answers of one way of searching to all questions. */
export interface Answers {
  readonly questions: QuestionResult[];
  readonly milliseconds: number;
}

/** Measures the answers of one way of searching to all questions. */
export async function answerQuestions<M extends Metadata>(
  context: IndexContext,
  questions: readonly CheckedQuestion[],
  options: ResolvedSearchOptions<M>,
  signal: AbortSignal | undefined,
  report: (done: number) => void,
): Promise<Answers> {
  const results: QuestionResult[] = [];
  const milliseconds = await searchQuestions(context, questions, options, signal, (hits, place) => {
    const { id, grades } = questions[place] as CheckedQuestion;
    const ids = hits.map((hit) => hit.id);
    results.push({ id, found: ids, measures: measuresOf(ids, grades, options.k) });
    if (results.length % questionsPerSearch === 0 || results.length === questions.length) report(results.length);
  });
  return { questions: results, milliseconds: milliseconds / questions.length };
}

/** Searches for all questions, a batch at a time, and calls a function with the hits of each. Returns the milliseconds of the searches. */
export async function searchQuestions<M extends Metadata>(
  context: IndexContext,
  questions: readonly CheckedQuestion[],
  options: ResolvedSearchOptions<M>,
  signal: AbortSignal | undefined,
  onHits: (hits: readonly Hit<M>[], place: number) => void | Promise<void>,
): Promise<number> {
  const setting: ReadSetting = (name) => context.backend.settings.get(name);
  const settled = await context.recall.settle(await withStoredWeights({ ...options, signal }, setting), setting);
  let milliseconds = 0;
  for (let first = 0; first < questions.length; first += questionsPerSearch) {
    const batch = questions.slice(first, first + questionsPerSearch);
    const start = performance.now();
    const found = await search<M>(
      context,
      batch.map(({ query }) => query),
      settled,
    );
    milliseconds += performance.now() - start;
    for (const [place, { hits }] of found.entries()) await onHits(hits, first + place);
  }
  return milliseconds;
}
