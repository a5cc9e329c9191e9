import { fromMarkdown } from 'mdast-util-from-markdown';

/** A piece of a file that is worth finding by itself. */
export interface Section {
  /** The headings above it, outermost first; empty before the first heading. */
  readonly headings: readonly string[];
  /** Plain text: no markup, no badges, no link targets, no blocks of code. */
  readonly body: string;
}

type Root = ReturnType<typeof fromMarkdown>;
type Node = Root | Root['children'][number] | { type: string; value?: string; children?: Node[]; depth?: number };

/** Longest body in characters: what one vector can still stand for. Longer sections become several. */
const longestBody = 1600;
/** A body shorter than this answers nothing ("MIT", a row of badges). */
const shortestBody = 40;

const lineOfLimitedLength = new RegExp(`.{1,${longestBody - 1}}(?:\\s|$)|.{${longestBody - 1}}`, 'gu');

const blocks = new Set(['paragraph', 'heading', 'listItem', 'blockquote']);
/** Link targets, pictures and programs say little in words, and HTML in a README is layout. */
const wordless = new Set(['image', 'imageReference', 'definition', 'html', 'code', 'thematicBreak']);

function plainText(node: Node): string {
  if (wordless.has(node.type)) return '';
  if (node.type === 'break') return '\n';
  if ('value' in node && typeof node.value === 'string') return node.value;
  const children = ('children' in node ? node.children : undefined) ?? [];
  const text = (children as Node[]).map(plainText).join('');
  return blocks.has(node.type) ? `${text.trim()}\n` : text;
}

/** Tables are paragraphs to a plain Markdown parser: drop their rulers and bars. */
function tidy(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s*\|?\s*:?-{2,}[-:|\s]*$/.test(line))
    .map((line) => (/^\s*\|.*\|\s*$/.test(line) ? line.replaceAll('|', ' ') : line).replace(/[ \t]+/g, ' ').trim())
    .join('\n')
    .replace(/\n{2,}/g, '\n')
    .trim();
}

/** Joins lines into bodies of at most `longestBody` characters; a longer line is cut at a space. */
function bodiesOf(text: string): string[] {
  const lines = tidy(text)
    .split('\n')
    .flatMap((line) => line.match(lineOfLimitedLength) ?? [])
    .map((line) => line.trim());
  const bodies: string[] = [];
  let body = '';
  for (const line of lines) {
    if (body !== '' && body.length + line.length >= longestBody) {
      bodies.push(body);
      body = '';
    }
    body += (body === '' ? '' : '\n') + line;
  }
  return [...bodies, body].filter((candidate) => candidate.length >= shortestBody);
}

/** Splits Markdown at its headings. Headings in code and lists do not count. */
export function splitMarkdown(markdown: string): Section[] {
  const sections: Section[] = [];
  const headings: string[] = [];
  let text = '';
  const finish = () => {
    const path = headings.filter((heading) => heading !== undefined && heading !== '');
    for (const body of bodiesOf(text)) sections.push({ headings: path, body });
    text = '';
  };
  for (const block of fromMarkdown(markdown).children) {
    if (block.type !== 'heading') {
      text += `${plainText(block)}\n`;
      continue;
    }
    finish();
    headings.length = block.depth - 1;
    headings[block.depth - 1] = tidy(plainText(block)).replaceAll('\n', ' ');
  }
  finish();
  return sections;
}

/** Splits text without markup at empty lines, and joins short paragraphs. */
export function splitPlainText(text: string): Section[] {
  return bodiesOf(text).map((body) => ({ headings: [], body }));
}
