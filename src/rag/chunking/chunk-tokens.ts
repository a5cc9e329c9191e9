import { type ChunkOptions, chunkDefaults } from '../../options.js';
import type { Chunk, TextRange } from './chunk.js';
import { chunkSettings, makeChunks } from './make-chunks.js';
import { furthestCut, trimmed } from './split-parts.js';

/**
 * Splits a text into chunks as close to `maxTokens` tokens as possible, between words, regardless of structure. A
 * change of the text moves all later splits: for texts that change, `chunkRecursively` saves embedding.
 *
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION.
 */
export function chunkTokens(text: string, options?: ChunkOptions): Chunk[] {
  const settings = chunkSettings('chunkTokens', text, options, chunkDefaults);
  const maxTokens = settings.maxTokens - settings.overlapTokens;
  const ranges: TextRange[] = [];
  let { start, end } = trimmed(text, { start: 0, end: text.length });
  while (start < end) {
    const cut = furthestCut(text, start, end, maxTokens, settings.countTokens);
    const place = cut === end ? end : wordStart(text, start, cut);
    ranges.push(trimmed(text, { start, end: place }));
    start = trimmed(text, { start: place, end }).start;
  }
  return makeChunks(text, [{ headings: [], headingStarts: [], ranges }], settings);
}

/** The last start of a word at or before `place`; `place` if there is none. */
function wordStart(text: string, start: number, place: number): number {
  for (let at = place; at > start; at--) {
    if (/\s/.test(text[at - 1] as string) || /\s/.test(text[at] as string)) return at;
  }
  return place;
}
