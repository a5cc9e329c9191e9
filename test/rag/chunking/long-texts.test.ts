import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

const library = new URL('../../../dist/index.js', import.meta.url).href;

it('cuts 200 KB of prose without a blank line, and lines of other scripts, within a heap of 192 MB, by every chunker', () => {
  const program = `const chunkers = await import(${JSON.stringify(library)});
    const countTokens = (text) => Math.ceil(text.length / 4);
    const texts = {
      prose: 'The call went on for an hour. None of us wrote “anything” down, so here it is. '.repeat(2700),
      lines: '[10:02] Kim: is the parcel there? It should have come on Monday.\\n'.repeat(1500),
      Chinese: '他养了一只猫今天下雨我们去北京大学学习'.repeat(1200),
      Thai: 'ภาษาไทยเป็นภาษาที่มีระดับเสียงของคำ'.repeat(600),
      endless: 'and so on '.repeat(6000),
    };
    for (const [name, text] of Object.entries(texts)) {
      for (const chunker of ['chunkRecursively', 'chunkMarkdown', 'chunkSentences', 'chunkTokens']) {
        const chunks = chunkers[chunker](text, { countTokens });
        console.log(name, chunker, chunks.length > 10, chunks.every(({ text, start }) => text.length > 0 && start >= 0));
      }
    }`;
  const output = execFileSync(
    process.execPath,
    ['--max-old-space-size=192', '--input-type=module', '--eval', program],
    {
      encoding: 'utf8',
    },
  );
  const lines = output.trim().split('\n');
  expect(lines).toHaveLength(20);
  for (const line of lines) expect(line).toMatch(/ true true$/);
});
