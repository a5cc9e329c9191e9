import { readFileSync } from 'node:fs';
import { readData, readRows } from '../data-files.js';

// The rule of the labels: two texts are duplicates when a reader of one gains nothing by the other. Word order,
// spelling, synonyms, and details that the other text implies do not matter. Another part of a product (development files,
// documentation), another version, number, name, language, relation or direction does. Pairs in doubt were left out.

/** A pair of texts with its label. */
export interface LabelledPair {
  readonly first: string;
  readonly second: string;
  readonly duplicate: boolean;
}

/** Pairs of one source, and further texts of it to look among. */
export interface LabelledSet {
  readonly name: string;
  readonly pairs: readonly LabelledPair[];
  readonly others: readonly string[];
}

function linesOf(path: string | URL): string[] {
  return readFileSync(path, 'utf8').split('\n').filter(Boolean);
}

/** Rows of a table with a header. */
function rowsOf(name: string): string[][] {
  return linesOf(new URL(name, import.meta.url))
    .slice(1)
    .map((line) => line.split('\t'));
}

/** A question and its answer. */
export interface Answered {
  readonly question: string;
  readonly answer: string;
}

/** The questions of a set of DATA/train. */
export function questionsOf(data: string, file: string): Answered[] {
  return readRows<Answered>(data, `train/${file}`);
}

/** A table without header: registry (npm or pypi), name and summary of a package. */
function summariesOf(file: string): Map<string, string> {
  return new Map(
    linesOf(file).map((line) => {
      const [registry = '', name = '', summary = ''] = line.split('\t');
      return [`${registry} ${name}`, summary.trim()];
    }),
  );
}

function packagesOf(file: string): Map<string, string> {
  const summaries = new Map<string, string>();
  let name = '';
  for (const line of linesOf(file)) {
    if (line.startsWith('Package: ')) name = line.slice(9);
    const summary = /^Description(?:-en)?: (.*)$/.exec(line)?.[1];
    if (summary !== undefined && !summaries.has(name)) summaries.set(name, summary);
  }
  return summaries;
}

/** A pair of sentences with the mean score of its judges, from 0 (unrelated) to 5 (equivalent). */
export interface ScoredPair {
  readonly first: string;
  readonly second: string;
  readonly score: number;
}

/** The pairs of STS Benchmark dev: columns between tabs, quotes without a meaning. */
export function scoredSentences(data: string): ScoredPair[] {
  return readData(data, 'eval/stsb/sts-dev.csv')
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [, , , , score, first = '', second = ''] = line.split('\t');
      return { first, second, score: Number(score) };
    });
}

/** Pairs of STS Benchmark dev: nearly equivalent by its judges, or clearly not; those between are left out. */
export function similarSentences(data: string): LabelledPair[] {
  return scoredSentences(data)
    .filter(({ score }) => score >= 4.6 || score <= 3.6)
    .map(({ first, second, score }) => ({ first, second, duplicate: score >= 4.6 }));
}

/**
 * Readers of the sets labelled by reading: titles of products, questions and sentences (written for this), questions of DATA/train and,
 * with files of their summaries, packages of npm and PyPI, and of Debian (`apt-cache dumpavail`).
 */
export function labelledSets(data: string, packages?: string, registries?: string): (() => LabelledSet)[] {
  const withTexts = (name: string) => () => ({ name, pairs: writtenPairs(name), others: [] });
  const withNames = (name: string, read: () => Map<string, string>) => () => {
    const all = read();
    const rows = rowsOf('pairs.tsv').flatMap(([set, ...row]) => (set === name ? [row] : []));
    return { name, pairs: namedPairs(rows, all), others: [...all.values()] };
  };
  return [
    withTexts('titles'),
    withTexts('support'),
    withTexts('questions'),
    withTexts('sentences'),
    ...(registries === undefined ? [] : [() => summaryPairs(summariesOf(registries))]),
    withNames('medical', () => numbered(questionsOf(data, 'medquad.jsonl'))),
    withNames('trivia', () => numbered(questionsOf(data, 'opentriviaqa.jsonl'))),
    ...(packages === undefined ? [] : [withNames('packages', () => packagesOf(packages))]),
  ];
}

/** Pairs that were written for this, with their texts. */
function writtenPairs(name: string): LabelledPair[] {
  return rowsOf(`${name}.tsv`).map(([first = '', second = '', label]) => ({ first, second, duplicate: label === '1' }));
}

/**
 * Pairs that nothing was fitted to, from the summaries and the quiz: 95 near the decision, and others as an index finds them, from a
 * probability of .35 by former trees; and everyday pairs, by whose mistakes three rules were chosen.
 */
export function heldOutPairs(data: string, registries?: string): LabelledSet[] {
  const summaries = registries === undefined ? new Map<string, string>() : summariesOf(registries);
  const rows = rowsOf('held-out.tsv').map(([set = '', one = '', other = '', label = '']) => ({
    set,
    one,
    other,
    label,
  }));
  const ofQuiz = rows.filter(({ set }) => set === 'trivia');
  const ofPackages = rows.filter(({ set }) => set !== 'trivia');
  const quiz = ofQuiz.map(({ one, other, label }) => [one, other, label]);
  const packages = ofPackages.map(({ set, one, other, label }) => [`${set} ${one}`, `${set} ${other}`, label]);
  return [
    { name: 'summaries', pairs: namedPairs(packages, summaries), others: [] },
    { name: 'quiz', pairs: namedPairs(quiz, numbered(questionsOf(data, 'opentriviaqa.jsonl'))), others: [] },
    { name: 'everyday', pairs: writtenPairs('everyday'), others: [] },
  ];
}

/**
 * Similar questions of a quiz by their rows; duplicates are those with the same answer, unless it answers more than ten questions. About
 * one in five of these asks something else; see answered-alike.ts.
 */
export function quizAnswers(data: string): LabelledPair[] {
  return namedPairs(rowsOf('answers.tsv'), numbered(questionsOf(data, 'opentriviaqa.jsonl')));
}

/** Two questions about one disease that stand one after the other, and have other answers. */
export function medicalTopics(data: string): LabelledPair[] {
  const questions = questionsOf(data, 'medquad.jsonl');
  return questions.flatMap(({ question, answer }, at) => {
    const next = questions[at + 1];
    return at % 40 !== 0 || next === undefined || next.question === question || next.answer === answer
      ? []
      : [{ first: question, second: next.question, duplicate: false }];
  });
}

function summaryPairs(summaries: ReadonlyMap<string, string>): LabelledSet {
  const rows = rowsOf('summaries.tsv').map(([registry, one, other, label = '']) => [
    `${registry} ${one}`,
    `${registry} ${other}`,
    label,
  ]);
  return { name: 'summaries', pairs: namedPairs(rows, summaries), others: [] };
}

/** The pairs of rows of two names and a label whose texts are both known. */
function namedPairs(rows: readonly string[][], texts: ReadonlyMap<string, string>): LabelledPair[] {
  return rows.flatMap(([one = '', other = '', label]) => {
    const [first, second] = [texts.get(one), texts.get(other)];
    return first === undefined || second === undefined ? [] : [{ first, second, duplicate: label === '1' }];
  });
}

function numbered(rows: readonly Answered[]): Map<string, string> {
  return new Map(rows.map(({ question }, row) => [String(row), question]));
}
