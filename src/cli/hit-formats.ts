import { Option } from 'commander';
import { estimateTokens, type Hit } from '../index.js';
import { chunkPlace } from '../rag/chunking/chunk-documents.js';
import { hitLines, snippetShown } from './hit-lines.js';
import type { Terminal } from './terminal.js';

/** How hits are printed. */
export type HitFormat = 'text' | 'json' | 'md' | 'xml' | 'paths';

/** Flags of commands that print hits. */
export interface HitFlags {
  readonly json?: boolean;
  readonly full?: boolean;
  readonly format: HitFormat;
  readonly maxTokens?: number;
}

/** The flag `--format`. */
export const formatOption = new Option(
  '--format <format>',
  'text for people; json, md and xml for programs and models; paths: the files alone',
)
  .choices(['text', 'json', 'md', 'xml', 'paths'])
  .default('text');

/** Tokens of a snippet for models. */
const tokensForModels = 256;

/** The flags of a command, whose result is JSON with `--format json` as well. */
export function withJson<T extends HitFlags>(flags: T): T {
  return flags.format === 'json' ? { ...flags, json: true } : flags;
}

/** The option `snippet` of a search for a format. */
export function snippetFor(flags: HitFlags & { readonly snippet?: boolean }): { readonly maxTokens: number } | false {
  const isForModels = flags.json !== true && (flags.format === 'md' || flags.format === 'xml');
  return isForModels ? flags.full !== true && { maxTokens: tokensForModels } : snippetShown(flags);
}

/** The first hits that fit, as they are printed, into a number of tokens: at least one. */
export function hitsWithin(hits: readonly Hit[], flags: HitFlags): readonly Hit[] {
  const { maxTokens } = flags;
  if (maxTokens === undefined) return hits;
  let tokens = 0;
  const end = hits.findIndex((hit, position) => {
    tokens += estimateTokens(printed(hit, position, flags));
    return tokens > maxTokens;
  });
  return end < 0 ? hits : hits.slice(0, Math.max(1, end));
}

/** What is printed of a hit, except for colors. */
function printed(hit: Hit, position: number, { json, format, full = false }: HitFlags): string {
  if (json === true || format === 'json') return JSON.stringify(hit);
  if (format === 'paths') return `${placeOf(hit).source}\n`;
  return entry(hit, position, format === 'xml' ? 'xml' : 'md', full);
}

/** The lines of hits in a format. */
export function formattedHits(hits: readonly Hit[], terminal: Terminal, { format, full = false }: HitFlags): string[] {
  switch (format) {
    case 'md':
      return hits.map((hit, position) => entry(hit, position, 'md', full));
    case 'xml':
      return ['<documents>', ...hits.map((hit, position) => entry(hit, position, 'xml', full)), '</documents>'];
    case 'paths':
      return [...new Set(hits.map((hit) => placeOf(hit).source))];
    default:
      return hitLines(hits, terminal, full);
  }
}

function entry(hit: Hit, position: number, format: 'md' | 'xml', full: boolean): string {
  const { source, place, headings } = placeOf(hit);
  const text = full ? hit.text : (hit.snippet?.text ?? hit.text);
  if (format === 'md') {
    const name = [place === '' ? source : `${source} (${place})`, ...headings].join(' › ');
    return `## ${position + 1}. ${name}\n\n${text.trim()}\n`;
  }
  const facts = { index: String(position + 1), id: String(hit.id), source, place, score: hit.score.toFixed(4) };
  const attributes = Object.entries(facts).flatMap(([name, value]) =>
    value === '' ? [] : [` ${name}="${escaped(value).replaceAll('"', '&quot;')}"`],
  );
  return `<document${attributes.join('')}>\n${escaped(text.trim())}\n</document>`;
}

/** Where a hit is: its source, and its lines or pages; of a document that is not a chunk, its id. */
function placeOf({ id, metadata }: Hit): { source: string; place: string; headings: readonly string[] } {
  const found = chunkPlace(metadata);
  if (found === undefined) return { source: String(id), place: '', headings: [] };
  const { startLine, endLine, page, endPage = page, pageKind = 'page', headings } = found.chunk;
  const [unit, first, last] = page === undefined ? ['line', startLine, endLine] : [pageKind, page, endPage as number];
  return { source: found.source, place: first === last ? `${unit} ${first}` : `${unit}s ${first}-${last}`, headings };
}

/** Text in XML; control characters that XML does not have are left out. */
function escaped(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant.
  const clean = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '');
  return clean.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
