import { checkPositive } from '../../check-arguments.js';
import { estimateTokens } from '../../embed/estimate-tokens.js';
import { SemanticIndexError } from '../../errors.js';
import { type ChunkOptions, type CountTokens, describe, type Given, resolveOptions } from '../../options.js';
import type { Chunk, TextRange } from './chunk.js';
import { LineNumbers } from './line-numbers.js';
import { atSentences, atWords, trimmed } from './split-parts.js';

/** Options of a chunker, checked; every chunker counts tokens by `countTokens`. */
export type ChunkSettings<T extends ChunkOptions = ChunkOptions> = T & { readonly countTokens: CountTokens };

/** @throws INVALID_ARGUMENT, UNKNOWN_OPTION. */
export function chunkSettings<T extends ChunkOptions>(
  method: string,
  text: string,
  given: Given<NoInfer<T>> | undefined,
  defaults: T,
): ChunkSettings<T> {
  if (typeof text !== 'string') {
    throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: the text is ${describe(text)}`);
  }
  const options = resolveOptions(method, given, defaults);
  checkPositive(method, 'maxTokens', options.maxTokens);
  checkPositive(method, 'parentTokens', options.parentTokens);
  const { overlapTokens, maxTokens } = options;
  if (!Number.isSafeInteger(overlapTokens) || overlapTokens < 0 || overlapTokens > maxTokens / 2) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: overlapTokens is ${describe(overlapTokens)}`, {
      hint: `Pass a whole number from 0 to half of maxTokens (${maxTokens}).`,
    });
  }
  return { ...options, countTokens: options.countTokens ?? estimateTokens };
}

/** A stretch of a text whose chunks belong together: a section, or the whole. */
export interface Section {
  readonly headings: readonly string[];
  /** Where the line of each heading begins. */
  readonly headingStarts: readonly number[];
  /** Its chunks, in order, without overlap. */
  readonly ranges: readonly TextRange[];
}

/** Makes chunks of ranges: overlap within a section, lines, headings, parents. */
export function makeChunks(text: string, sections: readonly Section[], settings: ChunkSettings): Chunk[] {
  const lines = new LineNumbers(text);
  return sections.flatMap(({ headings, headingStarts, ranges }) => {
    const parents = parentRanges(text, ranges, settings);
    return ranges.map((range, position): Chunk => {
      const before = ranges[position - 1];
      const { start, end } = before === undefined ? range : withOverlap(text, before, range, settings);
      return {
        text: text.slice(start, end),
        start,
        end,
        startLine: lines.at(start),
        endLine: lines.at(end - 1),
        headings,
        context: headings.filter((_, level) => (headingStarts[level] as number) < start),
        parent: parents[position] as TextRange,
      };
    });
  });
}

/** For each range the passage of whole ranges that it belongs to: as many as fit into `parentTokens`, one at least. */
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

/** The range with the last sentences, or else words, of the one before it, as many as there is room for. */
function withOverlap(text: string, before: TextRange, range: TextRange, settings: ChunkSettings): TextRange {
  const { overlapTokens, maxTokens, countTokens } = settings;
  if (overlapTokens === 0) return range;
  const fits = (start: number): boolean =>
    countTokens(text.slice(start, range.start).trimEnd()) <= overlapTokens &&
    countTokens(text.slice(start, range.end)) <= maxTokens;
  // A token is seldom longer than this; what lies further back is not looked at.
  const from = Math.max(before.start, range.start - overlapTokens * 16);
  for (const splitter of [atSentences, atWords]) {
    const starts = splitter(text, from, range.start).filter((start) => start > from);
    const start = firstThat(starts, fits);
    if (start !== undefined) return trimmed(text, { start, end: range.end });
  }
  return range;
}

/** The first of ascending places that passes, where all behind one that passes do too. */
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
