import type { JudgedQuestion } from 'semantic-index';
import { Random } from '../../src/random.js';
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

/**
 * A set in an inflected language that no stemmer knows: each word of three letters or more gets one of so many endings, by chance, in
 * documents and questions. What `meaningOf` returns for a text is the text without them: what a model that knows the language would
 * compare.
 */
export function inflected(set: TestSet, endings: number): TestSet & { meaningOf(text: string): string } {
  const random = new Random(endings);
  const plain = new Map<string, string>();
  const inflect = (text: string): string => {
    const made = text.replace(/[a-z]{3,}/gi, (word) => `${word}${String.fromCharCode(97 + random.integer(endings))}q`);
    plain.set(made, text);
    return made;
  };
  return {
    name: `${set.name}, ${endings} endings`,
    documents: set.documents.map(({ id, text }) => ({ id, text: inflect(text) })),
    questions: set.questions.map((question) => ({ ...question, query: inflect(question.query as string) })),
    meaningOf: (text) => plain.get(text) ?? text,
  };
}

const wordsOf = (text: string): number => text.split(/\s+/).length;

/** Joins parts in their order to texts of at most so many words; `isNew` parts begin a text. Yields the places of the parts. */
function joined(parts: readonly { text: string; isNew: boolean }[], words: number): { texts: string[]; of: number[] } {
  const [texts, of]: [string[], number[]] = [[], []];
  let length = 0;
  for (const { text, isNew } of parts) {
    const count = wordsOf(text);
    if (isNew || length + count > words) {
      texts.push(text);
      length = count;
    } else {
      texts[texts.length - 1] += `\n\n${text}`;
      length += count;
    }
    of.push(texts.length - 1);
  }
  return { texts, of };
}

/**
 * Questions of SQuAD 1.1 dev about long texts: paragraphs of an article in a row, joined up to a number of words, among 3,000 texts of
 * which the others are joined from articles of Wikipedia (DATA/train/wikipedia.jsonl).
 */
export function longTexts(data: string, words: number, every: number, offset = 0): TestSet {
  const paragraphs = readRows<{ id: string; title: string; text: string }>(data, 'eval/squad/paragraphs.jsonl');
  const own = joined(
    paragraphs.map(({ title, text }, place) => ({ text, isNew: title !== paragraphs[place - 1]?.title })),
    words,
  );
  const articles = readRows<{ sections: { paragraphs: string[] }[] }>(data, 'train/wikipedia.jsonl');
  const others = joined(
    articles.flatMap(({ sections }) =>
      sections.flatMap((section) => section.paragraphs).map((text, place) => ({ text, isNew: place === 0 })),
    ),
    words,
  );
  const long = others.texts.filter((text) => wordsOf(text) > words / 2).slice(0, 3000 - own.texts.length);
  const placeOf = new Map(paragraphs.map(({ id }, place) => [id, String(own.of[place])]));
  const questions = readRows<{ question: string; para: string }>(data, 'eval/squad/questions.jsonl');
  return {
    name: `texts of ${words} words`,
    documents: [...own.texts, ...long].map((text, place) => ({ id: String(place), text })),
    questions: questions
      .filter((_, position) => position % every === offset)
      .map(({ question, para }) => ({ query: question, relevant: [placeOf.get(para) as string] })),
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

/** MedQuAD: medical questions among the first of their answers. Of equal questions, and of equal answers, the first is taken. */
export function medicalAnswers(data: string, most: number): TestSet {
  const answers = new Map<string, string>();
  const known = new Set<string>();
  for (const { question, answer } of readRows<{ question: string; answer: string }>(data, 'train/medquad.jsonl')) {
    if (answers.size === most) break;
    if (answers.has(question) || known.has(answer) || answer === '') continue;
    known.add(answer);
    answers.set(question, answer);
  }
  const pairs = [...answers].map(([question, answer], place) => ({ question, answer, id: String(place) }));
  return {
    name: 'MedQuAD',
    documents: pairs.map(({ id, answer }) => ({ id, text: answer })),
    questions: pairs.map(({ id, question }) => ({ query: question, relevant: [id] })),
  };
}
