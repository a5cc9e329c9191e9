import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateTokens } from '../../../src/embed/estimate-tokens.js';
import type { Chunk } from '../../../src/rag/chunking/chunk.js';
import { chunkMarkdown } from '../../../src/rag/chunking/chunk-markdown.js';
import { chunkRecursively } from '../../../src/rag/chunking/chunk-recursively.js';
import { chunkSentences } from '../../../src/rag/chunking/chunk-sentences.js';
import { chunkTokens } from '../../../src/rag/chunking/chunk-tokens.js';

const chunkers = { chunkMarkdown, chunkRecursively, chunkSentences, chunkTokens };

/** Building blocks of texts, including difficult ones. */
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z]{1,12}$/) },
  { weight: 4, arbitrary: fc.constantFrom(' ', '\n', '\n\n', '\r\n', '\r\n\r\n', '  \n', '\t', '. ', '! ', ', ') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '# One\n',
      '## Two\n',
      'Title\n===\n',
      '```\n',
      '~~~',
      '- item\n',
      '1. x\n',
      '| a | b |\n',
      '|---|---|\n',
      '---\n',
      '<!-- ',
      '-->',
      '> quote\n',
      '    code\n',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('👩‍👩‍👧‍👦', 'é', '日本語の文章です。', 'ภาษาไทย', 'x'.repeat(300), '\u2028', '\ud800'),
  },
);
const text = fc.array(piece, { maxLength: 120 }).map((pieces) => pieces.join(''));
const limits = fc.record({
  maxTokens: fc.integer({ min: 4, max: 60 }),
  overlap: fc.double({ min: 0, max: 0.5, noNaN: true }),
  parentTokens: fc.integer({ min: 1, max: 200 }),
});

function lineAt(text: string, position: number): number {
  return text.slice(0, position).split(/\r\n|\n|\r/).length;
}

/** Everything that must hold of the chunks of any chunker. */
function checkChunks(text: string, chunks: readonly Chunk[], maxTokens: number, overlap: number): void {
  const covered = new Uint8Array(text.length);
  for (const [position, chunk] of chunks.entries()) {
    expect(chunk.text).toBe(text.slice(chunk.start, chunk.end));
    expect(chunk.text).toBe(chunk.text.trim());
    expect(chunk.text).not.toBe('');
    // Only a single character may exceed the limit.
    if ([...new Intl.Segmenter('en').segment(chunk.text)].length > 1) {
      expect(estimateTokens(chunk.text)).toBeLessThanOrEqual(maxTokens);
    }
    expect([chunk.startLine, chunk.endLine]).toEqual([lineAt(text, chunk.start), lineAt(text, chunk.end - 1)]);
    expect(chunk.parent.start).toBeLessThanOrEqual(chunk.end);
    expect(chunk.parent.end).toBeGreaterThanOrEqual(chunk.end);
    const before = chunks[position - 1];
    if (before !== undefined) {
      expect(chunk.end).toBeGreaterThan(before.end);
      expect(chunk.start).toBeGreaterThan(before.start);
      if (overlap === 0) expect(chunk.start).toBeGreaterThanOrEqual(before.end);
      else
        expect(estimateTokens(text.slice(chunk.start, Math.max(before.end, chunk.start)))).toBeLessThanOrEqual(overlap);
    }
    covered.fill(1, chunk.start, chunk.end);
  }
  for (let place = 0; place < text.length; place++) {
    if (covered[place] === 0 && text[place]!.trim() !== '') throw new Error(`character ${place} is in no chunk`);
  }
}

describe.each(Object.entries(chunkers))('%s', (_, chunker) => {
  it('covers every text with chunks of correct ranges, lines and sizes', () => {
    fc.assert(
      fc.property(text, limits, (source, { maxTokens, overlap, parentTokens }) => {
        const overlapTokens = Math.floor(overlap * maxTokens);
        const chunks = chunker(source, { maxTokens, overlapTokens, parentTokens });
        checkChunks(source, chunks, maxTokens, overlapTokens);
        expect(chunker(source, { maxTokens, overlapTokens, parentTokens })).toEqual(chunks);
      }),
      { numRuns: 150 },
    );
  });

  it('uses countTokens', () => {
    const countTokens = (piece: string): number => piece.length;
    const source = 'Words of many lengths, in several sentences. Here is another one.\n\nAnd a paragraph.';
    for (const chunk of chunker(source, { maxTokens: 20, countTokens }))
      expect(chunk.text.length).toBeLessThanOrEqual(20);
  });

  it('returns no chunks for an empty text, and refuses invalid options', () => {
    expect(chunker('')).toEqual([]);
    expect(chunker(' \n\t\r\n ')).toEqual([]);
    expect(() => chunker('x', { maxTokens: 0 })).toThrow('maxTokens');
    expect(() => chunker('x', { maxTokens: 10, overlapTokens: 6 })).toThrow('overlapTokens');
    expect(() => chunker('x', { maxToken: 10 } as object)).toThrow('maxToken');
    expect(() => chunker(7 as unknown as string)).toThrow('expected a string as text, got 7');
  });

  it('is fast enough for a long text without any structure', () => {
    const source = 'x'.repeat(50_000) + ' word'.repeat(20_000);
    const before = process.cpuUsage();
    checkChunks(source, chunker(source), 200, 0);
    // CPU time, which does not depend on other processes.
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(10);
  });
});

describe('parents', () => {
  it('consist of whole chunks within parentTokens, unless one chunk is larger', () => {
    const source = Array.from({ length: 40 }, (_, n) => `Paragraph ${n} has a few words of its own.`).join('\n\n');
    const chunks = chunkRecursively(source, { maxTokens: 25, parentTokens: 80 });
    const parents = new Set(chunks.map(({ parent }) => `${parent.start}-${parent.end}`));
    expect(parents.size).toBeLessThan(chunks.length / 2);
    for (const { parent } of chunks) {
      expect(estimateTokens(source.slice(parent.start, parent.end))).toBeLessThanOrEqual(80);
      const inside = chunks.filter(({ start, end }) => start >= parent.start && end <= parent.end);
      expect([inside[0]?.start, inside.at(-1)?.end]).toEqual([parent.start, parent.end]);
    }
  });
});

describe('overlap', () => {
  it('repeats whole sentences where they fit', () => {
    const source = Array.from({ length: 30 }, (_, n) => `This is sentence number ${n} of it.`).join(' ');
    const chunks = chunkRecursively(source, { maxTokens: 40, overlapTokens: 15 });
    for (const [position, chunk] of chunks.entries()) {
      expect(chunk.text).toMatch(/^This/);
      if (position > 0) expect(chunk.start).toBeLessThan(chunks[position - 1]!.end);
    }
  });
});

describe('a change', () => {
  const paragraphs = Array.from(
    { length: 120 },
    (_, n) => `Paragraph ${n} says something about topic ${(n * 7919) % 101}, in a sentence or so.`,
  );
  const textsOf = (chunker: typeof chunkRecursively, source: string): string[] =>
    chunker(source, { maxTokens: 80 }).map(({ text }) => text);

  it.each(Object.entries({ chunkMarkdown, chunkRecursively, chunkSentences }))('moves few cuts of %s', (_, chunker) => {
    const before = textsOf(chunker, paragraphs.join('\n\n'));
    const changes: number[] = [];
    for (let place = 0; place < paragraphs.length; place += 10) {
      const changed = paragraphs.toSpliced(place, 0, 'A new paragraph, which was not there before.');
      const known = new Set(before);
      const fresh = textsOf(chunker, changed.join('\n\n')).filter((each) => !known.has(each));
      expect(fresh.length).toBeGreaterThan(0);
      changes.push(fresh.length);
    }
    expect(before.length).toBeGreaterThan(20);
    // Cuts as late as possible change ten chunks on average.
    expect(changes.reduce((sum, each) => sum + each, 0) / changes.length).toBeLessThan(4);
  });
});

describe('chunkSentences', () => {
  it('keeps sentences whole and paragraphs apart', () => {
    const source = 'One is here. Two is here.\nThree goes on\nin the next line. Four.\n\nFive? Six!';
    const chunks = chunkSentences(source, { sentences: 2 });
    expect(chunks.map(({ text }) => text)).toEqual([
      'One is here. Two is here.',
      'Three goes on\nin the next line. Four.',
      'Five? Six!',
    ]);
    expect(chunks.map(({ startLine, endLine }) => [startLine, endLine])).toEqual([
      [1, 1],
      [2, 3],
      [5, 5],
    ]);
  });

  it('finds the ends of Chinese and Japanese sentences', () => {
    expect(chunkSentences('今日は晴れ。明日は雨。', { sentences: 1 }).map(({ text }) => text)).toEqual([
      '今日は晴れ。',
      '明日は雨。',
    ]);
  });
});

describe('chunkTokens', () => {
  it('fills chunks up to maxTokens', () => {
    const source = 'word '.repeat(1000);
    const chunks = chunkTokens(source, { maxTokens: 50 });
    expect(chunks.length).toBe(20);
  });
});
