import { checkPositive } from '../../check-arguments.js';
import { type SentenceOptions, sentenceDefaults } from '../../options.js';
import type { Chunk, TextRange } from './chunk.js';
import { chunkSettings, makeChunks } from './make-chunks.js';
import { packParts } from './pack-parts.js';
import { atParagraphs, atSentences, atWords, type Part, type Splitter, splitParts } from './split-parts.js';

/**
 * Splits a text into chunks of a few whole sentences (Unicode UAX #29) that never cross paragraphs. A sentence with
 * more than `maxTokens` tokens is split between words.
 *
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION.
 */
export function chunkSentences(text: string, options?: SentenceOptions): Chunk[] {
  const settings = chunkSettings('chunkSentences', text, options, sentenceDefaults);
  checkPositive('chunkSentences', 'sentences', settings.sentences);
  const { countTokens, sentences } = settings;
  const maxTokens = settings.maxTokens - settings.overlapTokens;
  const whole = { maxTokens, maxParts: Number.POSITIVE_INFINITY, countTokens };
  const ranges = piecesOf(atParagraphs, text, { start: 0, end: text.length }).flatMap((paragraph) => {
    const parts = piecesOf(atSentences, text, paragraph).flatMap((sentence): Part[] => {
      const words = splitParts(text, sentence, [atWords], maxTokens, countTokens);
      if (words.length <= 1) return words;
      return packParts(text, words, whole).map(({ start, end }) => ({
        start,
        end,
        tokens: countTokens(text.slice(start, end)),
        level: 0,
      }));
    });
    return packParts(text, parts, { maxTokens, maxParts: sentences, countTokens });
  });
  return makeChunks(text, [{ headings: [], headingStarts: [], ranges }], settings);
}

function piecesOf(splitter: Splitter, text: string, { start, end }: TextRange): TextRange[] {
  const starts = splitter(text, start, end);
  return starts.map((from, position) => ({ start: from, end: starts[position + 1] ?? end }));
}
