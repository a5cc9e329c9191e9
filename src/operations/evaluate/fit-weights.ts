import { checkSearch } from '../../check-arguments.js';
import { SemanticIndexError } from '../../errors.js';
import type { ResolvedEvaluateOptions } from '../../options.js';
import { Random, sampleNumbers } from '../../random.js';
import type { FittedWeights } from '../../types.js';
import type { IndexContext } from '../context.js';
import { storedRerankWeight, storedVectorWeight, storeWeights } from '../search/stored-weights.js';
import { answerQuestions } from './answer-questions.js';
import type { CheckedQuestion } from './judged-questions.js';
import { rerankTrials } from './rerank-trials.js';
import { bootstrap, meanOf, randomizationTest } from './resampling.js';
import type { Trial, Weights } from './trial.js';

/** Weights that are tried: 0, 0.05, … 1. */
const tried = Array.from({ length: 21 }, (_, step) => step / 20);
/** The most that a reranking by tokens is tried with: beyond, the search hardly counts. */
const maxRerankWeight = 0.7;
/** A gain that chance explains more often than this is not kept: on other questions it is a loss as often. */
const maxChance = 0.1;

/**
 * Chooses the weight of vectors in hybrid searches, and with it that of a reranking by tokens, if it is asked for. Each part of the
 * questions is measured with the weights that are best on the other parts, so that the gain is one that other questions can expect
 * (cross-validation, Stone 1974). The weights are kept if there is a gain that is hardly chance.
 *
 * @throws INVALID_ARGUMENT for fewer questions than parts; what searches throw.
 */
export async function fitWeights(
  context: IndexContext,
  questions: readonly CheckedQuestion[],
  options: ResolvedEvaluateOptions,
): Promise<FittedWeights> {
  const { fit, folds, seed, dryRun } = options;
  if (questions.length < folds) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `evaluate: fit needs at least as many questions as folds (${folds}), got ${questions.length}`,
      { hint: 'Some hundred questions give a weight that holds for others.' },
    );
  }
  const setting = (name: string) => context.backend.settings.get(name);
  const previous: Weights = {
    vectorWeight: await storedVectorWeight(setting),
    rerankWeight: fit === 'rerank' ? await storedRerankWeight(setting) : undefined,
  };
  const trials = await measureTrials(context, questions, previous, options);
  const usual = trials.find((trial) => distance(trial, previous) === 0) as Trial;
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
  const chosen = best(trials, everything, previous);
  const gain = await bootstrap(gains, new Random(seed), options);
  const p = await randomizationTest([...gains], new Random(seed), options);
  const kept = !dryRun && gain.mean > 0 && p <= maxChance && distance(chosen, previous) > 0;
  if (kept) await storeWeights(context.backend, chosen);
  const { rerankWeight } = chosen;
  return {
    vectorWeight: chosen.vectorWeight,
    previous: previous.vectorWeight,
    ...(rerankWeight !== undefined && { rerankWeight, previousRerankWeight: previous.rerankWeight as number }),
    heldOut: await bootstrap(held, new Random(seed), options),
    gain,
    p,
    kept,
    curve: curveOf(trials),
  };
}

async function measureTrials(
  context: IndexContext,
  questions: readonly CheckedQuestion[],
  previous: Weights,
  { measure, k, signal, onProgress }: ResolvedEvaluateOptions,
): Promise<Trial[]> {
  const vectorWeights = withPrevious(tried, previous.vectorWeight);
  const rerankWeights =
    previous.rerankWeight === undefined
      ? undefined
      : withPrevious(
          tried.filter((weight) => weight <= maxRerankWeight),
          previous.rerankWeight,
        );
  const rerank = rerankWeights && (await rerankTrials(context, questions, rerankWeights, { measure, k, signal }));
  const trials: Trial[] = [];
  for (const [place, vectorWeight] of vectorWeights.entries()) {
    const report = (more: number): void =>
      onProgress?.({
        stage: 'fit',
        done: place * questions.length + more,
        total: vectorWeights.length * questions.length,
      });
    if (rerank !== undefined) {
      trials.push(...(await rerank(vectorWeight, report)));
      continue;
    }
    const search = checkSearch({ k, mode: 'hybrid', vectorWeight }, context.options.ann.searchK);
    const answers = await answerQuestions(context, questions, search, signal, report);
    const values = answers.questions.map(({ measures }) => measures[measure]);
    trials.push({ vectorWeight, rerankWeight: undefined, values });
  }
  return trials;
}

function withPrevious(weights: readonly number[], previous: number): number[] {
  return [...new Set([...weights, previous])].sort((a, b) => a - b);
}

/** The trial with the highest mean over some questions; of equal ones that next to the previous weights. */
function best(trials: readonly Trial[], places: readonly number[], previous: Weights): Trial {
  const scored = trials.map((trial) => ({
    trial,
    mean: meanOf(places.map((place) => trial.values[place] as number)),
    distance: distance(trial, previous),
  }));
  return scored.reduce((a, b) => (b.mean > a.mean || (b.mean === a.mean && b.distance < a.distance) ? b : a)).trial;
}

function distance(a: Weights, b: Weights): number {
  return Math.abs(a.vectorWeight - b.vectorWeight) + Math.abs((a.rerankWeight ?? 0) - (b.rerankWeight ?? 0));
}

/** The best mean with each weight of vectors. */
function curveOf(trials: readonly Trial[]): FittedWeights['curve'] {
  const curve = new Map<number, number>();
  for (const { vectorWeight, values } of trials) {
    curve.set(vectorWeight, Math.max(curve.get(vectorWeight) ?? 0, meanOf(values)));
  }
  return Array.from(curve, ([vectorWeight, mean]) => ({ vectorWeight, mean }));
}
