import type { Hit, Snippet } from '../index.js';
import type { Terminal } from './terminal.js';

const linesOfText = 3;
const linesOfCode = 6;
/** Tokens of a snippet that fills about three lines. */
const tokensOfSnippet = 64;

/** The option `snippet` of a search whose hits `hitLines` shows: none for whole texts, and none that was not asked for in JSON. */
export function snippetShown({ json, full, snippet }: { json?: boolean; full?: boolean; snippet?: boolean }) {
  return snippet === true || (json !== true && full !== true) ? { maxTokens: tokensOfSnippet } : false;
}

/** Hits for display: a line with rank, score, id and line, then the snippet with its words highlighted, or the whole text. */
export function hitLines(hits: readonly Hit[], terminal: Terminal, full: boolean): string[] {
  if (hits.length === 0) return ['No hits.'];
  return hits.flatMap((hit, position) => {
    const { score, text, snippet } = hit;
    const rank = String(position + 1).padStart(2);
    const head = `${rank}  ${terminal.style('cyan', score.toFixed(3))}  ${terminal.style('bold', placeOf(hit))}`;
    const width = terminal.width - 4;
    const indent = codeIndent(hit);
    const shown =
      full || snippet === undefined
        ? text.split('\n')
        : indent === undefined
          ? snippetLines(snippet, text, terminal, width)
          : codeLines(snippet, text, indent, terminal, width);
    return [head, ...shown.map((line) => `    ${line}`)];
  });
}

/** Where a hit is: the source of a chunk or the id, and the line of the first word that was found, if there are several. */
function placeOf({ id, text, metadata, snippet }: Hit): string {
  const { source, chunk } = metadata;
  const found = snippet?.ranges[0]?.start ?? snippet?.start;
  if (typeof source !== 'string' || typeof chunk !== 'object' || chunk === null || Array.isArray(chunk)) {
    const isOneLine = found === undefined || !/[\r\n]/.test(text);
    return isOneLine ? String(id) : `${id} (line ${1 + lineEnds(text.slice(0, found))})`;
  }
  const { startLine, endLine, start, end, page, endPage, pageKind } = chunk as Readonly<Record<string, unknown>>;
  if (typeof page === 'number') {
    const unit = typeof pageKind === 'string' ? pageKind : 'page';
    return `${source} ${page === endPage || typeof endPage !== 'number' ? `${unit} ${page}` : `${unit}s ${page}-${endPage}`}`;
  }
  if (typeof startLine !== 'number' || typeof endLine !== 'number') return source;
  if (found === undefined || typeof start !== 'number' || typeof end !== 'number') {
    return `${source}:${startLine}-${endLine}`;
  }
  // The headings before the text of a chunk are not where it is.
  const begin = Math.max(0, text.length - (end - start));
  // A text that was extracted has other lines than its file.
  return `${source}:${Math.min(endLine, startLine + lineEnds(text.slice(begin, Math.max(begin, found))))}`;
}

function lineEnds(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}

/** What a chunk of code is indented by in its file; undefined for all other hits. */
function codeIndent({ metadata: { file, chunk } }: Hit): string | undefined {
  if ((file as { format?: unknown } | null | undefined)?.format !== 'code') return undefined;
  const indent = (chunk as { indent?: unknown } | null | undefined)?.indent;
  return typeof indent === 'string' ? indent : '';
}

/** The lines of a snippet of code as they are, without the indent of all, the words of the query highlighted. */
function codeLines(snippet: Snippet, text: string, indent: string, terminal: Terminal, width: number): string[] {
  const lines = [...snippet.text.matchAll(/[^\r\n]*\S[^\r\n]*/g)].map(({ 0: line, index }) => {
    const skipped = line.startsWith(indent) ? indent.length : 0;
    const shown = line.slice(skipped, skipped + width).trimEnd();
    const isCut = shown.length < line.trimEnd().length - skipped;
    return styled(isCut ? shown.slice(0, -2) : shown, index + skipped, snippet, terminal) + (isCut ? ' …' : '');
  });
  const goesOn = lines.length > linesOfCode || /\S/.test(text.slice(snippet.end));
  if (lines.length > 0 && /\S/.test(text.slice(0, snippet.start))) lines[0] = `… ${lines[0]}`;
  return [...lines.slice(0, linesOfCode), ...(goesOn ? ['…'] : [])];
}

/** The words of a snippet in lines, those of the query highlighted. */
function snippetLines(snippet: Snippet, text: string, terminal: Terminal, width: number): string[] {
  const words = [...snippet.text.matchAll(/\S+/g)].map(({ 0: word, index }) => ({
    length: word.length,
    shown: styled(word, index, snippet, terminal),
  }));
  if (/\S/.test(text.slice(0, snippet.start))) words.unshift({ length: 1, shown: '…' });
  if (/\S/.test(text.slice(snippet.end))) words.push({ length: 1, shown: '…' });
  const lines: string[] = [];
  let [line, used] = ['', 0];
  for (const { length, shown } of words) {
    if (used > 0 && used + 1 + length > width) {
      lines.push(line);
      if (lines.length > linesOfText) return [...lines.slice(0, -1), `${lines.at(-1)} …`];
      [line, used] = ['', 0];
    }
    line = used === 0 ? shown : `${line} ${shown}`;
    used += length + (used === 0 ? 0 : 1);
  }
  return line === '' ? lines : [...lines, line];
}

function styled(word: string, index: number, { ranges }: Snippet, terminal: Terminal): string {
  let result = '';
  let end = 0;
  for (const { snippetStart, snippetEnd } of ranges) {
    const [from, to] = [Math.max(0, snippetStart - index), Math.min(word.length, snippetEnd - index)];
    if (to <= from) continue;
    result += word.slice(end, from) + terminal.style('yellow', word.slice(from, to));
    end = to;
  }
  return result + word.slice(end);
}
