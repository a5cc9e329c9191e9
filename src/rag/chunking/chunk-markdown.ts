import { type ChunkOptions, chunkDefaults } from '../../options.js';
import type { Chunk } from './chunk.js';
import { chunkSettings, makeChunks, type Section } from './make-chunks.js';
import { type MarkdownBlock, markdownBlocks } from './markdown-blocks.js';
import { type PackLimits, packParts } from './pack-parts.js';
import { atLines, atListItems, atParagraphs, atSentences, atWords, type Splitter, splitParts } from './split-parts.js';

/** Where to split a block that is too long for a chunk. */
const splittersOf: Record<MarkdownBlock['kind'], readonly Splitter[]> = {
  heading: [atWords],
  code: [atParagraphs, atLines, atWords],
  table: [atLines, atWords],
  list: [atListItems, atSentences, atLines, atWords],
  html: [atParagraphs, atLines, atWords],
  metadata: [atLines, atWords],
  text: [atSentences, atLines, atWords],
};

/** Blocks with the same path of headings. */
interface OpenSection {
  readonly headings: readonly { depth: number; title: string; start: number }[];
  readonly blocks: MarkdownBlock[];
}

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
  const { countTokens } = settings;
  const maxTokens = settings.maxTokens - settings.overlapTokens;
  const limits: PackLimits = { maxTokens, maxParts: Number.POSITIVE_INFINITY, countTokens };
  const sections = sectionsOf(markdownBlocks(text)).map(({ headings, blocks }): Section => {
    const parts = blocks.flatMap((block, position) => {
      const split = splitParts(text, block, splittersOf[block.kind], maxTokens, countTokens);
      // After a heading is the worst place to split.
      const behindHeading = position > 0 && blocks[position - 1]?.kind === 'heading';
      return behindHeading ? split.map((part, at) => (at === 0 ? { ...part, level: worstLevel } : part)) : split;
    });
    return {
      headings: headings.map(({ title }) => title),
      headingStarts: headings.map(({ start }) => start),
      ranges: packParts(text, parts, limits),
    };
  });
  return makeChunks(text, sections, settings);
}

const worstLevel = 9;
/** The title of a document precedes all headings. */
const titleDepth = 0;

function isSameTitle(title: string, heading: string): boolean {
  return title.normalize('NFKC').toLowerCase() === heading.normalize('NFKC').toLowerCase();
}

function sectionsOf(blocks: readonly MarkdownBlock[]): OpenSection[] {
  const sections: OpenSection[] = [];
  let open: OpenSection = { headings: [], blocks: [] };
  for (const block of blocks) {
    if (block.kind !== 'heading') {
      if (block.kind === 'metadata' && block.heading !== '') {
        open = { headings: [{ depth: titleDepth, title: block.heading, start: block.start }], blocks: open.blocks };
      }
      open.blocks.push(block);
      continue;
    }
    const above = open.headings.filter(
      ({ depth, title }) => depth < block.depth && !(depth === titleDepth && isSameTitle(title, block.heading)),
    );
    const headings = [...above, { depth: block.depth, title: block.heading, start: block.start }];
    const onlyHeadings = open.blocks.length > 0 && open.blocks.every(({ kind }) => kind === 'heading');
    const carriedOn = onlyHeadings && above.length === open.headings.length;
    if (!carriedOn && open.blocks.length > 0) sections.push(open);
    open = { headings, blocks: carriedOn ? [...open.blocks, block] : [block] };
  }
  if (open.blocks.length > 0) sections.push(open);
  return sections;
}
