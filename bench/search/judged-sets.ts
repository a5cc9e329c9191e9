import type { JudgedQuestion } from 'semantic-index';
import { readData, readRows } from '../data-files.js';

/** Documents, and questions with what people judged relevant. */
export interface TestSet {
  readonly name: string;
  readonly documents: readonly { id: string; text: string }[];
  readonly questions: readonly JudgedQuestion[];
}

/** SQuAD 1.1 dev below a folder of data: every so many-th question, and its paragraph. */
export function squad(data: string, every: number, offset = 0): TestSet {
  const documents = readRows<{ id: string; text: string }>(data, 'eval/squad/paragraphs.jsonl');
  const questions = readRows<{ question: string; para: string }>(data, 'eval/squad/questions.jsonl');
  return {
    name: every === 1 ? 'SQuAD 1.1 dev' : `SQuAD 1.1 dev, every ${every}th question`,
    documents: documents.map(({ id, text }) => ({ id, text })),
    questions: questions
      .filter((_, position) => position % every === offset)
      .map(({ question, para }) => ({ query: question, relevant: [para] })),
  };
}

/** CISI below a folder of data: queries and graded abstracts. */
export function cisi(data: string): TestSet {
  const documents = readRows<{ _id: string; title: string; text: string }>(data, 'eval/cisi/corpus.jsonl');
  const judged = new Map<string, Map<string, number>>();
  for (const line of readData(data, 'eval/cisi/qrels.tsv').split('\n').slice(1)) {
    const [query, document, grade] = line.split('\t');
    if (query === undefined || document === undefined) continue;
    if (!judged.has(query)) judged.set(query, new Map());
    judged.get(query)?.set(document, Number(grade));
  }
  return {
    name: 'CISI',
    documents: documents.map(({ _id, title, text }) => ({ id: _id, text: `${title}\n${text}` })),
    questions: readRows<{ _id: string; text: string }>(data, 'eval/cisi/queries.jsonl').flatMap(({ _id, text }) => {
      const relevant = judged.get(_id);
      return relevant === undefined ? [] : [{ query: text, relevant }];
    }),
  };
}
