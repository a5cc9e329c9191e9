import { readFile } from 'node:fs/promises';
import { decodeText } from '../analysis/decode-text.js';
import { SemanticIndexError } from '../errors.js';
import { type Listed, type Resolved, resolveOptions } from '../options.js';
import type { JudgedQuestion } from '../types.js';

/** Options of `readQuestions(path, options)`. */
export interface ReadQuestionsOptions {
  /** Path of a file with judgments: TREC qrels (`topic iteration document grade`) or the three columns of BEIR. */
  qrels?: string | undefined;
}

const defaults = { qrels: undefined } satisfies Listed<ReadQuestionsOptions>;

/** Questions that were read. */
export interface ReadQuestions {
  readonly questions: JudgedQuestion[];
  /** Ids of questions without a relevant document, which are left out: any ranking answers them equally well. */
  readonly unjudged: readonly string[];
}

/** A line that has content, and its number. */
interface Line {
  readonly text: string;
  readonly number: number;
}

/**
 * Reads judged questions for `evaluate`. Without `qrels` each line of the file is a JSON object `{ "query", "relevant" }`, where
 * `relevant` is an array of ids or an object from ids to grades. With `qrels` each line is a question with its id: `id`, a tab,
 * and the text; or JSON with `_id` or `id`, and `text` or `query`, as in BEIR. The judgments are in the other file.
 *
 * @throws IO, INVALID_FILE with the line, INVALID_ARGUMENT, UNKNOWN_OPTION.
 * @example
 * const { questions } = await readQuestions('questions.jsonl');
 * const judged = await readQuestions('topics.tsv', { qrels: 'qrels.txt' });
 */
export async function readQuestions(path: string, options?: ReadQuestionsOptions): Promise<ReadQuestions> {
  const { qrels }: Resolved<ReadQuestionsOptions, typeof defaults> = resolveOptions('readQuestions', options, defaults);
  const lines = await readLines(path);
  return qrels === undefined
    ? judgedIn(path, lines)
    : joined(topicsIn(path, lines), judgmentsIn(qrels, await readLines(qrels)), qrels);
}

async function readLines(path: string): Promise<Line[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new SemanticIndexError('IO', `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  const decoded = decodeText(bytes);
  if (decoded.kind !== 'text') throw new SemanticIndexError('INVALID_FILE', `${path} is not text: ${decoded.reason}`);
  const lines = decoded.text
    .split(/\r\n|\n|\r/)
    .map((text, place): Line => ({ text, number: place + 1 }))
    .filter(({ text }) => text.trim() !== '');
  if (lines.length === 0) throw new SemanticIndexError('INVALID_FILE', `${path} is empty`);
  return lines;
}

function judgedIn(path: string, lines: readonly Line[]): ReadQuestions {
  const questions: JudgedQuestion[] = [];
  const unjudged: string[] = [];
  for (const line of lines) {
    const { id, query, relevant } = objectIn(path, line);
    if (typeof query !== 'string' || typeof relevant !== 'object' || relevant === null) {
      throw invalid(
        path,
        line,
        'expected { "query": text, "relevant": ids or grades }',
        'Judgments in a file of their own need the option qrels.',
      );
    }
    const name = id === undefined ? String(line.number) : String(id);
    const grades = Array.isArray(relevant) ? relevant.map(() => 1) : Object.values(relevant);
    if (!grades.some((grade) => typeof grade !== 'number' || grade > 0)) unjudged.push(name);
    else questions.push({ id: name, query, relevant: relevant as JudgedQuestion['relevant'] });
  }
  return { questions, unjudged };
}

function topicsIn(path: string, lines: readonly Line[]): Map<string, string> {
  const topics = new Map<string, string>();
  for (const line of lines) {
    const [id, text] = line.text.trimStart().startsWith('{') ? jsonTopic(path, line) : tabbedTopic(path, line);
    if (topics.has(id)) throw invalid(path, line, `the question "${id}" occurs twice`);
    topics.set(id, text);
  }
  return topics;
}

function jsonTopic(path: string, line: Line): [string, string] {
  const { _id, id = _id, text, query = text } = objectIn(path, line);
  if ((typeof id === 'string' || typeof id === 'number') && typeof query === 'string') return [String(id), query];
  throw invalid(path, line, 'expected an id and a text', 'For example {"_id": "1", "text": "Where do ships rest?"}');
}

function tabbedTopic(path: string, line: Line): [string, string] {
  const tab = line.text.indexOf('\t');
  if (tab > 0 && line.text.slice(tab).trim() !== '')
    return [line.text.slice(0, tab).trim(), line.text.slice(tab).trim()];
  throw invalid(path, line, 'expected an id, a tab and the text of a question');
}

function judgmentsIn(path: string, lines: readonly Line[]): Map<string, Map<string, number>> {
  const judgments = new Map<string, Map<string, number>>();
  for (const line of lines) {
    const columns = line.text.trim().split(/\s+/);
    const [topic, document, grade] = columns.length === 4 ? [columns[0], columns[2], columns[3]] : columns;
    const number = Number(grade);
    // BEIR's first line names the columns.
    if (line === lines[0] && columns.length === 3 && Number.isNaN(number)) continue;
    if (columns.length < 3 || columns.length > 4 || !Number.isFinite(number)) {
      throw invalid(
        path,
        line,
        `expected a question, an iteration, a document and a grade, got ${columns.length} columns`,
      );
    }
    const grades = judgments.get(topic as string) ?? new Map<string, number>();
    judgments.set(topic as string, grades.set(document as string, number));
  }
  return judgments;
}

function joined(
  topics: ReadonlyMap<string, string>,
  judgments: ReadonlyMap<string, ReadonlyMap<string, number>>,
  qrels: string,
): ReadQuestions {
  const missing = [...judgments.keys()].find((topic) => !topics.has(topic));
  if (missing !== undefined) {
    throw new SemanticIndexError(
      'INVALID_FILE',
      `${qrels} judges the question "${missing}", which the questions do not have`,
      {
        hint: 'Pass the questions and judgments of one test set.',
      },
    );
  }
  const questions: JudgedQuestion[] = [];
  const unjudged: string[] = [];
  for (const [id, query] of topics) {
    const grades = judgments.get(id) ?? new Map<string, number>();
    // Ids of files are strings, whatever they are in the index: an object says that.
    if ([...grades.values()].some((grade) => grade > 0))
      questions.push({ id, query, relevant: Object.fromEntries(grades) });
    else unjudged.push(id);
  }
  return { questions, unjudged };
}

function objectIn(path: string, line: Line): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch (cause) {
    throw invalid(path, line, `expected JSON (${(cause as Error).message})`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(path, line, 'expected a JSON object');
}

function invalid(path: string, { number }: Line, message: string, hint?: string): SemanticIndexError {
  return new SemanticIndexError(
    'INVALID_FILE',
    `${path}, line ${number}: ${message}`,
    hint === undefined ? {} : { hint },
  );
}
