import type { FileContent, ParsedContent } from './file-content.js';
import type { FileFormat } from './file-formats.js';
import { LineNumbers } from './line-numbers.js';
import type { PlacedBlock, TextBlock } from './text-block.js';

/** Adds to every block the headings above it and its lines. */
export function placeBlocks(format: FileFormat, content: FileContent): ParsedContent {
  const lines = new LineNumbers(content.text);
  const { title } = content.properties;
  const above: { readonly depth: number; readonly heading: string; readonly end: number }[] = [];
  let headings: readonly string[] = title === undefined ? [] : [title];
  const blocks = content.blocks.map((block): PlacedBlock => {
    const opens = block.heading !== '';
    const left = above.findIndex(({ depth, end }) =>
      block.kind === 'definition' ? block.start >= end : opens && depth >= block.depth,
    );
    if (left >= 0) above.length = left;
    if (opens && block.kind !== 'metadata') {
      above.push({ depth: block.depth, heading: block.heading, end: block.end });
    }
    if (opens || left >= 0) headings = pathOf(title, above);
    return {
      ...block,
      headings,
      startLine: block.startLine ?? lines.at(block.start),
      endLine: block.endLine ?? block.startLine ?? lines.at(Math.max(block.start, block.end - 1)),
    };
  });
  return { ...content, blocks, properties: { format, ...content.properties } };
}

function pathOf(title: string | undefined, above: readonly Pick<TextBlock, 'heading'>[]): string[] {
  const path = above.map(({ heading }) => heading);
  return title === undefined || isSameTitle(title, path[0] ?? '') ? path : [title, ...path];
}

/** Whether a title and a heading are the same words. */
export function isSameTitle(title: string, heading: string): boolean {
  return title.normalize('NFKC').toLowerCase() === heading.normalize('NFKC').toLowerCase();
}
