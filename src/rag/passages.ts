import type { Hit, Metadata } from '../types.js';
import { type ChunkPlace, chunkPlace } from './chunking/chunk-documents.js';

/** A document on its way into a context: a chunk, or any other document, which is a source of its own. */
export interface Excerpt {
  readonly id: Hit['id'];
  readonly source: string;
  /** Where it stands; undefined of documents that are no chunks. */
  readonly place: ChunkPlace | undefined;
  /** The characters of the source, without the headings put before them. */
  readonly text: string;
  readonly metadata: Metadata;
}

/** A stretch of one source in a context, and what to cite. */
export interface Passage {
  /** Its number in the context, from 1. */
  readonly number: number;
  /** Id of the source; of a document that is no chunk its own id. */
  readonly source: string;
  /** Headings that the best hit in it stands under, outermost first. */
  readonly headings: readonly string[];
  /** First and last line in the source, from 1; undefined of documents that are no chunks. */
  readonly startLine: number | undefined;
  readonly endLine: number | undefined;
  /** Characters of the source, as in `text.slice(start, end)`. */
  readonly start: number | undefined;
  readonly end: number | undefined;
  /** What stands there; white space between chunks may differ. */
  readonly text: string;
  /** The score of the best hit in it. */
  readonly score: number;
  /** Ids of its documents, in the order of the source. */
  readonly ids: readonly Hit['id'][];
}

/** What a document says, and where. */
export function excerptOf({ id, text, metadata }: { id: Hit['id']; text: string; metadata: Metadata }): Excerpt {
  const found = chunkPlace(metadata);
  if (found === undefined) return { id, source: String(id), place: undefined, text, metadata };
  const { source, chunk } = found;
  return { id, source, place: chunk, text: text.slice(Math.max(0, text.length - (chunk.end - chunk.start))), metadata };
}

/** A passage before it has a number. */
export type Stretch = Omit<Passage, 'number' | 'score' | 'headings'>;

/**
 * Joins excerpts that follow each other in their source, or overlap, to stretches. Between two that follow each other as many
 * line ends are put as there are in the source, so that lines stay what they are.
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

function stretchOf(excerpts: readonly Excerpt[]): Stretch {
  const [first] = excerpts as readonly [Excerpt];
  let { text } = first;
  let last = first.place;
  for (const { place, text: more } of excerpts.slice(1)) {
    if (place === undefined || last === undefined || place.end <= last.end) continue;
    const gap = place.start - last.end;
    if (gap < 0) text += more.slice(-gap);
    else text += ('\n'.repeat(place.startLine - last.endLine) || ' '.repeat(gap)) + more;
    last = place;
  }
  return {
    source: first.source,
    startLine: first.place?.startLine,
    endLine: last?.endLine,
    start: first.place?.start,
    end: last?.end,
    text,
    ids: excerpts.map(({ id }) => id),
  };
}
