// How well words find documents in other languages: nDCG@10 of searches by text with the stemmer of the language against that of
// English, and of hybrid searches against vectors and words alone. The sets are made of the translated manual pages of Debian: the
// description of a page in its NAME section is the question, the rest of the page is the document.
// Run: apt-get download manpages-de manpages-fr manpages-es manpages-ru; for f in manpages-*.deb; do dpkg-deb -x $f pages; done
//      npx tsx bench/languages.ts pages [--languages de,fr,es,ru] [--most 1000]
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type JudgedQuestion, SemanticIndex } from 'semantic-index';
import { benchFlags } from './flags.js';

/** A manual page: what it is called, its description in a line, and the rest of its text. */
interface Page {
  readonly id: string;
  readonly description: string;
  readonly text: string;
}

/** The text of a page without the requests of troff (man 7 groff_man). */
function textOf(source: string): string {
  return source
    .split('\n')
    .filter(
      (line) =>
        !/^['.]\\"/.test(line) && !/^\.(?:TH|PP|TP|RS|RE|IX|nf|fi|sp|ad|hy|so|ie|el|if|nr|de|ds|in|br)\b/.test(line),
    )
    .map((line) => line.replace(/^\.[A-Za-z]+\s*/, ''))
    .join('\n')
    .replace(/\\f(?:\[[^\]]*\]|\(..|.)/g, '')
    .replace(/\\[,/&|^:]/g, '')
    .replace(/\\\((?:aq|cq|oq|dq)/g, "'")
    .replace(/\\-/g, '-')
    .replace(/\\\[[^\]]*\]|\\\(..|\\[a-zA-Z%~]/g, ' ')
    .replaceAll('"', ' ');
}

function pageOf(path: string, id: string): Page | undefined {
  const bytes = readFileSync(path);
  const source = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const sections = source.split(/^\.SH\s+/m);
  const name = sections[1]?.split('\n').slice(1).join('\n');
  const description = name === undefined ? undefined : /\s(?:\\?-|\\\(em|–)\s+([\s\S]+)/.exec(name)?.[1];
  if (description === undefined) return undefined;
  const question = textOf(description).replace(/\s+/g, ' ').trim();
  const text = textOf(
    sections
      .slice(2)
      .map((section) => section)
      .join('\n'),
  ).trim();
  return question.split(' ').length < 2 || text.length < 200
    ? undefined
    : { id, description: question, text: text.slice(0, 6000) };
}

/** The pages of a language, in the order of their names; of pages with the same description only the first. */
function pagesOf(folder: string, language: string, most: number): Page[] {
  const pages = new Map<string, Page>();
  const root = join(folder, 'usr/share/man', language);
  for (const section of readdirSync(root).sort()) {
    for (const name of readdirSync(join(root, section)).sort()) {
      const page = pageOf(join(root, section, name), name.replace(/\.gz$/, ''));
      if (page !== undefined && !pages.has(page.description)) pages.set(page.description, page);
    }
  }
  return [...pages.values()].slice(0, most);
}

const flags = benchFlags(
  'Compares stemmers, and words with vectors, on manual pages of Debian. PAGES is a folder with unpacked packages manpages-*.',
  {
    languages: ['de,fr,es,ru', 'languages of the pages'],
    most: [1000, 'most pages of a language'],
  },
  { operands: 'PAGES' },
);
const [folder = ''] = flags.operands;

console.log('| language | pages | stemmer | text | text, typos off | hybrid | vector |\n|---|---|---|---|---|---|---|');
for (const language of flags.languages.split(',')) {
  const pages = pagesOf(folder, language, flags.most);
  const questions: JudgedQuestion[] = pages.map(({ id, description }) => ({ query: description, relevant: [id] }));
  for (const stemmer of ['en', language]) {
    await using index = await SemanticIndex.open(':memory:', { language: stemmer });
    await index.addDocuments(pages.map(({ id, text }) => ({ id, text })));
    const { variants } = await index.evaluate(questions, {
      compare: [
        { name: 'text', mode: 'text' },
        { name: 'text, typos off', mode: 'text', typos: false },
        { name: 'hybrid', mode: 'hybrid' },
        { name: 'vector', mode: 'vector' },
      ],
    });
    const figures = variants.map(({ measures }) => measures.ndcg.mean.toFixed(4));
    console.log(`| ${language} | ${pages.length} | ${stemmer} | ${figures.join(' | ')} |`);
  }
}
