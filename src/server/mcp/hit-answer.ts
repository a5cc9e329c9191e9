import type { ChunkPlace, DocumentId, Hit, Metadata } from '../../index.js';
import { chunkPlace } from '../../rag/chunking/chunk-documents.js';
import type { AnswerBudget } from './answer-budget.js';

/** A hit as a model reads it. */
export interface HitAnswer {
  readonly id: DocumentId;
  readonly score: number;
  readonly source?: string;
  /** Lines of the source: `12`, `12-30`. */
  readonly lines?: string;
  /** Pages of the source, with their unit: `page 4`, `slides 2-3`. */
  readonly pages?: string;
  readonly headings?: readonly string[];
  readonly text: string;
  readonly cut?: boolean;
  readonly metadata: Metadata;
  readonly omitted?: readonly string[];
}

const tokensOfMetadata = 150;
const longestHeadings = 5;

/** A hit with the best part of its text, and the place that it is from. */
export function hitAnswer({ id, score, text, metadata, snippet }: Hit, budget: AnswerBudget): HitAnswer {
  const found = chunkPlace(metadata);
  const shown = snippet === undefined || snippet.text.trim() === text.trim() ? text : snippet.text;
  const { chunk: _, source, collection: __, ...others } = metadata;
  const facts = budget.metadata(found === undefined ? metadata : others, tokensOfMetadata);
  const rounded = Math.round(score * 10_000) / 10_000;
  if (found === undefined) {
    const lines = shown === text || snippet === undefined ? {} : { lines: span(snippet.startLine, snippet.endLine) };
    return { id, score: rounded, ...lines, text: shown, ...facts };
  }
  const { page, endPage = page, pageKind = 'page', headings } = found.chunk;
  const pages = page === undefined ? {} : { pages: unitSpan(pageKind, page, endPage ?? page) };
  const [first, last] = linesIn(found.chunk, text, snippet);
  return {
    ...{ id, score: rounded, source: source as string },
    ...(page === undefined ? { lines: span(first, last) } : pages),
    ...(headings.length > 0 && { headings: headings.slice(0, longestHeadings).map((one) => one.slice(0, 200)) }),
    ...{ text: shown, ...facts },
  };
}

/** Lines of the source that a snippet is from; those of the chunk where the text has other lines than the file. */
function linesIn(
  { startLine, endLine, start, end }: ChunkPlace,
  text: string,
  snippet: Hit['snippet'],
): [first: number, last: number] {
  const begin = Math.max(0, text.length - (end - start));
  const lines = lineEnds(text.slice(begin));
  if (snippet === undefined || lines !== endLine - startLine) return [startLine, endLine];
  const before = lineEnds(text.slice(0, begin));
  const first = Math.max(startLine, startLine + snippet.startLine - 1 - before);
  return [first, Math.max(first, startLine + snippet.endLine - 1 - before)];
}

function lineEnds(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}

/** `12` or `12-30`. */
export function span(first: number, last: number): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

/** `page 4` or `slides 2-3`. */
export function unitSpan(unit: string, first: number, last: number): string {
  return first === last ? `${unit} ${first}` : `${unit}s ${first}-${last}`;
}
