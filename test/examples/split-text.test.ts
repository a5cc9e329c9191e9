import { describe, expect, test } from 'vitest';
import { splitMarkdown, splitPlainText } from '../../examples/quickstart/split-text.js';

const filler = 'A sentence that is long enough to be worth an answer of its own.';

describe('splitMarkdown', () => {
  test('gives each heading its section, with the headings above it', () => {
    const sections = splitMarkdown(`${filler}\n\n# One\n${filler}\n\n## Two\n${filler}\n\n# Three\n${filler}`);
    expect(sections.map(({ headings }) => headings.join('/'))).toEqual(['', 'One', 'One/Two', 'Three']);
    expect(sections.every(({ body }) => body === filler)).toBe(true);
  });

  test('does not mind levels that are left out', () => {
    const sections = splitMarkdown(`# One\n\n### Deep\n${filler}\n\n## Two\n${filler}`);
    expect(sections.map(({ headings }) => headings)).toEqual([
      ['One', 'Deep'],
      ['One', 'Two'],
    ]);
  });

  test('does not take a comment in a program for a heading, and leaves the program out', () => {
    const [section, ...others] = splitMarkdown(`# Use\n${filler}\n\n\`\`\`sh\n# not a heading\nnpm install\n\`\`\`\n`);
    expect(others).toEqual([]);
    expect(section?.body).toBe(filler);
  });

  test('drops badges, pictures, layout and link targets, and keeps their words', () => {
    const [section] = splitMarkdown(
      `# Name\n[![build](https://x/badge.svg)](https://x)\n<p align="center">\n\nSee [the **manual**](https://x/y) for \`all\` options there are.\n\n![shot](a.png)`,
    );
    expect(section?.body).toBe('See the manual for all options there are.');
  });

  test('reads tables without their bars', () => {
    const [section] = splitMarkdown(
      '# T\n| name of the option | meaning |\n|---|:---:|\n| depth | how far down to look |\n',
    );
    expect(section?.body).toBe('name of the option meaning\ndepth how far down to look');
  });

  test('leaves out what answers nothing', () => {
    expect(splitMarkdown('# Package\n\n## License\n\nMIT\n\n## Empty\n')).toEqual([]);
  });

  test('cuts a long section into parts that lose nothing but line ends', () => {
    const words = Array.from({ length: 900 }, (_, position) => `word${position}`);
    const sections = splitMarkdown(`# Long\n${words.slice(0, 300).join(' ')}\n\n${words.slice(300).join(' ')}`);
    expect(sections.length).toBeGreaterThan(3);
    expect(sections.every(({ body }) => body.length <= 1600)).toBe(true);
    expect(sections.flatMap(({ body }) => body.split(/\s+/))).toEqual(words);
  });
});

test('splitPlainText joins short paragraphs and cuts where there is no space too', () => {
  expect(splitPlainText(`${filler}\n\n${filler}\r\n`)).toEqual([{ headings: [], body: `${filler}\n${filler}` }]);
  const cut = splitPlainText('語'.repeat(4000));
  expect(cut.map(({ body }) => body.length)).toEqual([1599, 1599, 802]);
});
