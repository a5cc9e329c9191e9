import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { TestSet } from './judged-sets.js';

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
  const text = textOf(sections.slice(2).join('\n')).trim();
  return question.split(' ').length < 2 || text.length < 200
    ? undefined
    : { id, description: question, text: text.slice(0, 6000) };
}

/**
 * Translated manual pages below a folder of unpacked packages manpages-*: the description of a page in its NAME section is the question,
 * the rest of the page is the document. The first ones by name; of pages with the same description only the first.
 */
export function manualPages(folder: string, language: string, most: number): TestSet {
  const pages = new Map<string, Page>();
  const root = join(folder, 'usr/share/man', language);
  for (const section of readdirSync(root).sort()) {
    for (const name of readdirSync(join(root, section)).sort()) {
      const page = pageOf(join(root, section, name), name.replace(/\.gz$/, ''));
      if (page !== undefined && !pages.has(page.description)) pages.set(page.description, page);
    }
  }
  const chosen = [...pages.values()].slice(0, most);
  return {
    name: `manual pages, ${language}`,
    documents: chosen.map(({ id, text }) => ({ id, text })),
    questions: chosen.map(({ id, description }) => ({ query: description, relevant: [id] })),
  };
}
