import { createHash } from 'node:crypto';
import { SemanticIndexError } from '../../errors.js';
import { describe } from '../../options.js';
import type { DocumentInput, Metadata } from '../../types.js';
import type { Chunk, Chunker, TextRange } from './chunk.js';
import { chunkMarkdown } from './chunk-markdown.js';
import { chunkRecursively } from './chunk-recursively.js';

/** A text that is cut into chunks: a file, a page, an article. */
export interface SourceDocument<M extends Metadata = Metadata> {
  /** What citations name: a path, an address. */
  readonly id: string;
  readonly text: string;
  /** Goes into the metadata of each chunk. */
  readonly metadata?: M | undefined;
}

/** Where a chunk comes from, in its metadata. */
export interface ChunkPlace extends TextRange {
  readonly startLine: number;
  readonly endLine: number;
  readonly headings: readonly string[];
  /** The larger passage that it belongs to. */
  readonly parent: { readonly start: number; readonly end: number };
  /** Id of the chunk before it in its source. */
  readonly previous?: string;
  /** Id of the chunk behind it. */
  readonly next?: string;
}

/** The metadata of a chunk: that of its source, and these. */
export type ChunkMetadata = Metadata & {
  /** Id of the source. */
  readonly source: string;
  readonly chunk: Metadata & ChunkPlace;
  /** Name of the set of sources, where `sync` was given one. */
  readonly collection?: string;
};

/** The place of a document that is a chunk; undefined of others. */
export function chunkPlace(metadata: Metadata): { readonly source: string; readonly chunk: ChunkPlace } | undefined {
  const { source, chunk } = metadata;
  if (typeof source !== 'string' || typeof chunk !== 'object' || chunk === null || Array.isArray(chunk))
    return undefined;
  const place = chunk as unknown as ChunkPlace;
  return Number.isSafeInteger(place.start) && Number.isSafeInteger(place.end) ? { source, chunk: place } : undefined;
}

const reserved = ['source', 'chunk', 'collection'];

/** Markdown by its headings, everything else by paragraphs. */
export function chunkerFor(id: string): Chunker {
  return /\.(?:md|mdx|markdown)$/i.test(id) ? chunkMarkdown : chunkRecursively;
}

/**
 * The chunks of a source as documents. Their ids are made from the id of the source and what the chunk says, so a chunk that
 * a change of the source leaves alone keeps its id, wherever it has moved to. The text begins with the headings that the
 * chunk stands under and does not hold itself; its last `end - start` characters are those of the source.
 *
 * @throws INVALID_ARGUMENT, INVALID_TEXT, INVALID_METADATA (a name that chunks use for themselves).
 */
export function chunkDocuments<M extends Metadata>(
  source: SourceDocument<M>,
  chunker: Chunker = chunkerFor(source.id),
  collection?: string,
): (DocumentInput<ChunkMetadata> & { readonly id: string })[] {
  checkSource(source);
  const seen = new Map<string, number>();
  const named = chunker(source.text).map((chunk) => {
    const text = textOf(chunk);
    const name = createHash('sha256').update(text).digest('base64url').slice(0, 16);
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { id: `${source.id}#${name}${count === 1 ? '' : `~${count}`}`, text, chunk };
  });
  return named.map(({ id, text, chunk }, position) => {
    const { start, end, startLine, endLine, headings, parent } = chunk;
    const [previous, next] = [named[position - 1]?.id, named[position + 1]?.id];
    const place = {
      start,
      end,
      startLine,
      endLine,
      headings,
      parent: { start: parent.start, end: parent.end },
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
    throw new SemanticIndexError('INVALID_ARGUMENT', `A source is ${describe(source)}`, {
      hint: 'A source is an object with a non-empty id, a text and, if you like, metadata.',
    });
  }
  if (typeof source.text !== 'string') {
    throw new SemanticIndexError(
      'INVALID_TEXT',
      `The text of source ${describe(source.id)} is ${describe(source.text)}`,
    );
  }
  const taken = Object.keys(source.metadata ?? {}).find((name) => reserved.includes(name));
  if (taken === undefined) return;
  throw new SemanticIndexError('INVALID_METADATA', `The metadata of source ${describe(source.id)} has "${taken}"`, {
    hint: `${reserved.join(', ')} are what chunks say about themselves; use another name.`,
  });
}
