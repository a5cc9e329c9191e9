import { checkIndex, checkPositive, checkWhole } from '../check-arguments.js';
import { estimateTokens } from '../embed/estimate-tokens.js';
import { SemanticIndexError } from '../errors.js';
import {
  describe,
  type ReadPassageOptions,
  type ResolvedReadPassageOptions,
  readPassageDefaults,
  resolveOptions,
} from '../options.js';
import type { SemanticIndex } from '../semantic-index.js';
import type { DocumentId, Metadata, Where } from '../types.js';
import type { ChunkMetadata, ChunkPlace } from './chunking/chunk-documents.js';
import { PassageText } from './passage-text.js';
import { documentOrSource, linesOf, piecesBeside, piecesOf, restOf, type SourcePiece } from './source-pieces.js';

/** A part of a source, read by `readPassage`. */
export interface SourcePassage {
  /** Id of the source; of a document that is not a chunk, its id. */
  readonly source: string;
  /** Headings above its beginning, outermost first. */
  readonly headings: readonly string[];
  /** The lines, or the text of the pages. White space at the ends of lines may be missing. */
  readonly text: string;
  /** First and last line in the source, from 1. */
  readonly startLine: number;
  readonly endLine: number;
  /** First and last page, from 1, of a source with pages. */
  readonly page?: number;
  readonly endPage?: number;
  /** Unit of the pages: `page`, `slide`, `sheet`, `chapter` or `cell`. */
  readonly pageKind?: ChunkPlace['pageKind'];
  /** Ids of its documents, in source order. */
  readonly ids: readonly DocumentId[];
  /** The metadata of the source, without what describes a chunk. */
  readonly metadata: Metadata;
  /** First and last lines within the passage that the index does not have: their chunks were deleted as duplicates. */
  readonly missing?: readonly (readonly [first: number, last: number])[];
  /** Cursor of the rest, if `maxTokens` cut the passage. */
  readonly next?: string;
}

const largestNeighbors = 100;

/**
 * Reads a part of a source from the index: the chunk with an id and its neighbors, lines, or pages; a whole document or source
 * without `lines` and `pages`. Ids are those of documents and of sources, such as `docs/guide.md`. Lines of text files are
 * exact, apart from white space at their ends.
 *
 * @throws NOT_FOUND (no such document or source, no such lines or pages), INVALID_ARGUMENT, UNKNOWN_OPTION.
 * @example
 * ```ts
 * const { text, next } = await readPassage(index, 'docs/guide.md', { lines: [10, 40], maxTokens: 2000 });
 * ```
 */
export async function readPassage(
  index: SemanticIndex<ChunkMetadata> | SemanticIndex,
  id: DocumentId,
  options?: ReadPassageOptions,
): Promise<SourcePassage> {
  const resolved = resolveOptions('readPassage', options, readPassageDefaults);
  checkIndex('readPassage', index);
  const from = checked(id, resolved);
  const { maxTokens = Number.POSITIVE_INFINITY, countTokens = estimateTokens, signal, lines, pages } = resolved;
  const any = index as SemanticIndex;
  const { piece, source } = await documentOrSource(any, id);
  const text = new PassageText(maxTokens, countTokens, signal);
  const pieces =
    piece !== undefined && (piece.metadata.chunk === undefined || (lines === undefined && pages === undefined))
      ? await around(any, piece, resolved, from, text)
      : piecesOf(any, source, conditionOf(resolved, from), signal);
  for await (const one of pieces) {
    const within = lines === undefined ? one : linesOf(one, ...lines);
    const rest = within === undefined ? undefined : restOf(within, from);
    if (rest !== undefined && !(await text.add(rest))) break;
  }
  if (text.pieces.length === 0 && text.next === undefined) throw await nothingThere(any, id, source, piece, resolved);
  return passageOf(source, text);
}

/** @returns the offset at which the passage goes on. */
function checked(id: DocumentId, { lines, pages, neighbors, maxTokens, after }: ResolvedReadPassageOptions): number {
  const refused = (expected: string, got: unknown, hint: string): SemanticIndexError =>
    new SemanticIndexError('INVALID_ARGUMENT', `readPassage: expected ${expected}, got ${describe(got)}`, { hint });
  if (!(typeof id === 'string' && id !== '') && !Number.isSafeInteger(id)) {
    throw refused('the id of a document or a source', id, 'Pass the id or the source of a hit.');
  }
  for (const [name, range] of Object.entries({ lines, pages })) {
    if (range === undefined) continue;
    const [first, last] = range;
    const isRange =
      range.length === 2 && Number.isSafeInteger(first) && Number.isSafeInteger(last) && first >= 1 && last >= first;
    if (!isRange)
      throw refused(`the first and the last of the ${name}`, range, 'Pass two integers from 1 up: [10, 40].');
  }
  if (lines !== undefined && pages !== undefined) {
    throw refused('lines or pages', { lines, pages }, 'Leave out one of them.');
  }
  checkWhole('readPassage', 'neighbors', neighbors);
  if (neighbors > largestNeighbors) throw refused(`at most ${largestNeighbors} neighbors`, neighbors, 'Read lines.');
  if (maxTokens !== undefined) checkPositive('readPassage', 'maxTokens', maxTokens);
  if (after === undefined) return 0;
  const offset = /^[0-9a-z]{1,10}$/.test(after) ? Number.parseInt(after, 36) : Number.NaN;
  if (Number.isSafeInteger(offset)) return offset;
  throw refused('a cursor as after', after, 'Pass `next` of the previous part.');
}

function conditionOf({ lines, pages }: ResolvedReadPassageOptions, from: number): Where {
  const conditions: Where[] = [];
  if (from > 0) conditions.push({ 'chunk.end': { $gt: from } });
  if (lines !== undefined) {
    conditions.push({ 'chunk.endLine': { $gte: lines[0] } }, { 'chunk.startLine': { $lte: lines[1] } });
  }
  if (pages !== undefined) {
    conditions.push({ 'chunk.endPage': { $gte: pages[0] } }, { 'chunk.page': { $lte: pages[1] } });
  }
  return conditions.length === 0 ? {} : { $and: conditions };
}

/** A document, or a chunk with the neighbors that fit. */
async function around(
  index: SemanticIndex,
  piece: SourcePiece,
  { neighbors, signal, maxTokens = Number.POSITIVE_INFINITY, countTokens = estimateTokens }: ResolvedReadPassageOptions,
  from: number,
  text: PassageText,
): Promise<SourcePiece[]> {
  if (neighbors === 0 || !(await text.fits(piece))) return [piece];
  const counted = new PassageText(maxTokens, countTokens, signal);
  await counted.reserve(piece);
  const [before, behind]: [SourcePiece[], SourcePiece[]] = [[], []];
  const sides = [
    { found: piecesBeside(index, piece, 'next', signal), taken: behind, ended: false },
    { found: piecesBeside(index, piece, 'previous', signal), taken: before, ended: false },
  ];
  for (let round = 0; round < neighbors; round++) {
    for (const side of sides) {
      if (side.ended) continue;
      const { value, done } = await side.found.next();
      // What was read already leaves its room to what follows.
      side.ended = done === true || (value.end > from && !(await counted.fits(value)));
      if (side.ended) continue;
      if ((value as SourcePiece).end > from) await counted.reserve(value as SourcePiece);
      side.taken.push(value as SourcePiece);
    }
  }
  return [...before.reverse(), piece, ...behind];
}

async function nothingThere(
  index: SemanticIndex,
  id: DocumentId,
  source: string,
  piece: SourcePiece | undefined,
  { lines, pages, after }: ResolvedReadPassageOptions,
): Promise<SemanticIndexError> {
  const name = JSON.stringify(piece === undefined ? source : id);
  if (lines === undefined && pages === undefined) {
    return new SemanticIndexError('NOT_FOUND', `${name} has nothing after ${describe(after)}`, {
      hint: 'That was all of it.',
    });
  }
  const [unit, range] = lines !== undefined ? ['line', lines] : ['page', pages as readonly [number, number]];
  let last = piece?.metadata.chunk === undefined && lines !== undefined ? piece?.endLine : undefined;
  if (last === undefined) {
    const field = lines !== undefined ? 'chunk.endLine' : 'chunk.endPage';
    const where: Where = { $and: [{ source }, { [field]: { $exists: true } }] };
    const isThere = (await index.count({ where })) > 0;
    const found = isThere ? await index.listDocuments({ where, sort: { field, order: 'desc' }, limit: 1 }) : undefined;
    const chunk = found?.documents[0]?.metadata.chunk as Partial<ChunkPlace> | undefined;
    last = lines !== undefined ? chunk?.endLine : chunk?.endPage;
  }
  const message = `${name} has no text in ${unit}s ${range[0]}-${range[1]}`;
  return new SemanticIndexError('NOT_FOUND', message, {
    hint: last === undefined ? `It has no ${unit}s: leave them out.` : `Its last ${unit} with text is ${last}.`,
    details: { last },
  });
}

function passageOf(source: string, { text, pieces, missing, next }: PassageText): SourcePassage {
  const [first, last] = [pieces[0], pieces.at(-1)];
  const { chunk: _, source: __, collection: ___, ...metadata } = first?.metadata ?? {};
  const isChunk = first?.metadata.chunk !== undefined;
  const { page, pageKind } = first ?? {};
  return {
    source,
    headings: first?.headings ?? [],
    text,
    startLine: first?.startLine ?? 1,
    endLine: last?.endLine ?? 1,
    ...(page !== undefined && { page, endPage: last?.endPage ?? page, ...(pageKind && { pageKind }) }),
    ids: pieces.map(({ id }) => id),
    metadata: isChunk || first === undefined ? metadata : first.metadata,
    ...(missing.length > 0 && { missing }),
    ...(next !== undefined && { next: next.toString(36) }),
  };
}
