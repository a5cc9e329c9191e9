import type { Hit } from '../index.js';
import type { Terminal } from './terminal.js';

const linesOfText = 3;

/** Hits for display: a line with rank, score and id, then the beginning of the text. */
export function hitLines(hits: readonly Hit[], terminal: Terminal, full: boolean): string[] {
  if (hits.length === 0) return ['No hits.'];
  return hits.flatMap(({ id, score, text, metadata }, position) => {
    const rank = String(position + 1).padStart(2);
    const place = placeOf(metadata) ?? String(id);
    const head = `${rank}  ${terminal.style('cyan', score.toFixed(3))}  ${terminal.style('bold', place)}`;
    return [head, ...(full ? text.split('\n') : shortened(text, terminal.width - 4)).map((line) => `    ${line}`)];
  });
}

/** Location of a chunk: its source and lines. */
function placeOf(metadata: Hit['metadata']): string | undefined {
  const { source, chunk } = metadata;
  if (typeof source !== 'string' || typeof chunk !== 'object' || chunk === null || Array.isArray(chunk))
    return undefined;
  const { startLine, endLine } = chunk as { startLine?: unknown; endLine?: unknown };
  return typeof startLine === 'number' && typeof endLine === 'number' ? `${source}:${startLine}-${endLine}` : source;
}

function shortened(text: string, width: number): string[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
      if (lines.length === linesOfText) return [...lines.slice(0, -1), `${lines.at(-1)?.slice(0, width - 2)} …`];
    }
    line = line === '' ? word.slice(0, width) : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}
