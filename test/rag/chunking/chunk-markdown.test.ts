import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { markdownBlocks } from '../../../src/files/markdown/markdown-blocks.js';
import { chunkMarkdown } from '../../../src/rag/chunking/chunk-markdown.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

describe('chunkMarkdown', () => {
  const guide = `# Guide

Welcome.

## Install

Run this:

\`\`\`sh
# not a heading
npm install
\`\`\`

### Windows

The same.

Usage
-----

## Empty
## *Last* [one](https://example.org)

End.
`;
  const chunks = chunkMarkdown(guide);

  it('splits at headings, and records them', () => {
    expect(chunks.map(({ headings, startLine, endLine }) => [headings.join(' › '), startLine, endLine])).toEqual([
      ['Guide', 1, 3],
      ['Guide › Install', 5, 12],
      ['Guide › Install › Windows', 14, 16],
      ['Guide › Usage', 18, 19],
      ['Guide › Empty', 21, 21],
      ['Guide › Last one', 22, 24],
    ]);
    expect(chunks[1]?.context).toEqual(['Guide']);
    expect(chunks[1]?.text).toContain('# not a heading');
  });

  it('moves a heading without text to the next section', () => {
    const [only, ...others] = chunkMarkdown('# Title\n\n## Chapter\n\nText.');
    expect(others).toEqual([]);
    expect(only).toMatchObject({ text: '# Title\n\n## Chapter\n\nText.', headings: ['Title', 'Chapter'], context: [] });
  });

  it('keeps blocks whole if they fit, and splits them otherwise', () => {
    const code = Array.from({ length: 12 }, (_, n) => `const value${n} = compute(${n});`).join('\n');
    const source = `# Code\n\n${'Some words before it. '.repeat(8)}\n\n\`\`\`ts\n${code}\n\`\`\`\n\n${'And words after it. '.repeat(8)}`;
    const whole = chunkMarkdown(source, { maxTokens: 200 });
    expect(whole.some(({ text }) => text.includes(`\`\`\`ts\n${code}\n\`\`\``))).toBe(true);
    for (const { text } of chunkMarkdown(source, { maxTokens: 40 })) {
      for (const line of text.split('\n')) if (line.startsWith('const')) expect(line).toMatch(/;$/);
    }
  });

  it('has no headings before the first one', () => {
    const [first] = chunkMarkdown('---\ndate: x\n---\n\nIntroduction.\n\n# Title\n');
    expect(first).toMatchObject({ headings: [], startLine: 1, endLine: 5 });
  });
});

describe('markdownBlocks', () => {
  it('finds the headings that a CommonMark parser finds, in the documentation of the installed packages', {
    timeout: 120_000,
  }, () => {
    const files = globSync(['*/readme.md', '*/doc{,s}/*.md'], {
      cwd: `${root}node_modules`,
      caseSensitiveMatch: false,
    }).sort();
    expect(files.length).toBeGreaterThan(200);
    let headings = 0;
    // Every third: the parser that we compare with takes ten seconds for all.
    for (const file of files.filter((_, place) => place % 3 === 0)) {
      const text = readFileSync(`${root}node_modules/${file}`, 'utf8').replace(/^\ufeff/, '');
      const expected = fromMarkdown(text).children.flatMap((node) =>
        node.type === 'heading' ? [`${node.position?.start.line} ${node.depth}`] : [],
      );
      const lineOf = (position: number): number => text.slice(0, position).split(/\r\n|\n|\r/).length;
      const blocks = markdownBlocks(text);
      const found = blocks.flatMap(({ kind, start, depth }) =>
        kind === 'heading' ? [`${lineOf(start)} ${depth}`] : [],
      );
      expect([file, found]).toEqual([file, expected]);
      headings += found.length;
    }
    expect(headings).toBeGreaterThan(500);
  });

  it.each([
    ['Closed #', '# Closed #', 'Closed'],
    ['a plain one', '## A `code` **bold** _name_ snake_case_name', 'A code bold name snake_case_name'],
    ['links and pictures', '# [Link](x) ![Logo](y)', 'Link Logo'],
    ['escapes', '# 1\\. One \\*star\\*', '1. One *star*'],
    ['several lines', 'Two\nlines\n===', 'Two lines'],
  ])('reads %s', (_, source, heading) => {
    expect(markdownBlocks(source)).toMatchObject([{ kind: 'heading', heading }]);
  });
});
