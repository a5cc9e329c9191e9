import { type ChunkOptions, chunkDefaults } from '../../options.js';
import type { Chunk } from './chunk.js';
import { chunkSettings, makeChunks } from './make-chunks.js';
import { packParts } from './pack-parts.js';
import { atLines, atParagraphs, atSentences, atWords, splitParts } from './split-parts.js';

/**
 * Splits any text into chunks of at most `maxTokens` tokens: between paragraphs if possible, otherwise between
 * sentences, lines, words, and finally characters. A change of the text affects only the chunks near it.
 *
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION.
 */
export function chunkRecursively(text: string, options?: ChunkOptions): Chunk[] {
  const settings = chunkSettings('chunkRecursively', text, options, chunkDefaults);
  const { countTokens } = settings;
  const maxTokens = settings.maxTokens - settings.overlapTokens;
  const splitters = [atParagraphs, atSentences, atLines, atWords];
  const parts = splitParts(text, { start: 0, end: text.length }, splitters, maxTokens, countTokens);
  const ranges = packParts(text, parts, { maxTokens, maxParts: Number.POSITIVE_INFINITY, countTokens });
  return makeChunks(text, [{ headings: [], headingStarts: [], ranges }], settings);
}
