import { SemanticIndexError } from '../errors.js';
import type { SemanticIndex } from '../semantic-index.js';
import type { Document, DocumentId, Metadata, Where } from '../types.js';
import { type ChunkPlace, chunkPlace } from './chunking/chunk-documents.js';
import { excerptOf } from './passages.js';

/** A part of the text of a source: a chunk, or a document that is not one. Offsets are those of the source. */
export interface SourcePiece extends Omit<ChunkPlace, 'parent'> {
  readonly id: DocumentId;
  readonly source: string;
  readonly text: string;
  readonly metadata: Metadata;
}

const piecesPerPage = 64;
const lineEnd = /\r\n|\n|\r/g;

/** A document as a piece of its source. */
export function pieceOf(document: Document): SourcePiece {
  const { id, source, place, text, metadata } = excerptOf(document);
  const endLine = 1 + (text.match(lineEnd)?.length ?? 0);
  const whole = { start: 0, end: text.length, startLine: 1, endLine, headings: [] };
  return { ...(place ?? whole), id, source, text, metadata };
}

/** The chunks of a source that match a condition, in the order of their text. Of several collections, those of the first. */
export async function* piecesOf(
  index: SemanticIndex,
  source: string,
  condition: Where,
  signal: AbortSignal | undefined,
): AsyncGenerator<SourcePiece> {
  // No document may have the field to sort by.
  const isChunk: Where = { $and: [{ source }, { 'chunk.start': { $exists: true } }] };
  if ((await index.count({ where: isChunk, signal })) === 0) return;
  let collection: Metadata[string] | null;
  for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const page = await index.listDocuments({
      where: { $and: [{ source }, condition] },
      sort: { field: 'chunk.start' },
      limit: piecesPerPage,
      after,
      signal,
    });
    for (const document of page.documents) {
      if (chunkPlace(document.metadata) === undefined) continue;
      collection ??= document.metadata.collection ?? null;
      if ((document.metadata.collection ?? null) === collection) yield pieceOf(document);
    }
    after = page.next;
  }
}

/** The chunks before a chunk, or behind it: the nearest first. */
export async function* piecesBeside(
  index: SemanticIndex,
  { previous, next }: SourcePiece,
  side: 'previous' | 'next',
  signal: AbortSignal | undefined,
): AsyncGenerator<SourcePiece> {
  for (let id = side === 'previous' ? previous : next; id !== undefined; ) {
    signal?.throwIfAborted();
    const document = await index.getDocument(id);
    if (document === undefined) return;
    const piece = pieceOf(document);
    yield piece;
    id = piece[side];
  }
}

/**
 * The lines of a piece from `first` to `last`; undefined if it has none of them. Text that was extracted from lines which its file has
 * in another form is not cut.
 */
export function linesOf(piece: SourcePiece, first: number, last: number): SourcePiece | undefined {
  if (piece.endLine < first || piece.startLine > last) return undefined;
  const ends = [...piece.text.matchAll(lineEnd)];
  if (ends.length !== piece.endLine - piece.startLine) return piece;
  const skipped = Math.max(0, first - piece.startLine);
  const kept = Math.min(piece.endLine, last) - piece.startLine;
  const { index = 0, 0: separator = '' } = skipped === 0 ? {} : (ends[skipped - 1] as RegExpExecArray);
  const begin = skipped === 0 ? 0 : index + separator.length;
  const end = ends[kept]?.index ?? piece.text.length;
  return cutPiece(piece, begin, end, piece.startLine + skipped, piece.startLine + kept);
}

/** The rest of a piece from an offset of its source; undefined if it ends before. */
export function restOf(piece: SourcePiece, from: number): SourcePiece | undefined {
  if (piece.end <= from) return undefined;
  if (piece.start >= from) return piece;
  const begin = from - piece.start;
  const lines = Math.min(piece.text.slice(0, begin).match(lineEnd)?.length ?? 0, piece.endLine - piece.startLine);
  return cutPiece(piece, begin, piece.text.length, piece.startLine + lines, piece.endLine);
}

/** A piece with a part of its text. */
export function cutPiece(
  piece: SourcePiece,
  begin: number,
  end: number,
  startLine: number,
  endLine: number,
): SourcePiece {
  const { indent, ...others } = piece;
  return {
    ...others,
    ...(begin === 0 && indent !== undefined && { indent }),
    text: piece.text.slice(begin, end),
    start: piece.start + begin,
    end: piece.start + end,
    startLine,
    endLine,
  };
}

/** @throws NOT_FOUND for an id that neither a document nor a source has. */
export async function documentOrSource(
  index: SemanticIndex,
  id: DocumentId,
): Promise<{ readonly piece: SourcePiece | undefined; readonly source: string }> {
  const document = (await index.getDocument(id)) ?? (await sameInteger(index, id));
  if (document !== undefined) {
    const piece = pieceOf(document);
    return { piece, source: piece.source };
  }
  const source = String(id);
  for await (const _ of piecesOf(index, source, {}, undefined)) return { piece: undefined, source };
  throw new SemanticIndexError('NOT_FOUND', `No document and no source has the id ${JSON.stringify(id)}`, {
    hint: 'Pass the id or the source of a hit.',
    details: { id },
  });
}

/** `"12"` may be meant as the number: models and command lines write both alike. */
async function sameInteger(index: SemanticIndex, id: DocumentId): Promise<Document | undefined> {
  if (typeof id !== 'string' || !/^-?\d{1,15}$/.test(id)) return undefined;
  return index.getDocument(Number(id));
}
