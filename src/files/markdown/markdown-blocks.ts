import type { TextBlock, TextRange } from '../content/text-block.js';
import { frontMatter } from './front-matter.js';

/** A block of Markdown between blank lines, a heading, or a code block with its fences. */
export interface MarkdownBlock extends TextBlock {
  readonly kind: Exclude<TextBlock['kind'], 'definition'>;
}

interface Line extends TextRange {
  /** Without the line end. */
  readonly text: string;
}

const fence = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;
const atxHeading = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const setextUnderline = /^ {0,3}(=+|-+)[ \t]*$/;
const listItem = /^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)/;
const tableRuler = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const indentedCode = /^(?: {4}|\t)/;
const thematicBreak = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
/** HTML whose content is not Markdown, up to its end tag (CommonMark, HTML blocks 1 and 2). */
const rawHtml = /^ {0,3}<(?:(script|pre|style|textarea)(?=[\s>]|$)|!--)/i;
/** HTML up to the next blank line: starts with a block element or a single tag (HTML blocks 6 and 7). */
const htmlBlock = new RegExp(
  '^ {0,3}<(?:/?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|' +
    'dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|' +
    'menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|' +
    'tr|track|ul)(?=[\\s/>]|$)|/?[a-z][a-z0-9-]*(?:\\s[^<>]*)?/?>\\s*$)',
  'i',
);

/**
 * The top-level blocks of a Markdown text, in order, separated by white space only. Follows CommonMark for headings and
 * code: a line that looks like a heading inside a code block, a comment or HTML is not a heading.
 */
export function markdownBlocks(text: string): MarkdownBlock[] {
  const lines = linesOf(text);
  const blocks: MarkdownBlock[] = [];
  const add = (kind: MarkdownBlock['kind'], first: number, last: number, depth = 0, heading = ''): void => {
    const [{ start }, { end }] = [lines[first] as Line, lines[last] as Line];
    blocks.push({ kind, start, end, depth, heading });
  };
  const metadata = frontMatter(lines.map(({ text }) => text));
  if (metadata !== undefined) add('metadata', 0, metadata.lines - 1, 0, metadata.title);
  for (let at = metadata?.lines ?? 0; at < lines.length; ) {
    const { text: line } = lines[at] as Line;
    if (line.trim() === '') {
      at++;
      continue;
    }
    const heading = atxHeading.exec(line);
    if (heading !== null) {
      add('heading', at, at, (heading[1] as string).length, plainHeading(heading[2] ?? ''));
      at++;
      continue;
    }
    const kind = kindOf(lines, at);
    const last = lastLine(lines, at, kind);
    const underline = kind === 'text' ? setextUnderline.exec(lines[last]?.text ?? '') : null;
    if (underline !== null && last > at) {
      const words = lines.slice(at, last).map(({ text }) => text.trim());
      add('heading', at, last, underline[1]?.startsWith('=') ? 1 : 2, plainHeading(words.join(' ')));
    } else {
      add(kind, at, last);
    }
    at = last + 1;
  }
  return blocks;
}

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  let start = 0;
  for (const { index, 0: ending } of text.matchAll(/\r\n|\n|\r|$/g)) {
    lines.push({ start, end: index, text: text.slice(start, index) });
    start = index + ending.length;
    if (ending === '') break;
  }
  return lines;
}

function kindOf(lines: readonly Line[], at: number): MarkdownBlock['kind'] {
  const { text } = lines[at] as Line;
  if (fence.test(text) || indentedCode.test(text)) return 'code';
  if (thematicBreak.test(text)) return 'text';
  if (listItem.test(text)) return 'list';
  if (rawHtml.test(text) || htmlBlock.test(text)) return 'html';
  const next = lines[at + 1]?.text ?? '';
  return text.includes('|') && next.includes('|') && tableRuler.test(next) ? 'table' : 'text';
}

function lastLine(lines: readonly Line[], at: number, kind: MarkdownBlock['kind']): number {
  const { text } = lines[at] as Line;
  const opening = fence.exec(text)?.[1];
  if (kind === 'code' && opening !== undefined) return endOfFence(lines, at, opening);
  const raw = rawHtml.exec(text);
  if (kind === 'html' && raw !== null) {
    const end = raw[1] === undefined ? '-->' : new RegExp(`</${raw[1]}>`, 'i');
    for (let line = at; line < lines.length; line++) {
      const content = line === at ? text.slice(raw[0].length) : (lines[line] as Line).text;
      if (typeof end === 'string' ? content.includes(end) : end.test(content)) return line;
    }
    return lastWritten(lines, lines.length - 1);
  }
  if (kind === 'list') return endOfList(lines, at);
  if (kind === 'code') return endOfIndented(lines, at);
  if (kind === 'text' && thematicBreak.test(text)) return at;
  let last = at;
  while (last + 1 < lines.length && continues(kind, (lines[last + 1] as Line).text)) {
    last++;
    if (kind === 'text' && setextUnderline.test((lines[last] as Line).text)) return last;
  }
  return last;
}

/** Whether a line continues the paragraph, table or HTML of the previous lines. */
function continues(kind: MarkdownBlock['kind'], text: string): boolean {
  if (text.trim() === '') return false;
  if (kind === 'html') return true;
  if (kind === 'text' && setextUnderline.test(text)) return true;
  if (fence.test(text) || atxHeading.test(text) || rawHtml.test(text) || thematicBreak.test(text)) return false;
  // An ordered list interrupts a paragraph only if it starts with 1.
  return !/^ {0,3}(?:[-*+]|1[.)])[ \t]+\S/.test(text);
}

function endOfFence(lines: readonly Line[], at: number, opening: string): number {
  const closing = new RegExp(`^ {0,3}${opening[0] === '`' ? '`' : '~'}{${opening.length},}[ \\t]*$`);
  for (let line = at + 1; line < lines.length; line++) if (closing.test((lines[line] as Line).text)) return line;
  return lastWritten(lines, lines.length - 1);
}

/** A list continues after blank lines with indented lines or another item, and with lazy continuation lines. */
function endOfList(lines: readonly Line[], at: number): number {
  let last = at;
  for (let line = at + 1; line < lines.length; line++) {
    const { text } = lines[line] as Line;
    if (text.trim() === '') continue;
    const inside = /^(?: {2,}|\t)/.test(text) && !(line === last + 1 && /^ {0,1}\S/.test(text));
    if (inside) {
      const opening = /^[ \t]*(`{3,}(?=[^`]*$)|~{3,})/.exec(text)?.[1];
      last = opening === undefined ? line : endOfInnerFence(lines, line, opening);
      line = last;
    } else if (listItem.test(text) && !thematicBreak.test(text)) {
      last = line;
    } else if (
      line === last + 1 &&
      !atxHeading.test(text) &&
      !fence.test(text) &&
      !thematicBreak.test(text) &&
      !rawHtml.test(text)
    ) {
      last = line;
    } else {
      break;
    }
  }
  return last;
}

/** Code in a list item ends at its fence, or where the indentation ends. */
function endOfInnerFence(lines: readonly Line[], at: number, opening: string): number {
  const closing = new RegExp(`^[ \\t]*${opening[0] === '`' ? '`' : '~'}{${opening.length},}[ \\t]*$`);
  let last = at;
  for (let line = at + 1; line < lines.length; line++) {
    const { text } = lines[line] as Line;
    if (text.trim() !== '' && !/^[ \t]/.test(text)) return last;
    if (text.trim() !== '') last = line;
    if (closing.test(text)) return line;
  }
  return last;
}

function endOfIndented(lines: readonly Line[], at: number): number {
  let last = at;
  for (let line = at + 1; line < lines.length; line++) {
    const { text } = lines[line] as Line;
    if (text.trim() === '') continue;
    if (!indentedCode.test(text)) break;
    last = line;
  }
  return last;
}

function lastWritten(lines: readonly Line[], at: number): number {
  let last = at;
  while ((lines[last] as Line).text.trim() === '') last--;
  return last;
}

/** The text of a heading without Markdown and HTML markup. */
function plainHeading(markup: string): string {
  // An escaped character is not markup: it is replaced by a placeholder meanwhile.
  const signs: string[] = [];
  return markup
    .replace(/\\([!-/:-@[-`{-~])/g, (_, sign: string) => aside[signs.push(sign) - 1] ?? sign)
    .replace(/!\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, '$1')
    .replace(/<[^>]*>/g, '')
    .replace(/(`+)(.+?)\1/g, '$2')
    .replace(/(\*\*|__)(?=\S)(.+?)(?<=\S)\1/g, '$2')
    .replace(/(?<![\p{L}\p{N}])([*_])(?=\S)(.+?)(?<=\S)\1(?![\p{L}\p{N}])/gu, '$2')
    .replace(/[\uE000-\uE03F]/g, (each) => signs[each.charCodeAt(0) - 0xe000] ?? each)
    .replace(/\s+/g, ' ')
    .trim();
}

const aside = Array.from({ length: 64 }, (_, position) => String.fromCharCode(0xe000 + position));
