import { createHash } from 'node:crypto';
import { SemanticIndexError } from '../../errors.js';
import type { FileProperties, PageKind } from '../../files/content/file-content.js';
import type { TextBlock } from '../../files/content/text-block.js';
import { chunkDefaults, describe } from '../../options.js';
import type { DocumentInput, Metadata } from '../../types.js';
import type { Chunk, Chunker, TextRange } from './chunk.js';
import { chunkBlocks } from './chunk-blocks.js';
import { chunkCode } from './chunk-code.js';
import { chunkMarkdown } from './chunk-markdown.js';
import { chunkRecursively } from './chunk-recursively.js';
import { chunkSettings } from './make-chunks.js';

/** A text to split into chunks: a file, a page, an article. */
export interface SourceDocument<M extends Metadata = Metadata> {
  /** Shown in citations: a path, a URL. */
  readonly id: string;
  readonly text: string;
  /** Copied to the metadata of each chunk. */
  readonly metadata?: M | undefined;
  /** The blocks of the text, as `parseFile` returns them: chunks follow them. Default: those that the id implies. */
  readonly blocks?: readonly TextBlock[] | undefined;
  /** Unit of the pages of the blocks. */
  readonly pageKind?: PageKind | undefined;
  /** Its title is the outermost heading of every chunk. */
  readonly properties?: FileProperties | undefined;
}

/** Splits a source into chunks. */
export type SourceChunker<M extends Metadata = Metadata> = (source: SourceDocument<M>) => Chunk[];

/** Position of a chunk in its source; part of its metadata. */
export interface ChunkPlace extends TextRange {
  readonly startLine: number;
  readonly endLine: number;
  /** The white space before it in its line, if it begins an indented line. */
  readonly indent?: string;
  readonly headings: readonly string[];
  /** The enclosing larger passage. */
  readonly parent: { readonly start: number; readonly end: number };
  /** First and last page, from 1, of a file that has pages. */
  readonly page?: number;
  readonly endPage?: number;
  /** Unit of the pages: `page`, `slide`, `sheet`, `chapter` or `cell`. */
  readonly pageKind?: PageKind;
  /** Id of the previous chunk of the source. */
  readonly previous?: string;
  /** Id of the next chunk. */
  readonly next?: string;
}

/** The metadata of a chunk: the metadata of its source, and these members. */
export type ChunkMetadata = Metadata & {
  /** Id of the source. */
  readonly source: string;
  readonly chunk: Metadata & ChunkPlace;
  /** The option `collection` of `sync`, if set. */
  readonly collection?: string;
};

/** The position of a chunk; undefined for other documents. */
export function chunkPlace(metadata: Metadata): { readonly source: string; readonly chunk: ChunkPlace } | undefined {
  const { source, chunk } = metadata;
  if (typeof source !== 'string' || typeof chunk !== 'object' || chunk === null || Array.isArray(chunk))
    return undefined;
  const place = chunk as unknown as ChunkPlace;
  return Number.isSafeInteger(place.start) && Number.isSafeInteger(place.end) ? { source, chunk: place } : undefined;
}

const reserved = ['source', 'chunk', 'collection'];

/** Splits a source along its blocks; without them, Markdown by headings and everything else by paragraphs. */
export function chunkerFor({ id, blocks, properties }: Pick<SourceDocument, 'id' | 'blocks' | 'properties'>): Chunker {
  if (blocks === undefined || properties?.format === 'text') {
    return /\.(?:md|mdx|markdown)$/i.test(id) ? chunkMarkdown : chunkRecursively;
  }
  if (properties?.format === 'markdown') return chunkMarkdown;
  if (properties?.format === 'code') return (text) => chunkCode(text, blocks);
  return (text) =>
    chunkBlocks(text, blocks, chunkSettings('chunkDocuments', text, undefined, chunkDefaults), properties?.title);
}

/**
 * The chunks of a source as documents. An id consists of the id of the source and a hash of the text, so an unchanged
 * chunk keeps its id when it moves. The text begins with the headings above the chunk that it does not contain itself;
 * its last `end - start` characters are those of the source.
 *
 * @param chunker default: that of the format of the source.
 * @throws INVALID_ARGUMENT, INVALID_TEXT, INVALID_METADATA (a reserved name).
 */
export function chunkDocuments<M extends Metadata>(
  source: SourceDocument<M>,
  chunker?: Chunker,
  collection?: string,
): (DocumentInput<ChunkMetadata> & { readonly id: string; readonly text: string })[] {
  checkSource(source);
  const split = chunker ?? chunkerFor(source);
  const seen = new Map<string, number>();
  const named = split(source.text).map((chunk) => {
    const text = textOf(chunk);
    const name = createHash('sha256').update(text).digest('base64url').slice(0, 16);
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { id: `${source.id}#${name}${count === 1 ? '' : `~${count}`}`, text, chunk };
  });
  return named.map(({ id, text, chunk }, position) => {
    const { start, end, startLine, endLine, headings, parent, page, endPage = page, indent } = chunk;
    const { pageKind = 'page' } = source;
    const [previous, next] = [named[position - 1]?.id, named[position + 1]?.id];
    const place = {
      start,
      end,
      startLine,
      endLine,
      ...(indent === undefined ? {} : { indent }),
      headings,
      parent: { start: parent.start, end: parent.end },
      ...(page === undefined || endPage === undefined ? {} : { page, endPage, pageKind }),
      ...(previous === undefined ? {} : { previous }),
      ...(next === undefined ? {} : { next }),
    };
    const ofSet = collection === undefined ? {} : { collection };
    return { id, text, metadata: { ...source.metadata, source: source.id, ...ofSet, chunk: place } };
  });
}

function textOf({ text, context }: Chunk): string {
  return context.length === 0 ? text : `${context.join(' › ')}\n${text}`;
}

function checkSource(source: SourceDocument): void {
  if (typeof source !== 'object' || source === null || typeof source.id !== 'string' || source.id === '') {
    throw new SemanticIndexError('INVALID_ARGUMENT', `Expected a source, got ${describe(source)}`, {
      hint: 'A source is an object with a non-empty id, a text and optional metadata.',
    });
  }
  if (typeof source.text !== 'string') {
    throw new SemanticIndexError(
      'INVALID_TEXT',
      `Expected a string as the text of source ${describe(source.id)}, got ${describe(source.text)}`,
    );
  }
  const taken = Object.keys(source.metadata ?? {}).find((name) => reserved.includes(name));
  if (taken === undefined) return;
  throw new SemanticIndexError(
    'INVALID_METADATA',
    `The metadata of source ${describe(source.id)} has the reserved name "${taken}"`,
    {
      hint: `Use another name: ${reserved.join(', ')} are reserved for the metadata of chunks.`,
    },
  );
}
