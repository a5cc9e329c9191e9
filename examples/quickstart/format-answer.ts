import { styleText } from 'node:util';
import type { ChunkMetadata, Hit } from 'semantic-index';

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

/** Hits as lines to print: score, file and line, headings, and the part of the text that answers best. */
export function formatAnswer(
  hits: readonly Hit<ChunkMetadata>[],
  { width = 100, colors = false }: { width?: number; colors?: boolean } = {},
): string {
  const style = (format: 'dim' | 'cyan', text: string) => (colors ? styleText(format, text) : text);
  const blocks = hits.map(({ score, text, snippet, metadata: { source, chunk } }, position) => {
    const place = style('cyan', `${source}:${chunk.startLine}`);
    const headings = chunk.headings?.join(' › ') ?? '';
    const body = (snippet?.text ?? text).replace(/\s+/g, ' ').trim();
    const heading = headings === '' ? place : `${place}  ${headings}`;
    return `${position + 1}. ${score.toFixed(2)}  ${heading}\n${style('dim', wrap(body, width, '         '))}`;
  });
  return blocks.length > 0 ? blocks.join('\n') : '   Nothing found.';
}
