import { checkConfidence, checkOneOf, checkPositive, checkWhole } from '../../check-arguments.js';
import { SemanticIndexError } from '../../errors.js';
import {
  describe,
  type EvaluateOptions,
  evaluateDefaults,
  type ResolvedEvaluateOptions,
  resolveOptions,
} from '../../options.js';
import { Random } from '../../random.js';
import type {
  EvaluationResult,
  JudgedQuestion,
  MeanEstimate,
  Metadata,
  QuestionResult,
  RankingMeasure,
  VariantComparison,
  VariantResult,
} from '../../types.js';
import type { IndexContext } from '../context.js';
import { answerQuestions } from './answer-questions.js';
import { fitWeights } from './fit-weights.js';
import { checkQuestions } from './judged-questions.js';
import { rankingMeasures } from './measures.js';
import { bootstrap, holm, type Resampling, randomizationTest } from './resampling.js';
import { closeTrial, type OpenIndex, openTrial } from './trial-index.js';
import { checkVariants } from './variants.js';

/**
 * Measures how well searches answer judged questions, compares ways of searching, and fits the weight of vectors if asked to.
 *
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION, INVALID_ID, NOT_FOUND for judged ids that the index does not have, and what searches
 *   throw.
 */
export async function evaluate<M extends Metadata>(
  context: IndexContext,
  given: readonly JudgedQuestion[],
  options: EvaluateOptions<M> | undefined,
  open: OpenIndex,
): Promise<EvaluationResult> {
  const checked = checkOptions(options);
  const { k, compare, measure, fit, onUnknownId } = checked;
  const variants = checkVariants(compare ?? [{}], k, context.options.ann.searchK);
  checked.signal?.throwIfAborted();
  const { questions, unknownIds } = await checkQuestions(given, context.backend, onUnknownId === 'keep');
  const results: VariantResult[] = [];
  for (const [place, { name, options, provider }] of variants.entries()) {
    const report = (done: number): void =>
      checked.onProgress?.({
        stage: 'search',
        done: place * questions.length + done,
        total: variants.length * questions.length,
      });
    const trial = provider === undefined ? undefined : await openTrial(context, provider, open, checked);
    try {
      const answers = await answerQuestions(trial ?? context, questions, options, checked.signal, report);
      results.push({ name, ...answers, measures: await meansOf(answers.questions, checked) });
    } finally {
      if (trial !== undefined) await closeTrial(trial);
    }
  }
  const comparisons = await compareAll(results, measure, checked);
  const fitted = fit === false ? undefined : await fitWeights(context, questions, checked);
  return {
    k,
    measure,
    variants: results,
    comparisons,
    ...(fitted !== undefined && { fitted }),
    unknownIds,
  };
}

function checkOptions<M extends Metadata>(given: EvaluateOptions<M> | undefined): ResolvedEvaluateOptions {
  const options = resolveOptions('evaluate', given, evaluateDefaults) as ResolvedEvaluateOptions;
  checkPositive('evaluate', 'k', options.k);
  checkPositive('evaluate', 'resamples', options.resamples);
  checkWhole('evaluate', 'seed', options.seed);
  checkOneOf('evaluate', 'measure', options.measure, rankingMeasures);
  checkOneOf('evaluate', 'onUnknownId', options.onUnknownId, ['error', 'keep']);
  checkConfidence('evaluate', options.confidence, evaluateDefaults.confidence);
  if (!Number.isInteger(options.folds) || options.folds < 2) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `evaluate: expected an integer of at least 2 as folds, got ${describe(options.folds)}`,
      { hint: 'For example 5.' },
    );
  }
  if (typeof options.fit !== 'boolean' && options.fit !== 'rerank') {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `evaluate: expected true, false or 'rerank' as fit, got ${describe(options.fit)}`,
      { hint: "true fits vectorWeight, 'rerank' also the rerankWeight of rerank: 'tokens'." },
    );
  }
  return options;
}

async function meansOf(
  results: readonly QuestionResult[],
  { seed, ...resampling }: Resampling & { readonly seed: number },
): Promise<Record<RankingMeasure, MeanEstimate>> {
  const means: Partial<Record<RankingMeasure, MeanEstimate>> = {};
  for (const measure of rankingMeasures) {
    // The same draws for each measure and variant.
    means[measure] = await bootstrap(valuesOf(results, measure), new Random(seed), resampling);
  }
  return means as Record<RankingMeasure, MeanEstimate>;
}

async function compareAll(
  [baseline, ...others]: readonly VariantResult[],
  measure: RankingMeasure,
  { seed, ...resampling }: Resampling & { readonly seed: number },
): Promise<VariantComparison[]> {
  if (baseline === undefined || others.length === 0) return [];
  const before = valuesOf(baseline.questions, measure);
  const compared: Omit<VariantComparison, 'winner'>[] = [];
  for (const { name, questions } of others) {
    const differences = valuesOf(questions, measure).map((value, place) => value - (before[place] as number));
    compared.push({
      name,
      baseline: baseline.name,
      difference: await bootstrap(differences, new Random(seed), resampling),
      better: differences.filter((difference) => difference > 0).length,
      equal: differences.filter((difference) => difference === 0).length,
      worse: differences.filter((difference) => difference < 0).length,
      p: await randomizationTest(differences, new Random(seed), resampling),
    });
  }
  const corrected = holm(compared.map(({ p }) => p));
  return compared.map((comparison, place) => {
    const p = corrected[place] as number;
    const isCertain = p < 1 - resampling.confidence;
    const better = comparison.difference.mean > 0 ? comparison.name : baseline.name;
    return { ...comparison, p, winner: isCertain ? better : undefined };
  });
}

/** One measure of each question. */
export function valuesOf(results: readonly QuestionResult[], measure: RankingMeasure): number[] {
  return results.map(({ measures }) => measures[measure]);
}
