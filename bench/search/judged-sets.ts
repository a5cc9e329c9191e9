import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JudgedQuestion } from 'semantic-index';

/** Documents, and questions with what people judged relevant. */
export interface TestSet {
  readonly name: string;
  readonly documents: readonly { id: string; text: string }[];
  readonly questions: readonly JudgedQuestion[];
}

function rows<T>(path: string): T[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** SQuAD 1.1 dev below a folder of data: every so many-th question, and its paragraph. */
export function squad(data: string, every: number, offset = 0): TestSet {
  const folder = join(data, 'eval/squad');
  const documents = rows<{ id: string; text: string }>(join(folder, 'paragraphs.jsonl'));
  const questions = rows<{ question: string; para: string }>(join(folder, 'questions.jsonl'));
  return {
    name: `SQuAD 1.1 dev, every ${every}th question`,
    documents: documents.map(({ id, text }) => ({ id, text })),
    questions: questions
      .filter((_, position) => position % every === offset)
      .map(({ question, para }) => ({ query: question, relevant: [para] })),
  };
}

/** CISI below a folder of data: queries and graded abstracts. */
export function cisi(data: string): TestSet {
  const folder = join(data, 'eval/cisi');
  const documents = rows<{ _id: string; title: string; text: string }>(join(folder, 'corpus.jsonl'));
  const judged = new Map<string, Map<string, number>>();
  for (const line of readFileSync(join(folder, 'qrels.tsv'), 'utf8').split('\n').slice(1)) {
    const [query, document, grade] = line.split('\t');
    if (query === undefined || document === undefined) continue;
    if (!judged.has(query)) judged.set(query, new Map());
    judged.get(query)?.set(document, Number(grade));
  }
  return {
    name: 'CISI',
    documents: documents.map(({ _id, title, text }) => ({ id: _id, text: `${title}\n${text}` })),
    questions: rows<{ _id: string; text: string }>(join(folder, 'queries.jsonl')).flatMap(({ _id, text }) => {
      const relevant = judged.get(_id);
      return relevant === undefined ? [] : [{ query: text, relevant }];
    }),
  };
}
