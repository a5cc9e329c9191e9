import { checkSearch } from '../../check-arguments.js';
import { SemanticIndexError } from '../../errors.js';
import type { ResolvedEvaluateOptions } from '../../options.js';
import { Random, sampleNumbers } from '../../random.js';
import type { FittedWeight } from '../../types.js';
import type { IndexContext } from '../context.js';
import { storedVectorWeight, storeVectorWeight } from '../search/vector-weight.js';
import { answerQuestions } from './answer-questions.js';
import type { CheckedQuestion } from './judged-questions.js';
import { bootstrap, meanOf } from './resampling.js';

/** Weights that are tried: 0, 0.05, … 1. */
const tried = Array.from({ length: 21 }, (_, step) => step / 20);

/** The measure of each question with one weight. */
interface Trial {
  readonly vectorWeight: number;
  readonly values: readonly number[];
}

/**
 * Chooses the weight of vectors in hybrid searches. Each part of the questions is measured with the weight that is best on the
 * other parts, so that the gain is one that other questions can expect (cross-validation, Stone 1974). The weight is kept if there
 * is a gain.
 *
 * @throws INVALID_ARGUMENT for fewer questions than parts; what searches throw.
 */
export async function fitVectorWeight(
  context: IndexContext,
  questions: readonly CheckedQuestion[],
  options: ResolvedEvaluateOptions,
): Promise<FittedWeight> {
  const { folds, measure, seed, signal, k, dryRun } = options;
  if (questions.length < folds) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `evaluate: fit needs at least as many questions as folds (${folds}), got ${questions.length}`,
      { hint: 'Some hundred questions give a weight that holds for others.' },
    );
  }
  const previous = await storedVectorWeight((name) => context.backend.settings.get(name));
  const trials: Trial[] = [];
  const weights = [...new Set([...tried, previous])].sort((a, b) => a - b);
  for (const vectorWeight of weights) {
    const search = checkSearch({ k, mode: 'hybrid', vectorWeight }, context.options.ann.searchK);
    const done = trials.length * questions.length;
    const answers = await answerQuestions(context, questions, search, signal, (more) =>
      options.onProgress?.({ stage: 'fit', done: done + more, total: weights.length * questions.length }),
    );
    trials.push({ vectorWeight, values: answers.questions.map(({ measures }) => measures[measure]) });
  }
  const usual = trials.find(({ vectorWeight }) => vectorWeight === previous) as Trial;
  const everything = [...questions.keys()];
  const order = sampleNumbers(questions.length, questions.length, new Random(seed));
  const held = new Float64Array(questions.length);
  for (let fold = 0; fold < folds; fold++) {
    const isHeld = new Set(order.filter((_, place) => place % folds === fold));
    const chosen = best(
      trials,
      everything.filter((place) => !isHeld.has(place)),
      previous,
    );
    for (const place of isHeld) held[place] = chosen.values[place] as number;
  }
  const gains = held.map((value, place) => value - (usual.values[place] as number));
  const { vectorWeight } = best(trials, everything, previous);
  const gain = await bootstrap(gains, new Random(seed), options);
  const kept = !dryRun && gain.mean > 0 && vectorWeight !== previous;
  if (kept) await storeVectorWeight(context.backend, vectorWeight);
  return {
    vectorWeight,
    previous,
    heldOut: await bootstrap(held, new Random(seed), options),
    gain,
    kept,
    curve: trials.map(({ vectorWeight, values }) => ({ vectorWeight, mean: meanOf(values) })),
  };
}

/** The trial with the highest mean over some questions; of equal ones that next to the previous weight. */
function best(trials: readonly Trial[], places: readonly number[], previous: number): Trial {
  const scored = trials.map((trial) => ({
    trial,
    mean: meanOf(places.map((place) => trial.values[place] as number)),
    distance: Math.abs(trial.vectorWeight - previous),
  }));
  return scored.reduce((a, b) => (b.mean > a.mean || (b.mean === a.mean && b.distance < a.distance) ? b : a)).trial;
}
