import { strToU8 } from 'fflate';
import type { ParsedFile } from '../../src/files/parsed-file.js';
import { docx, eml, epub, html, notebook, pdf, pptx, xlsx } from './sample-files.js';

export const words = (n: number): string => Array.from({ length: n }, (_, at) => `word${at}`).join(' ');
export const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

/** A file whose parts contain `Answer 0`, `Answer 1`, …, each under its own heading, and where each must be cited. */
export interface Sample {
  readonly name: string;
  readonly make: (count: number) => Uint8Array;
  /** Page of answer n, where the file has pages. */
  readonly page?: (n: number) => number;
  /** Line of answer n in the file, where it is text. */
  readonly line?: (n: number) => number;
  readonly heading: (n: number) => string;
  readonly properties: Partial<ParsedFile['properties']>;
}

export const samples: readonly Sample[] = [
  {
    name: 'a.md',
    make: (count) => strToU8(`# Top\n${many(count, (n) => `\n## Part ${n}\n\nAnswer ${n}: ${words(9)}.\n`).join('')}`),
    line: (n) => 5 + n * 4,
    heading: (n) => `Part ${n}`,
    properties: { format: 'markdown' },
  },
  {
    name: 'a.txt',
    make: (count) => strToU8(many(count, (n) => `Answer ${n}: ${words(9)}.\n\n`).join('')),
    line: (n) => 1 + n * 2,
    heading: () => '',
    properties: { format: 'text' },
  },
  {
    name: 'a.eml',
    make: (count) => eml('The plan', many(count, (n) => `Answer ${n}: ${words(9)}.`).join('\r\n\r\n')),
    heading: () => 'The plan',
    properties: { format: 'email', title: 'The plan' },
  },
  {
    name: 'a.html',
    make: (count) => html(many(count, (n) => `<h2>Part ${n}</h2>\n<p>Answer ${n}: ${words(9)}.</p>`).join('\n')),
    line: (n) => 8 + n * 2,
    heading: (n) => `Part ${n}`,
    properties: { format: 'html', title: 'Manual', author: 'Ada', language: 'en' },
  },
  {
    // Without <main> Readability finds the content.
    name: 'b.html',
    make: (count) =>
      html(many(count, (n) => `<h2>Part ${n}</h2>\n<p>Answer ${n}: ${words(40)}.</p>`).join('\n'), 'div'),
    line: (n) => 8 + n * 2,
    heading: (n) => `Part ${n}`,
    properties: { format: 'html', title: 'Manual' },
  },
  {
    name: 'a.pdf',
    make: (count) =>
      pdf(many(count, (n) => [`Part ${n}`, `Answer ${n} begins here and is di-`, 'vided at the end of its line.'])),
    page: (n) => n + 1,
    heading: (n) => `Part ${n}`,
    properties: { format: 'pdf', title: 'Annual report', author: 'Ada', created: '2024-01-31T12:00:00.000Z' },
  },
  {
    name: 'a.docx',
    make: (count) => docx(many(count, (n) => [`Part ${n}`, `Answer ${n}: ${words(9)}.`] as const)),
    heading: (n) => `Part ${n}`,
    properties: { format: 'docx', title: 'Handbook', author: 'Ada & Bob', created: '2024-03-01T10:00:00.000Z' },
  },
  {
    name: 'a.pptx',
    make: (count) => pptx(many(count, (n) => [`Part ${n}`, `Answer ${n}: ${words(9)}.`, `Spoken ${n}`] as const)),
    page: (n) => n + 1,
    heading: (n) => `Part ${n}`,
    properties: { format: 'pptx' },
  },
  {
    name: 'a.xlsx',
    make: (count) =>
      xlsx([
        ['Item', 'Price', 'Since'],
        ...many(count, (n) => [`Answer ${n}: ${words(3)}.`, n + 0.5, new Date(Date.UTC(2024, 0, 2))]),
      ]),
    page: () => 1,
    heading: () => 'Prices',
    properties: { format: 'xlsx' },
  },
  {
    name: 'a.epub',
    make: (count) => epub(many(count, (n) => [`Part ${n}`, `Answer ${n}: ${words(9)}.`] as const)),
    page: (n) => n + 1,
    heading: (n) => `Part ${n}`,
    properties: { format: 'epub', title: 'A Book', author: 'Ada', language: 'en' },
  },
  {
    name: 'a.ipynb',
    make: (count) => notebook(many(count, (n) => ['markdown', `# Part ${n}\n\nAnswer ${n}: ${words(9)}.\n`] as const)),
    page: (n) => n + 1,
    heading: (n) => `Part ${n}`,
    properties: { format: 'notebook', language: 'python' },
  },
  {
    name: 'a.csv',
    make: (count) => strToU8(`item,price\n${many(count, (n) => `"Answer ${n}:\nin two lines.",${n}\n`).join('')}`),
    line: (n) => 2 + n * 2,
    heading: () => '',
    properties: { format: 'csv' },
  },
  {
    name: 'a.jsonl',
    make: (count) => strToU8(many(count, (n) => `{"text":"Answer ${n}: yes.","n":${n}}\n`).join('')),
    line: (n) => n + 1,
    heading: () => '',
    properties: { format: 'jsonl' },
  },
  {
    name: 'a.py',
    make: (count) =>
      strToU8(
        many(count, (n) => `class Part${n}:\n    def answer(self):\n        return "Answer ${n}: yes"\n\n`).join(''),
      ),
    line: (n) => n * 4 + 3,
    heading: (n) => `Part${n}`,
    properties: { format: 'code', language: 'python' },
  },
];
