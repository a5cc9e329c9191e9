import { styleText } from 'node:util';
import type { Hit } from 'semantic-index';
import type { SectionMetadata } from './collect-documents.js';

const longestSnippet = 220;

/** The beginning of a section without its heading, on one line, cut at a word. */
export function snippet(text: string, heading: string): string {
  const body = (heading !== '' && text.startsWith(`${heading}\n`) ? text.slice(heading.length) : text)
    .replace(/\s+/g, ' ')
    .trim();
  if (body.length <= longestSnippet) return body;
  const cut = body.lastIndexOf(' ', longestSnippet);
  return `${body.slice(0, cut > longestSnippet / 2 ? cut : longestSnippet)} …`;
}

function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line += (line === '' ? '' : ' ') + word;
    }
  }
  return [...lines, line].map((each) => indent + each).join('\n');
}

/** Hits as lines to print: score, source, heading and the beginning of the text of each. */
export function formatAnswer(
  hits: readonly Hit<SectionMetadata>[],
  { width = 100, colors = false }: { width?: number; colors?: boolean } = {},
): string {
  const style = (format: 'dim' | 'cyan', text: string) => (colors ? styleText(format, text) : text);
  const blocks = hits.map(({ score, text, metadata }, position) => {
    const { source, heading } = metadata;
    const place = heading === '' ? style('cyan', source) : `${style('cyan', source)}  ${heading}`;
    return `${position + 1}. ${score.toFixed(2)}  ${place}\n${style('dim', wrap(snippet(text, heading), width, '         '))}`;
  });
  return blocks.length > 0 ? blocks.join('\n') : '   Nothing found.';
}
