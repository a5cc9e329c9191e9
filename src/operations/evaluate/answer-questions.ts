import type { ReadSetting } from '../../backend/read-snapshot.js';
import type { ResolvedSearchOptions } from '../../options.js';
import type { Metadata, QuestionResult } from '../../types.js';
import type { IndexContext } from '../context.js';
import { search } from '../search/search.js';
import { withStoredWeight } from '../search/vector-weight.js';
import type { CheckedQuestion } from './judged-questions.js';
import { measuresOf } from './measures.js';

/** Questions that are searched for at once. */
const questionsPerSearch = 32;

/** The answers of one way of searching to all questions. */
export interface Answers {
  readonly questions: QuestionResult[];
  readonly milliseconds: number;
}

/** Searches for all questions, a batch at a time. */
export async function answerQuestions<M extends Metadata>(
  context: IndexContext,
  questions: readonly CheckedQuestion[],
  options: ResolvedSearchOptions<M>,
  signal: AbortSignal | undefined,
  report: (done: number) => void,
): Promise<Answers> {
  const results: QuestionResult[] = [];
  const setting: ReadSetting = (name) => context.backend.settings.get(name);
  const settled = await context.recall.settle(await withStoredWeight({ ...options, signal }, setting), setting);
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
    for (const [place, { hits }] of found.entries()) {
      const { id, grades } = batch[place] as CheckedQuestion;
      const ids = hits.map((hit) => hit.id);
      results.push({ id, found: ids, measures: measuresOf(ids, grades, options.k) });
    }
    report(results.length);
  }
  return { questions: results, milliseconds: milliseconds / questions.length };
}
