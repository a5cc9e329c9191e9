import { describe, expect, it } from 'vitest';
import { frontMatter } from '../../src/files/markdown/front-matter.js';
import { chunkMarkdown } from '../../src/rag/chunking/chunk-markdown.js';

const read = (text: string) => frontMatter(text.split('\n'));
const headingsOf = (text: string) => chunkMarkdown(text).map(({ headings }) => headings.join(' › '));

describe('frontMatter', () => {
  it.each([
    ['a comment first', '# made by a tool\ntitle: Guide'],
    ['an empty line first', '\ntitle: Guide'],
    ['a key with spaces', 'Last Updated: 2025\ntitle: Guide'],
    ['a key with a dot', 'og.image: a.png\ntitle: Guide'],
    ['a key with an accent', 'catégorie: x\ntitle: Guide'],
    ['a key in another script', '日付: 2025\ntitle: Guide'],
    ['a quoted key', '"page title": x\n"title": Guide'],
    ['a list and an object', 'tags:\n- a\n- b\nseo:\n  title: Other\ntitle: Guide'],
    ['quotes', 'title: "Guide"'],
    ['single quotes', "title: 'Guide'"],
    ['a comment behind it', 'title: Guide # for users'],
    ['a block scalar', 'title: >-\n  Guide\ndate: 2025'],
    ['capitals', 'Title:   Guide'],
  ])('reads a title with %s', (_, within) => {
    expect(read(`---\n${within}\n---\n\ntext`)).toEqual({ lines: within.split('\n').length + 2, title: 'Guide' });
    expect(read(`---\n${within}\n...\ntext`)?.title).toBe('Guide');
  });

  it.each([
    ['title: "C#: a \\"guide\\""', 'C#: a "guide"'],
    ["title: 'It''s here'", "It's here"],
    ['title: C# and F#', 'C# and F#'],
    ['title: one\n  two', 'one two'],
    ['title: 2024', '2024'],
    ['title:', ''],
    ['title: null', ''],
    ['title: [a, b]', ''],
    ['subtitle: x', ''],
    ['título: Guía', ''],
  ])('reads %j as %j', (within, title) => {
    expect(read(`---\n${within}\n---`)?.title).toBe(title);
  });

  it('reads TOML between lines of plus signs', () => {
    expect(read('+++\n# x\ndate = 2025-01-01\ntitle = "Guide"\n[params]\ntitle = "no"\n+++\n')).toEqual({
      lines: 7,
      title: 'Guide',
    });
    expect(read('+++\n[params]\ntitle = "no"\n+++\n')?.title).toBe('');
  });

  it.each([
    '---\n\nSome text.\n\n---\n',
    '---\ntitle: never closed',
    '---\n- a list\n---',
    '+++\ntext\n+++',
    'title: x\n---',
  ])('leaves %j as text', (text) => {
    expect(read(text)).toBeUndefined();
  });
});

describe('chunkMarkdown with front matter', () => {
  it('puts the title before all headings', () => {
    const text = '---\ntitle: Cookies\n---\n\nIntroduction.\n\n## Usage\n\nUse it.\n\n# Other\n\n## Deep\n\nText.';
    expect(headingsOf(text)).toEqual(['Cookies', 'Cookies › Usage', 'Cookies › Other › Deep']);
    expect(chunkMarkdown(text)[1]).toMatchObject({ context: ['Cookies'] });
    expect(chunkMarkdown(text)[0]).toMatchObject({ context: [], startLine: 1 });
  });

  it('does not repeat a title that is a heading too', () => {
    const text = '---\ntitle: Guide\n---\n\n# guide\n\nText.\n\n## Usage\n\nText.';
    expect(headingsOf(text)).toEqual(['Guide', 'guide', 'guide › Usage']);
  });
});
