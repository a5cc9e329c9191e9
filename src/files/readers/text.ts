import { decodeText } from '../../analysis/decode-text.js';
import type { FileContent, ReadLimits } from '../content/file-content.js';
import { invalidFile, tooLarge } from '../content/invalid-file.js';
import type { TextBlock } from '../content/text-block.js';
import { frontMatter } from '../markdown/front-matter.js';
import { markdownBlocks } from '../markdown/markdown-blocks.js';

/** The characters of a text file. @throws INVALID_FILE when its bytes cannot be decoded, TOO_LARGE. */
export function textOf(bytes: Uint8Array, { encoding, maxCharacters }: ReadLimits): string {
  const decoded = decodeText(bytes, encoding);
  if (decoded.kind !== 'text') {
    const hint =
      decoded.kind === 'binary'
        ? 'Leave it out, or name it after its format.'
        : 'Pass its encoding as `encoding` (in the command line --encoding), such as windows-1252 or shift_jis.';
    throw invalidFile(decoded.reason, hint, undefined, decoded.kind);
  }
  if (decoded.text.length > maxCharacters) {
    throw tooLarge(`it has ${decoded.text.length.toLocaleString('en')} characters`, 'maxCharacters');
  }
  return decoded.text;
}

/** A text without markup: its paragraphs, between blank lines. */
export function readText(bytes: Uint8Array, limits: ReadLimits): FileContent {
  const text = textOf(bytes, limits);
  return { text, blocks: paragraphs(text), properties: {} };
}

/** Markdown as it is written, with its headings, lists, tables and code. */
export function readMarkdown(bytes: Uint8Array, limits: ReadLimits): FileContent {
  const text = textOf(bytes, limits);
  const title = frontMatter(text.split(/\r\n|\n|\r/))?.title;
  return { text, blocks: markdownBlocks(text), properties: title === undefined || title === '' ? {} : { title } };
}

/** The paragraphs of a text as blocks. */
export function paragraphs(text: string): TextBlock[] {
  const blocks: TextBlock[] = [];
  let start = 0;
  const add = (end: number): void => {
    const piece = text.slice(start, end);
    const from = start + piece.length - piece.trimStart().length;
    const to = start + piece.trimEnd().length;
    if (to > from) blocks.push({ kind: 'text', start: from, end: to, depth: 0, heading: '' });
  };
  for (const { index, 0: gap } of text.matchAll(/(?:\r\n|\n|\r)[^\S\n\r]*(?:\r\n|\n|\r)\s*/g)) {
    add(index);
    start = index + gap.length;
  }
  add(text.length);
  return blocks;
}
