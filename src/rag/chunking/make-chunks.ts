import { checkPositive } from '../../check-arguments.js';
import { estimateTokens } from '../../embed/estimate-tokens.js';
import { SemanticIndexError } from '../../errors.js';
import {
  type ChunkOptions,
  type CountTokens,
  type chunkDefaults,
  describe,
  type Resolved,
  type ResolvedChunkOptions,
  resolveOptions,
} from '../../options.js';
import type { Chunk, TextRange } from './chunk.js';
import { type Places, PlacesOfText } from './places-of-blocks.js';
import { atSentences, atWords, trimmed } from './split-parts.js';

/** Validated options of a chunker; every chunker counts tokens with `countTokens`. */
export type ChunkSettings<T = ResolvedChunkOptions> = Omit<T, 'countTokens'> & { readonly countTokens: CountTokens };

/** @throws INVALID_ARGUMENT, UNKNOWN_OPTION. */
export function chunkSettings<T extends ChunkOptions, D extends typeof chunkDefaults>(
  method: string,
  text: string,
  given: T | undefined,
  defaults: D,
): ChunkSettings<Resolved<T, D>> {
  if (typeof text !== 'string') {
    throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: expected a string as text, got ${describe(text)}`);
  }
  const options = resolveOptions(method, given, defaults) as Resolved<T, D> & ResolvedChunkOptions;
  checkPositive(method, 'maxTokens', options.maxTokens);
  checkPositive(method, 'parentTokens', options.parentTokens);
  const { overlapTokens, maxTokens } = options;
  if (!Number.isSafeInteger(overlapTokens) || overlapTokens < 0 || overlapTokens > maxTokens / 2) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `${method}: expected at most half of maxTokens as overlapTokens, got ${describe(overlapTokens)}`,
      {
        hint: `Pass an integer from 0 to ${Math.floor(maxTokens / 2)}.`,
      },
    );
  }
  return { ...options, countTokens: options.countTokens ?? estimateTokens };
}

/** A part of a text whose chunks belong together: a section, or the whole text. */
export interface Section {
  readonly headings: readonly string[];
  /** Start of the line of each heading. */
  readonly headingStarts: readonly number[];
  /** Ranges of the chunks, in order, without overlap. */
  readonly ranges: readonly TextRange[];
}

/** Builds chunks from ranges: adds overlap within a section, lines, headings and parents. */
export function makeChunks(
  text: string,
  sections: readonly Section[],
  settings: ChunkSettings,
  places: Places = new PlacesOfText(text),
): Chunk[] {
  return sections.flatMap(({ headings, headingStarts, ranges }) => {
    const parents = parentRanges(text, ranges, settings);
    return ranges.map((range, position): Chunk => {
      const before = ranges[position - 1];
      const { start, end } = before === undefined ? range : withOverlap(text, before, range, settings);
      return {
        text: text.slice(start, end),
        start,
        end,
        ...places.of({ start, end }),
        ...indentAt(text, start),
        headings,
        context: headings.filter((_, level) => (headingStarts[level] as number) < start),
        parent: parents[position] as TextRange,
      };
    });
  });
}

/** Longer white space is not an indentation. */
const maxIndent = 200;

/** White space between the begin of the line and a position, if there is nothing else. */
function indentAt(text: string, position: number): Pick<Chunk, 'indent'> {
  let begin = position;
  while (begin > 0 && position - begin <= maxIndent && /[ \t]/.test(text[begin - 1] as string)) begin--;
  if (begin === position || position - begin > maxIndent || (begin > 0 && !/[\r\n]/.test(text[begin - 1] as string)))
    return {};
  return { indent: text.slice(begin, position) };
}

/** For each range, its parent passage: as many whole ranges as fit into `parentTokens`, at least one. */
function parentRanges(text: string, ranges: readonly TextRange[], settings: ChunkSettings): TextRange[] {
  const { parentTokens, countTokens } = settings;
  const parents: TextRange[] = [];
  for (let first = 0; first < ranges.length; ) {
    const { start } = ranges[first] as TextRange;
    let { end } = ranges[first] as TextRange;
    let next = first + 1;
    for (; next < ranges.length; next++) {
      const further = (ranges[next] as TextRange).end;
      if (countTokens(text.slice(start, further)) > parentTokens) break;
      end = further;
    }
    for (; first < next; first++) parents.push({ start, end });
  }
  return parents;
}

/** The range, extended by the last sentences (otherwise words) of the previous one within the overlap. */
function withOverlap(text: string, before: TextRange, range: TextRange, settings: ChunkSettings): TextRange {
  const { overlapTokens, maxTokens, countTokens } = settings;
  if (overlapTokens === 0) return range;
  const fits = (start: number): boolean =>
    countTokens(text.slice(start, range.start).trimEnd()) <= overlapTokens &&
    countTokens(text.slice(start, range.end)) <= maxTokens;
  // Tokens are rarely longer than this; earlier text is ignored.
  const from = Math.max(before.start, range.start - overlapTokens * 16);
  for (const splitter of [atSentences, atWords]) {
    const starts = splitter(text, from, range.start).filter((start) => start > from);
    const start = firstThat(starts, fits);
    if (start !== undefined) return trimmed(text, { start, end: range.end });
  }
  return range;
}

/** Binary search: the first of ascending places that passes; all later places pass as well. */
function firstThat(places: readonly number[], passes: (place: number) => boolean): number | undefined {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (passes(places[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return places[low];
}
