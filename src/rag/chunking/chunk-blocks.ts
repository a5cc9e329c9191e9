import { isSameTitle } from '../../files/content/place-blocks.js';
import type { BlockKind, TextBlock } from '../../files/content/text-block.js';
import type { ChunkOptions, chunkDefaults, Resolved } from '../../options.js';
import type { Chunk } from './chunk.js';
import { type ChunkSettings, makeChunks, type Section } from './make-chunks.js';
import { type PackLimits, packParts } from './pack-parts.js';
import { PlacesOfBlocks } from './places-of-blocks.js';
import { atLines, atListItems, atParagraphs, atSentences, atWords, type Splitter, splitParts } from './split-parts.js';

/** Where to split a block that is too long for a chunk. */
const splittersOf: Record<BlockKind, readonly Splitter[]> = {
  heading: [atWords],
  code: [atParagraphs, atLines, atWords],
  definition: [atParagraphs, atLines, atWords],
  table: [atLines, atWords],
  list: [atListItems, atSentences, atLines, atWords],
  html: [atParagraphs, atLines, atWords],
  metadata: [atLines, atWords],
  text: [atSentences, atLines, atWords],
};

/** Blocks with the same path of headings. */
interface OpenSection {
  readonly headings: readonly { depth: number; title: string; start: number }[];
  readonly blocks: TextBlock[];
}

/**
 * Splits a text into chunks of at most `maxTokens` tokens along its blocks; no chunk crosses a heading, and blocks are
 * kept whole if they fit. `title` is the outermost heading, unless the first one repeats it.
 */
export function chunkBlocks(
  text: string,
  blocks: readonly TextBlock[],
  settings: ChunkSettings<Resolved<ChunkOptions, typeof chunkDefaults>>,
  title?: string,
): Chunk[] {
  const { countTokens } = settings;
  const maxTokens = settings.maxTokens - settings.overlapTokens;
  const limits: PackLimits = { maxTokens, maxParts: Number.POSITIVE_INFINITY, countTokens };
  const sections = sectionsOf(blocks, title).map(({ headings, blocks }): Section => {
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
  return makeChunks(text, sections, settings, PlacesOfBlocks.of(text, blocks));
}

const worstLevel = 9;
/** The title of a document precedes all headings. */
const titleDepth = 0;

function sectionsOf(blocks: readonly TextBlock[], title: string | undefined): OpenSection[] {
  const sections: OpenSection[] = [];
  // Before the text: no chunk has the title in it.
  let open: OpenSection = {
    headings: title === undefined ? [] : [{ depth: titleDepth, title, start: -1 }],
    blocks: [],
  };
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
