import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateTokens } from '../../src/embed/estimate-tokens.js';
import { deterministicProvider } from '../../src/embed/testing/deterministic-provider.js';
import { SemanticIndexError } from '../../src/errors.js';
import type { ChunkMetadata, SourceDocument } from '../../src/rag/chunking/chunk-documents.js';
import { chunkMarkdown } from '../../src/rag/chunking/chunk-markdown.js';
import { chunkSentences } from '../../src/rag/chunking/chunk-sentences.js';
import { Retriever } from '../../src/rag/retriever.js';
import { sync } from '../../src/rag/sync.js';
import { SemanticIndex } from '../../src/semantic-index.js';

const open = (): Promise<SemanticIndex<ChunkMetadata>> =>
  SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 32 }) });

const words = ['river', 'stone', 'cloud', 'green', 'paper', 'seven', 'night', 'glass'];
const paragraph = fc
  .array(fc.array(fc.constantFrom(...words), { minLength: 2, maxLength: 9 }), { minLength: 1, maxLength: 4 })
  .map((sentences) => sentences.map((list) => `The ${list.join(' ')}.`).join(' '));
const source = fc
  .array(fc.oneof(paragraph, fc.constantFrom('# One', '## Two', '```\ncode here\n```')), {
    minLength: 1,
    maxLength: 12,
  })
  .map((blocks) => blocks.join('\n\n'));
const sources = fc
  .array(source, { minLength: 1, maxLength: 4 })
  .map((texts) => texts.map((text, n): SourceDocument => ({ id: `file${n}.md`, text })));
const settings = fc.record({
  k: fc.integer({ min: 1, max: 6 }),
  maxTokens: fc.integer({ min: 12, max: 300 }),
  expand: fc.constantFrom('none', 'neighbors', 'parent'),
  neighbors: fc.integer({ min: 0, max: 3 }),
});

describe('a retriever', () => {
  it('stays within its budget and cites the right lines for any sources', { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        sources,
        settings,
        fc.integer({ min: 0, max: 8 }),
        fc.constantFrom(...words),
        async (given, options, overlapTokens, question) => {
          await using index = await open();
          const chunker = ({ text }: SourceDocument) =>
            chunkMarkdown(text, { maxTokens: 30, overlapTokens, parentTokens: 80 });
          await sync(index, given, { chunker });
          const context = await new Retriever(index, options).retrieve(`the ${question}`);
          expect(context.tokens).toBe(estimateTokens(context.text));
          expect(context.tokens).toBeLessThanOrEqual(options.maxTokens);
          const seen = new Set<string>();
          for (const [position, passage] of context.passages.entries()) {
            expect(passage.number).toBe(position + 1);
            expect(context.text).toContain(`[${passage.number}] ${passage.source}`);
            const file = given.find(({ id }) => id === passage.source)!.text;
            const lines = file
              .split('\n')
              .slice(passage.startLine! - 1, passage.endLine!)
              .join('\n');
            const bare = (text: string): string => text.replace(/\s+/g, ' ').trim();
            expect(bare(lines)).toContain(bare(passage.text));
            expect(bare(file.slice(passage.start, passage.end))).toBe(bare(passage.text));
            for (let place = passage.start!; place < passage.end!; place++) {
              const character = `${passage.source} ${place}`;
              expect(seen.has(character)).toBe(false);
              seen.add(character);
            }
          }
          const {
            hits: [first],
          } = await index.search(`the ${question}`, { k: 1 });
          const fits = first !== undefined && !context.leftOut.tooLarge.includes(first.id);
          if (fits) expect(context.passages[0]?.ids).toContain(first.id);
        },
      ),
      { numRuns: 80 },
    );
  });

  const chapters = Array.from(
    { length: 9 },
    (_, n) => `## Part ${n}\n\nThis is what part ${n} of it says about topic${n}.`,
  );
  const book: SourceDocument = { id: 'book.md', text: `# Book\n\n${chapters.join('\n\n')}\n` };

  it('adds the chunks around a hit', async () => {
    await using index = await open();
    await sync(index, [book]);
    const retriever = new Retriever(index, { k: 1, mode: 'vector' });
    const one = (await retriever.retrieve('topic4', { expand: 'none' })).passages;
    expect(one).toMatchObject([{ headings: ['Book', 'Part 4'], startLine: 19, endLine: 21 }]);
    const [three] = (await retriever.retrieve('topic4')).passages;
    expect(three).toMatchObject({ headings: ['Book', 'Part 4'], startLine: 15, endLine: 25 });
    expect(three?.text).toBe(chapters.slice(3, 6).join('\n\n'));
    const [five] = (await retriever.retrieve('topic4', { neighbors: 2 })).passages;
    expect(five?.ids).toHaveLength(5);
  });

  it('extends a hit up to its parent', async () => {
    await using index = await open();
    const sentences = Array.from({ length: 30 }, (_, n) => `Sentence ${n} is about topic${n}.`).join(' ');
    const chunker = ({ text }: SourceDocument) => chunkSentences(text, { sentences: 1, parentTokens: 60 });
    await sync(index, [{ id: 'a.txt', text: sentences }], { chunker });
    const {
      hits: [hit],
    } = await index.search('topic11', { k: 1, mode: 'vector' });
    const { parent } = hit!.metadata.chunk;
    const { passages } = await new Retriever(index, { k: 1, mode: 'vector', expand: 'parent' }).retrieve('topic11');
    expect(passages).toMatchObject([parent]);
    expect(passages[0]?.text).toBe(sentences.slice(parent.start, parent.end));
  });

  it('skips copies and near duplicates, and uses the next hits', async () => {
    await using index = await open();
    const text = 'Send the parcel back within thirty days and we refund the price.';
    await index.addDocuments([
      { id: 'a', text },
      { id: 'b', text: text.toUpperCase() },
      { id: 'c', text: text.replace('parcel', 'box') },
      { id: 'd', text: 'We send every parcel by train.' },
    ] as never);
    const { passages, leftOut } = await new Retriever(index, { k: 3, threshold: 0.8 }).retrieve('send the parcel back');
    expect(passages.map(({ source }) => source)).toEqual(['a', 'd']);
    expect([...leftOut.duplicates].sort()).toEqual(['b', 'c']);
    expect(passages[0]).toMatchObject({ startLine: undefined, headings: [], text });
  });

  it('truncates a hit that is too long for the budget', async () => {
    await using index = await open();
    const text = Array.from({ length: 40 }, (_, n) => `line ${n} of it`).join('\n');
    await sync(index, [{ id: 'long.txt', text }], { chunker: ({ text }) => chunkMarkdown(text, { maxTokens: 500 }) });
    const { passages, tokens } = await new Retriever(index, { maxTokens: 60 }).retrieve('line');
    expect(tokens).toBeLessThanOrEqual(60);
    expect(tokens).toBeGreaterThan(40);
    const [{ endLine, text: shown } = { endLine: 0, text: '' }] = passages;
    expect(text.split('\n').slice(0, endLine).join('\n')).toContain(shown);
    expect(shown.split('\n')).toHaveLength(endLine!);
  });

  it('uses countTokens and format', async () => {
    await using index = await open();
    await sync(index, [book]);
    const { text, tokens } = await new Retriever(index, {
      countTokens: (piece) => piece.length,
      maxTokens: 200,
      format: ({ number, text }) => `<${number}>${text}</${number}>`,
    }).retrieve('topic2');
    expect(tokens).toBe(text.length);
    expect(tokens).toBeLessThanOrEqual(200);
    expect(text).toMatch(/^<1>/);
  });

  it('returns nothing for an empty index, and refuses invalid options', async () => {
    await using index = await open();
    expect(await new Retriever(index).retrieve('anything')).toMatchObject({ text: '', tokens: 0, passages: [] });
    expect(() => new Retriever(index, { k: 0 })).toThrow(SemanticIndexError);
    expect(() => new Retriever(index, { neighbors: -1 })).toThrow('neighbors');
    expect(() => new Retriever(index, { expand: 'far' as 'none' })).toThrow('expand');
    expect(() => new Retriever(index, { budget: 5 } as object)).toThrow('budget');
    await expect(new Retriever(index).retrieve('')).rejects.toThrow('empty');
  });
});
