import { writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  adviseMinScore,
  type EvaluateVariant,
  type EvaluationResult,
  type JudgedQuestion,
  type MinScoreAdvice,
  plotEvaluation,
  questionsFrom,
  type RankingMeasure,
  readQuestions,
  type SemanticIndex,
  type VariantResult,
} from '../../index.js';
import { finiteNumber, naturalNumber, positiveInteger } from '../arguments.js';
import { counted } from '../counted.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import { type ModelFlags, withModelFlags } from '../model-choice.js';
import { openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import type { CommonFlags, Terminal } from '../terminal.js';

interface EvaluateFlags extends CommonFlags, ModelFlags {
  readonly qrels?: string;
  readonly propose?: number;
  readonly k: number;
  readonly measure: RankingMeasure;
  readonly compare?: readonly EvaluateVariant[];
  readonly fit?: boolean;
  readonly fitRerank?: boolean;
  readonly adviseMinScore?: boolean;
  readonly keep: number;
  readonly dryRun?: boolean;
  readonly keepUnknown?: boolean;
  readonly min?: readonly Minimum[];
  readonly svg?: string;
  readonly seed: number;
}

/** The least that a measure may be. */
interface Minimum {
  readonly measure: RankingMeasure;
  /** Length of the lists, if it was given. */
  readonly depth: number | undefined;
  readonly least: number;
}

const measures = ['ndcg', 'recall', 'mrr', 'hitRate', 'precision', 'map'] as const;

/** `evaluate`: measures how well searches answer judged questions. */
export function addEvaluate(program: Command): void {
  const command = program
    .command('evaluate')
    .description('measure how well searches answer questions whose right documents are known')
    .argument('<index>', 'directory of the index')
    .argument('[questions]', 'file with one {"query", "relevant"} in JSON per line, or with --qrels the questions')
    .option('--qrels <file>', 'judgments: TREC qrels, or the three columns of BEIR')
    .option(
      '--propose <number>',
      'instead of a file: make questions from the documents (weak evidence)',
      positiveInteger,
    )
    .option('-k, --k <number>', 'length of the result lists', positiveInteger, 10)
    .addOption(
      new Option('--measure <name>', 'the measure that decides comparisons and --fit')
        .choices(measures)
        .default('ndcg'),
    )
    .option(
      '--compare <options>',
      'a way of searching, such as mode=text or vectorWeight=0.5; repeatable',
      (text, before?: EvaluateVariant[]) => [...(before ?? []), variantIn(text)],
    )
    .option('--fit', 'choose the weight of vectors in hybrid searches by cross-validation, and keep it')
    .option('--fit-rerank', 'the same, and with it the share of reranking by tokens')
    .option('--dry-run', 'with --fit or --fit-rerank: change nothing')
    .option('--advise-min-score', 'propose a minimum score for the first way of searching')
    .option('--keep <share>', 'with --advise-min-score: answered questions that keep an answer', finiteNumber, 0.95)
    .option('--keep-unknown', 'count judged documents that the index does not have as not found')
    .option(
      '--min <measure=value>',
      'exit with 3 if the first way of searching is below, such as ndcg@10=0.6; repeatable',
      (text, before?: Minimum[]) => [...(before ?? []), minimumIn(text)],
    )
    .option('--svg <file>', 'also plot the measures into this file')
    .option('--seed <number>', 'seed of intervals and tests', naturalNumber, 0);
  withModelFlags(command);
  withCommonFlags(command, [
    'evaluate my-index questions.jsonl',
    'evaluate my-index topics.tsv --qrels qrels.txt --compare mode=hybrid --compare mode=vector',
    'evaluate my-index questions.jsonl --fit',
    'evaluate my-index questions.jsonl --advise-min-score --compare rerank=tokens',
    'evaluate my-index questions.jsonl --min ndcg@10=0.6 --min recall@10=0.8',
  ]).action((folder: string, file: string | undefined, flags: EvaluateFlags) =>
    perform(flags, async ({ terminal, signal }): Promise<ExitCode | undefined> => {
      if ((file === undefined) === (flags.propose === undefined)) {
        return command.error('error: expected a file with questions, or --propose');
      }
      const { k, measure, compare, min: wanted = [], dryRun = false, keepUnknown = false, seed } = flags;
      const fit = flags.fitRerank === true ? 'rerank' : (flags.fit ?? false);
      const other = wanted.find(({ depth = k }) => depth !== k);
      if (other !== undefined) {
        return command.error(`error: the lists have ${k} hits (-k), but --min names ${other.measure}@${other.depth}`);
      }
      await using opened = await openIndex(folder, flags, terminal, { readonly: fit === false || dryRun });
      const questions = await questionsOf(opened.index, file, flags, terminal, signal);
      const bar = terminal.startProgress();
      const { onProgress } = bar;
      const onUnknownId = keepUnknown ? 'keep' : 'error';
      const result = await opened.index
        .evaluate(questions, { k, measure, compare, fit, dryRun, onUnknownId, seed, signal, onProgress })
        .finally(() => bar.stop());
      if (flags.svg !== undefined) await writeFile(flags.svg, await plotEvaluation(result));
      const advice =
        flags.adviseMinScore === true ? await adviceFor(opened.index, questions, flags, signal) : undefined;
      const [first] = result.variants as [VariantResult];
      const missed = wanted.filter(({ measure, least }) => first.measures[measure].mean < least);
      const variants = result.variants.map(({ questions: _, ...means }) => means);
      const summary = { ...result, variants, ...(advice !== undefined && { minScore: advice }) };
      terminal.result(summary, [
        ...tableOf(result),
        ...comparisonsOf(result),
        ...fittedOf(result),
        ...adviceOf(advice),
        ...missed.map(
          ({ measure, least }) =>
            `Below the minimum: ${measure}@${k} is ${first.measures[measure].mean.toFixed(4)}, wanted ${least}.`,
        ),
      ]);
      return missed.length > 0 ? exitCodes.findings : undefined;
    }),
  );
}

async function questionsOf(
  index: SemanticIndex,
  file: string | undefined,
  { qrels, propose, seed }: EvaluateFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Parameters<SemanticIndex['evaluate']>[0]> {
  if (file === undefined) {
    const { questions, caution } = await questionsFrom(index.documents(), { count: propose, seed, signal });
    terminal.note(caution);
    return questions;
  }
  const { questions, unjudged } = await readQuestions(file, { qrels });
  if (unjudged.length > 0) {
    terminal.note(
      `${counted(unjudged.length, 'question')} without a relevant document left out, such as "${unjudged[0]}".`,
    );
  }
  return questions;
}

/** `mode=text,exact=true` as options of a search. */
function variantIn(text: string): EvaluateVariant {
  const options: Record<string, string | number | boolean> = {};
  for (const part of text.split(',')) {
    const [name = '', value, ...more] = part.split('=').map((word) => word.trim());
    if (name === '' || value === undefined || value === '' || more.length > 0) {
      throw new InvalidArgumentError(`Expected option=value as --compare, got ${part}.`);
    }
    const number = Number(value);
    if (value === 'true' || value === 'false') options[name] = value === 'true';
    else options[name] = name === 'name' || Number.isNaN(number) ? value : number;
  }
  return options as EvaluateVariant;
}

function minimumIn(text: string): Minimum {
  const [, name, depth, value] = /^(\w+)(?:@(\d+))?=(.+)$/.exec(text) ?? [];
  const measure = measures.find((known) => known.toLowerCase() === name?.toLowerCase());
  if (measure === undefined || value === undefined) {
    throw new InvalidArgumentError(
      `Expected a minimum such as ndcg@10=0.6 with one of ${measures.join(', ')}, got ${text}.`,
    );
  }
  return { measure, depth: depth === undefined ? undefined : Number(depth), least: finiteNumber(value) };
}

function tableOf({ variants, k }: EvaluationResult): string[] {
  const width = Math.max(...variants.map(({ name }) => name.length), 4);
  const count = variants[0]?.questions.length ?? 0;
  const header = `${''.padEnd(width)}  ${measures.map((name) => `${name}@${k}`.padEnd(20)).join('')}ms/search`;
  const rows = variants.map(({ name, measures: means, milliseconds }) => {
    const cells = measures.map((measure) => {
      const { mean, low, high } = means[measure];
      return `${mean.toFixed(4)} ${low.toFixed(2)}..${high.toFixed(2)}`.padEnd(20);
    });
    return `${name.padEnd(width)}  ${cells.join('')}${milliseconds.toFixed(2)}`;
  });
  return [`${counted(count, 'question')}, means with 95 % intervals`, header, ...rows];
}

function comparisonsOf({ comparisons, measure, k }: EvaluationResult): string[] {
  return comparisons.map(({ name, baseline, difference, better, worse, p, winner }) => {
    const sign = difference.mean >= 0 ? '+' : '';
    const verdict = winner === undefined ? 'may be chance' : `${winner} is better`;
    return (
      `${name} and ${baseline}: ${measure}@${k} ${sign}${difference.mean.toFixed(4)} ` +
      `(${difference.low.toFixed(4)}..${difference.high.toFixed(4)}), better ${better}, worse ${worse}, p ${p.toFixed(4)}: ${verdict}`
    );
  });
}

function fittedOf({ fitted, measure, k }: EvaluationResult): string[] {
  if (fitted === undefined) return [];
  const { vectorWeight, previous, rerankWeight, previousRerankWeight, heldOut, gain, p, kept } = fitted;
  const [now, before] = [weightsIn(vectorWeight, rerankWeight), weightsIn(previous, previousRerankWeight)];
  const change =
    `${now} instead of ${before}: ${measure}@${k} ${heldOut.mean.toFixed(4)} on questions that did not choose it, ` +
    `gain ${gain.mean.toFixed(4)} (${gain.low.toFixed(4)}..${gain.high.toFixed(4)}), p ${p.toFixed(4)}`;
  if (kept) return [change, 'Kept: searches use it unless they set their own.'];
  if (now === before) return [`${before}, in use now, is the best.`];
  if (gain.mean <= 0) return [change, 'Not kept: it gains nothing on other questions.'];
  return [change, 'Not kept: this was a dry run.'];
}

function weightsIn(vectorWeight: number, rerankWeight: number | undefined): string {
  const rerank = rerankWeight === undefined ? '' : ` and rerankWeight ${rerankWeight.toFixed(2)}`;
  return `vectorWeight ${vectorWeight.toFixed(2)}${rerank}`;
}

/** A minimum score for the first way of searching that is compared, as all searches have it that set the same. */
function adviceFor(
  index: SemanticIndex,
  questions: readonly JudgedQuestion[],
  { compare, keep }: EvaluateFlags,
  signal: AbortSignal,
): Promise<MinScoreAdvice> {
  const { name: _, provider: _provider, ...search } = compare?.[0] ?? {};
  return adviseMinScore(index, questions, { search, keep, signal });
}

function adviceOf(advice: MinScoreAdvice | undefined): string[] {
  if (advice === undefined) return [];
  const { minScore, kept, refused, auc, answered } = advice;
  const share = (value: number): string => `${(100 * value).toFixed(0)} %`;
  return [
    `minScore ${minScore.toFixed(4)}: ${share(kept)} of ${counted(answered, 'answered question')} keep an answer, ${share(refused)} of those ` +
      `whose answers are left out have no hit (AUC ${auc.toFixed(3)}).`,
  ];
}
