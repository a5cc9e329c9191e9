import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { glob } from 'tinyglobby';
import type { SectionCache } from './section-cache.js';
import { type Section, splitMarkdown, splitPlainText } from './split-text.js';

/** What the quickstart stores beside the text of each section. */
export type SectionMetadata = { readonly source: string; readonly heading: string };

export interface SectionDocument {
  readonly id: string;
  readonly text: string;
  readonly metadata: SectionMetadata;
}

/** Lists of names and changes, legal texts and translations, which do not answer questions. */
const besideTheDocumentation =
  /(?:^|\/)(?:(?:licen[cs]e|changelog|changes|history|releases?|upgrading|contributors|authors|code_of_conduct|governance)[^/]*|readme[._-][a-z]{2}(?:-[a-z]{2})?\.(?:md|markdown))$/i;

/** The documentation of every package below a node_modules folder, in a fixed order: packages within packages last. */
export async function findPackageDocumentation(modules: string): Promise<string[]> {
  const files = await glob(['**/*.{md,markdown}'], { cwd: modules, caseSensitiveMatch: false });
  const nesting = (file: string) => file.split('/node_modules/').length;
  return files
    .filter((file) => !besideTheDocumentation.test(file))
    .sort((a, b) => nesting(a) - nesting(b) || (a < b ? -1 : 1));
}

/** The Markdown and text files of a folder, in a fixed order; hidden folders and node_modules are left out. */
export async function findTexts(folder: string): Promise<string[]> {
  const files = await glob(['**/*.{md,markdown,mdx,txt}'], {
    cwd: folder,
    caseSensitiveMatch: false,
    ignore: ['**/node_modules/**'],
  });
  return files.sort();
}

function documentsOf(file: string, sections: readonly Section[]): SectionDocument[] {
  const seen = new Map<string, number>();
  return sections.map(({ headings, body }) => {
    const heading = headings.join(' › ');
    const count = (seen.get(heading) ?? 0) + 1;
    seen.set(heading, count);
    return {
      // The same section keeps its id as long as its heading stays, whatever is written above it.
      id: `${file}#${heading}${count === 1 ? '' : ` (${count})`}`,
      text: heading === '' ? body : `${heading}\n${body}`,
      metadata: { source: file, heading },
    };
  });
}

/**
 * The sections of `files` as documents, one file after the other; a text that an earlier file had too is left out (two
 * versions of a package say the same). `onFile` is called when a file has been read, and no text is split that `cache` knows.
 */
export async function* readDocuments(
  folder: string,
  files: readonly string[],
  cache: SectionCache,
  onFile: () => void = () => {},
): AsyncGenerator<SectionDocument> {
  const seen = new Set<string>();
  for (const file of files) {
    const text = await readFile(join(folder, file), 'utf8');
    const sections = cache.sections(text, extname(file).toLowerCase() === '.txt' ? splitPlainText : splitMarkdown);
    for (const document of documentsOf(file, sections)) {
      if (seen.has(document.text)) continue;
      seen.add(document.text);
      yield document;
    }
    onFile();
  }
}
