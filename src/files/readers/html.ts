import { Parser } from 'htmlparser2';
import { ContentBuilder, isoDate, properties } from '../content/content-builder.js';
import type { FileContent, ReadLimits } from '../content/file-content.js';
import { invalidFile, loadPackage, tooDeep } from '../content/invalid-file.js';
import { LineNumbers } from '../content/line-numbers.js';
import { addHtmlBlocks, type HtmlScope } from './html-blocks.js';
import { SourceLines } from './html-lines.js';
import { textOf } from './text.js';

/**
 * The main content of an HTML page: the element `main`, or the only `article`, otherwise the part that Readability
 * finds, as in the reader view of Firefox. Lines are those of the file.
 */
export async function readHtml(bytes: Uint8Array, limits: ReadLimits): Promise<FileContent> {
  const html = textOf(bytes, { ...limits, encoding: charsetOf(bytes) ?? limits.encoding });
  const page = describePage(html);
  const lines = new LineNumbers(html);
  const lineAt = (position: number): number => lines.at(position);
  const builder = new ContentBuilder(limits.maxCharacters);
  if (page.within !== undefined) addHtmlBlocks(html, builder, { within: page.within, mainContent: true, lineAt });
  else {
    const article = page.depth > maxReadableDepth ? undefined : await readableArticle(html, page.characters);
    const scope: HtmlScope = { mainContent: true };
    if (article === undefined) addHtmlBlocks(html, builder, { ...scope, lineAt });
    else {
      addHtmlBlocks(article, builder, scope);
      builder.placeLines(new SourceLines(html));
    }
  }
  // All of it may be in elements that are left out.
  if (builder.isEmpty) addHtmlBlocks(html, builder, { mainContent: false, lineAt });
  if (builder.isEmpty) {
    throw invalidFile('it has no text', 'Its text may be made by scripts: save the page as a browser shows it.');
  }
  const { title, language, author, created, modified } = page;
  return builder.finish(
    properties({ title, language, author, created: isoDate(created), modified: isoDate(modified) }),
  );
}

interface PageDescription {
  title: string | undefined;
  language: string | undefined;
  author: string | undefined;
  created: string | undefined;
  modified: string | undefined;
  within: 'main' | 'article' | undefined;
  /** Characters of the text, roughly. */
  characters: number;
  /** Deepest element. */
  depth: number;
}

/** Readability takes cubic time in the depth of a page. */
const maxReadableDepth = 300;
/** Deeper pages take the parser quadratic time. */
const maxDepth = 10_000;

function describePage(html: string): PageDescription {
  const page: PageDescription = {
    title: undefined,
    language: undefined,
    author: undefined,
    created: undefined,
    modified: undefined,
    within: undefined,
    characters: 0,
    depth: 0,
  };
  let [mains, articles, inTitle, unseen, depth] = [0, 0, false, 0, 0];
  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        if (++depth > maxDepth) throw tooDeep(maxDepth);
        page.depth = Math.max(page.depth, depth);
        if (name === 'html') page.language = attributes.lang ?? attributes['xml:lang'];
        else if (name === 'title' && page.title === undefined) {
          inTitle = true;
          page.title = '';
        } else if (name === 'main' || attributes.role === 'main') mains++;
        else if (name === 'article') articles++;
        else if (name === 'script' || name === 'style') unseen++;
        else if (name === 'meta') {
          const key = (attributes.name ?? attributes.property ?? '').toLowerCase();
          if (key === 'author') page.author ??= attributes.content;
          if (/^(?:article:published_time|date|dc\.date|dcterms\.created)$/.test(key)) {
            page.created ??= attributes.content;
          }
          if (/^(?:article:modified_time|last-modified|dcterms\.modified)$/.test(key)) {
            page.modified ??= attributes.content;
          }
        }
      },
      ontext: (text) => {
        if (inTitle) page.title += text;
        else if (unseen === 0) page.characters += text.trim().length;
      },
      onclosetag: (name) => {
        depth--;
        if (name === 'title') inTitle = false;
        else if (name === 'script' || name === 'style') unseen = Math.max(0, unseen - 1);
      },
    },
    { decodeEntities: true },
  );
  parser.end(html);
  page.within = mains > 0 ? 'main' : articles === 1 ? 'article' : undefined;
  return page;
}

/** Below this share of the text of a page, Readability has found a part of the content only. */
const minShare = 0.3;

async function readableArticle(html: string, characters: number): Promise<string | undefined> {
  const [{ parseHTML }, { Readability }] = await loadPackage(
    () => Promise.all([import('linkedom'), import('@mozilla/readability')]),
    'HTML without <main> or <article>',
    'linkedom @mozilla/readability',
  );
  try {
    const { document } = parseHTML(html);
    const article = new Readability(document, { charThreshold: 0 }).parse();
    if (article?.content == null || (article.textContent?.trim().length ?? 0) < characters * minShare) return undefined;
    return article.content;
  } catch {
    // Elements nested too deeply for it, or a document without a body: the whole page is the content then.
    return undefined;
  }
}

/** The encoding that a page declares in its first kilobyte. */
function charsetOf(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 2048)).toString('latin1');
  const label = /<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{1,40})/i.exec(head)?.[1];
  try {
    return label === undefined ? undefined : new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}
