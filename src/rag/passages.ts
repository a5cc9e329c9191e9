import type { Hit, Metadata, Snippet } from '../types.js';
import { type ChunkPlace, chunkPlace } from './chunking/chunk-documents.js';

/** A document in a context: a chunk, or another document, which is its own source. */
export interface Excerpt {
  readonly id: Hit['id'];
  readonly source: string;
  /** Position in the source; undefined for documents that are not chunks. */
  readonly place: ChunkPlace | undefined;
  /** The text of the source, without the prepended headings. */
  readonly text: string;
  readonly metadata: Metadata;
}

/** A passage of one source in a context, and its citation. */
export interface Passage {
  /** Number in the context, from 1. */
  readonly number: number;
  /** Id of the source; for a document that is not a chunk, its own id. */
  readonly source: string;
  /** Headings above the best hit, outermost first. */
  readonly headings: readonly string[];
  /** First and last line in the source, from 1; undefined for documents that are not chunks. */
  readonly startLine: number | undefined;
  readonly endLine: number | undefined;
  /** First and last page, from 1, of a source with pages. */
  readonly page?: number;
  readonly endPage?: number;
  /** Unit of the pages: `page`, `slide`, `sheet`, `chapter` or `cell`. */
  readonly pageKind?: ChunkPlace['pageKind'];
  /** Range in the source, as in `text.slice(start, end)`. */
  readonly start: number | undefined;
  readonly end: number | undefined;
  /** The text of the passage; white space between chunks may differ from the source. */
  readonly text: string;
  /** The score of its best hit. */
  readonly score: number;
  /** Ids of its documents, in source order. */
  readonly ids: readonly Hit['id'][];
  /** The snippets of its hits, best first; offsets and lines are those of the documents. Present with the option `snippet`. */
  readonly snippets?: readonly (Snippet & { readonly id: Hit['id'] })[];
}

/** Text and position of a document. */
export function excerptOf({ id, text, metadata }: { id: Hit['id']; text: string; metadata: Metadata }): Excerpt {
  const found = chunkPlace(metadata);
  if (found === undefined) return { id, source: String(id), place: undefined, text, metadata };
  const { source, chunk } = found;
  return { id, source, place: chunk, text: text.slice(Math.max(0, text.length - (chunk.end - chunk.start))), metadata };
}

/** A passage without a number. */
export type Stretch = Omit<Passage, 'number' | 'score' | 'headings' | 'snippets'>;

/**
 * Joins excerpts that are adjacent in their source, or overlap, into passages. Adjacent excerpts are separated by as
 * many line ends as in the source, so that line numbers stay correct.
 */
export function joinExcerpts(excerpts: readonly Excerpt[]): Stretch[] {
  const bySource = new Map<string, Excerpt[]>();
  for (const excerpt of excerpts) {
    const name = excerpt.place === undefined ? `document ${String(excerpt.id)}` : `source ${excerpt.source}`;
    const list = bySource.get(name);
    if (list === undefined) bySource.set(name, [excerpt]);
    else list.push(excerpt);
  }
  return [...bySource.values()].flatMap((list) => {
    const ordered = [...list].sort((a, b) => (a.place?.start ?? 0) - (b.place?.start ?? 0));
    const stretches: Excerpt[][] = [];
    for (const excerpt of ordered) {
      const open = stretches.at(-1);
      if (open !== undefined && follows(open.at(-1) as Excerpt, excerpt)) open.push(excerpt);
      else stretches.push([excerpt]);
    }
    return stretches.map(stretchOf);
  });
}

function follows(before: Excerpt, excerpt: Excerpt): boolean {
  if (before.place === undefined || excerpt.place === undefined) return false;
  return before.place.next === excerpt.id || excerpt.place.start <= before.place.end;
}

/** The white space between two adjacent chunks: as many line ends as in the file, and the indentation of the second. */
export function spaceBetween(
  before: Pick<ChunkPlace, 'end' | 'endLine'>,
  { start, startLine, indent = '' }: Pick<ChunkPlace, 'start' | 'startLine' | 'indent'>,
): string {
  const gap = start - before.end;
  // Lines of the file, which may be more than those of its text.
  const lines = '\n'.repeat(Math.min(startLine - before.endLine, gap));
  return lines === '' ? ' '.repeat(gap) : lines + indent;
}

function stretchOf(excerpts: readonly Excerpt[]): Stretch {
  const [first] = excerpts as readonly [Excerpt];
  let { text } = first;
  let last = first.place;
  for (const { place, text: more } of excerpts.slice(1)) {
    if (place === undefined || last === undefined || place.end <= last.end) continue;
    const gap = place.start - last.end;
    if (gap < 0) text += more.slice(-gap);
    // Lines of the file, which may be more than those of its text.
    else text += spaceBetween(last, place) + more;
    last = place;
  }
  const { page, pageKind } = first.place ?? {};
  const pages = page === undefined ? {} : { page, endPage: last?.endPage ?? page, ...(pageKind && { pageKind }) };
  return {
    source: first.source,
    ...pages,
    startLine: first.place?.startLine,
    endLine: last?.endLine,
    start: first.place?.start,
    end: last?.end,
    text,
    ids: excerpts.map(({ id }) => id),
  };
}
