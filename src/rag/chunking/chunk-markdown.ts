import { markdownBlocks } from '../../files/markdown/markdown-blocks.js';
import { type ChunkOptions, chunkDefaults } from '../../options.js';
import type { Chunk } from './chunk.js';
import { chunkBlocks } from './chunk-blocks.js';
import { chunkSettings } from './make-chunks.js';

/**
 * Splits Markdown into chunks of at most `maxTokens` tokens that never cross a heading. Code blocks, tables and lists
 * are kept whole if they fit. A heading stays with the text below it; a heading without text stays with the next
 * section. Each chunk has its headings; the `title` of front matter (YAML or TOML) is the first, unless a heading
 * repeats it.
 *
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION.
 */
export function chunkMarkdown(text: string, options?: ChunkOptions): Chunk[] {
  const settings = chunkSettings('chunkMarkdown', text, options, chunkDefaults);
  return chunkBlocks(text, markdownBlocks(text), settings);
}
