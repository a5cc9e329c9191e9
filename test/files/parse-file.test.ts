import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { afterAll, describe, expect, it } from 'vitest';
import { SemanticIndexError } from '../../src/errors.js';
import { parseFile } from '../../src/files/parse-file.js';
import { chunkDocuments } from '../../src/rag/chunking/chunk-documents.js';
import { many, type Sample, samples, words } from './format-samples.js';
import { archive, docx, eml, epub, html, pdf, pptx } from './sample-files.js';

const folder = mkdtempSync(join(tmpdir(), 'semantic-index-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('parseFile', () => {
  it.each(samples)('reads $name, small and large, with headings and citations', async (sample) => {
    for (const count of [6, 400]) {
      const file = await parseFile(sample.make(count), { name: sample.name });
      expect(file.properties).toMatchObject(sample.properties);
      for (const block of file.blocks) expect(block.start).toBeLessThan(block.end);
      if (sample.page !== undefined && sample.name !== 'a.xlsx') expect(file.pages).toBe(count);
      const chunks = chunkDocuments(file);
      for (const n of [0, 1, 2, count >> 1, count - 1]) {
        const at = file.text.search(new RegExp(`Answer ${n}\\b`));
        expect(at, `answer ${n}`).toBeGreaterThanOrEqual(0);
        const blocks = file.blocks.filter(({ start, end }) => start <= at && at < end);
        const block = blocks.at(-1);
        expect(block?.headings.join(' › ')).toContain(sample.heading(n));
        if (sample.page !== undefined) expect(block?.page).toBe(sample.page(n));
        const line = sample.line?.(n);
        if (line !== undefined) {
          expect(block?.startLine).toBeLessThanOrEqual(line);
          expect(block?.endLine).toBeGreaterThanOrEqual(line);
        }
        const cited = chunks.filter(({ text }) => new RegExp(`Answer ${n}\\b`).test(text));
        expect(cited).toHaveLength(1);
        const place = cited[0]?.metadata?.chunk;
        if (line !== undefined) {
          expect(place?.startLine).toBeLessThanOrEqual(line);
          expect(place?.endLine).toBeGreaterThanOrEqual(line);
        }
        const page = sample.page?.(n);
        if (page !== undefined) {
          expect(place?.page).toBeLessThanOrEqual(page);
          expect(place?.endPage).toBeGreaterThanOrEqual(page);
        }
      }
    }
  });

  it('leaves out what is not content, and joins what belongs together', async () => {
    const text = async (name: string): Promise<string> =>
      (await parseFile((samples.find((one) => one.name === name) as Sample).make(6), { name })).text;
    expect(await text('a.html')).not.toMatch(/Home|Imprint|var x/);
    expect(await text('b.html')).not.toMatch(/Home|Imprint|var x/);
    expect(await text('a.pdf')).toContain('is divided at the end');
    expect(await text('a.docx')).toContain('- first item\n- second item\n\nCity | Country\nGraz | Austria');
    expect(await text('a.docx')).not.toContain('removed words');
    expect(await text('a.pptx')).toContain('Notes: Spoken 3');
    expect(await text('a.pptx')).not.toMatch(/\b7\b/);
    expect(await text('a.xlsx')).toContain('Price: 3.5; Since: 2024-01-02');
    expect(await text('a.ipynb')).not.toContain('not indexed');
    const mail = await parseFile(eml('Plans', 'We meet at noon.'), { name: 'a.eml' });
    expect(mail.text).toBe(
      'Plans\n\nFrom: Ada <ada@example.org>\nTo: bob@example.org\nDate: 2024-03-01T10:00:00.000Z\nAttachments: plan.pdf\n\nWe meet at noon.',
    );
    expect(mail.properties).toEqual({
      format: 'email',
      title: 'Plans',
      author: 'Ada <ada@example.org>',
      created: '2024-03-01T10:00:00.000Z',
    });
  });

  it('keeps preformatted text, lists and tables of HTML', async () => {
    const page = html(
      '<h1>T#</h1><pre>a\n  b</pre><ol><li>x</li><li>y<ul><li>z</li></ul></li></ol><table><tr><th>K<th>V<tr><td>1<td>2</table>',
    );
    const { text, blocks } = await parseFile(page, { name: 'x.html' });
    expect(text).toBe('T\n\na\n  b\n\n1. x\n2. y\n  - z\n\nK | V\n1 | 2');
    expect(blocks.map(({ kind }) => kind)).toEqual(['heading', 'code', 'list', 'table', 'table']);
  });

  const bomb = zipSync({ 'word/document.xml': [new Uint8Array(300_000_000), { level: 9 }] });
  const laughs = `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">${many(40, (n) => `<!ENTITY c${n} "${`&c${n + 1};`.repeat(10)}">`).join('')}]><w:document><w:p><w:t>text &c0;</w:t></w:p></w:document>`;
  const deep = (n: number): string => `${'<div>'.repeat(n)}bottom${'</div>'.repeat(n)}`;
  const truncated = (bytes: Uint8Array): Uint8Array => bytes.slice(0, bytes.length >> 1);

  it.each<[what: string, name: string, bytes: () => Uint8Array, reason: RegExp, code?: string]>([
    ['a ZIP bomb', 'x.docx', () => bomb, /unpacks to more than/, 'TOO_LARGE'],
    ['a truncated archive', 'x.docx', () => truncated(docx([['a', 'b']])), /archive is damaged/],
    ['a truncated PDF file without pages', 'x.pdf', () => Buffer.from('%PDF-1.7\n1 0 obj\n<<'), /damaged: .*[^.]$/],
    ['a PDF file without text', 'x.pdf', () => pdf([[], []]), /no text on its 2 pages/],
    [
      'an encrypted PDF file',
      'x.pdf',
      () =>
        pdf(
          [['a']],
          `/Encrypt << /Filter /Standard /V 1 /R 2 /O (${'x'.repeat(32)}) /U (${'y'.repeat(32)}) /P -1 >> /ID [(a) (a)]`,
        ),
      /encrypted/,
    ],
    ['an encrypted Office file', 'x.docx', () => Buffer.from('d0cf11e0a1b11ae100', 'hex'), /encrypted or old Office/],
    ['a copy-protected book', 'x.epub', () => epub([['a', 'b']], true), /encrypted/],
    ['a DOCX file named .xlsx', 'x.xlsx', () => docx([['a', 'b']]), /no part xl\/workbook.xml/],
    ['a PDF file named .docx', 'x.docx', () => pdf([['a']]), /not a DOCX file but a PDF/],
    ['text named .pdf', 'x.pdf', () => strToU8('hello'), /not a PDF/],
    ['text named .epub', 'x.epub', () => strToU8('hello'), /not an EPUB/],
    ['a PDF file named .txt', 'x.txt', () => pdf([['a']]), /not text but a PDF/],
    ['a ZIP archive named .md', 'x.md', () => archive({ a: 'b' }), /not text but a ZIP/],
    ['a picture named .html', 'x.html', () => Buffer.from('89504e470d0a1a0a0000', 'hex'), /PNG/],
    ['elements without end', 'x.html', () => html(deep(200_000)), /nested more than 10,000 deep/],
    ['XML without end', 'x.docx', () => archive({ 'word/document.xml': '<w:p>'.repeat(20_000) }), /nested more than/],
    ['an empty presentation', 'x.pptx', () => pptx([['', '', '']]), /no text/],
    ['an empty file', 'x.xlsx', () => new Uint8Array(), /empty/],
    ['a page that scripts fill', 'x.html', () => html('<div id="app"></div>').filter((_, at) => at < 0), /no text/],
    ['JSON that is not a notebook', 'x.ipynb', () => strToU8('{"a":1}'), /no cells/],
    ['damaged JSON', 'x.ipynb', () => strToU8('{"cells":['), /not valid JSON/],
    ['text that is not a message', 'x.eml', () => strToU8('hello\n'), /not an e-mail/],
    ['CSV with an open quote', 'x.csv', () => strToU8('a,b\n"c,d\n'), /[Qq]uote/],
    ['a line that is not JSON', 'x.jsonl', () => strToU8('{}\n{\n'), /line 2/],
    ['text in another encoding', 'x.py', () => Buffer.from('a = "ß"', 'latin1'), /not UTF-8: line 1/],
    ['another format', 'x.wat', () => strToU8('a'), /\.wat are not read/, 'UNSUPPORTED'],
  ])('reports %s', async (_, name, bytes, reason, code = 'INVALID_FILE') => {
    const error = await parseFile(bytes(), { name }).catch((thrown: unknown) => thrown);
    expect(SemanticIndexError.is(error) ? error.code : error).toBe(code);
    expect((error as Error).message).toMatch(reason);
    expect((error as Error).message.startsWith(`${name}: `)).toBe(true);
    expect((error as SemanticIndexError).hint).not.toBe('');
  });

  it('survives entities that multiply and elements nested without end', async () => {
    const laughing = await parseFile(archive({ 'word/document.xml': laughs }), { name: 'x.docx' });
    expect(laughing.text.length).toBeLessThan(100);
    for (const wrap of ['main', 'div']) {
      expect((await parseFile(html(deep(4000), wrap), { name: 'x.html' })).text).toContain('bottom');
    }
    const code = await parseFile(strToU8(`x = ${'('.repeat(20_000)}`), { name: 'x.py' });
    expect(chunkDocuments(code).length).toBeGreaterThan(0);
  });

  it('ends a file at its limits of size and time, and goes on', async () => {
    const path = join(folder, 'huge.txt');
    writeFileSync(path, '');
    // A sparse file: nothing of it is read.
    truncateSync(path, 2 ** 31);
    await expect(parseFile(path)).rejects.toMatchObject({ code: 'TOO_LARGE', message: expect.stringContaining(path) });
    await expect(parseFile(strToU8('abc'), { name: 'a.txt', maxFileBytes: 2 })).rejects.toMatchObject({
      code: 'TOO_LARGE',
    });
    const long = docx([['a', words(5000)]]);
    await expect(parseFile(long, { name: 'a.docx', maxCharacters: 999 })).rejects.toMatchObject({ code: 'TOO_LARGE' });
    // Seconds of work, and nothing in it that ends it earlier.
    const slow = strToU8(`<main>${'<p>some words</p>'.repeat(300_000)}`);
    await expect(parseFile(slow, { name: 'a.html', timeout: 5 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    const stop = new AbortController();
    const stopped = parseFile(slow, { name: 'a.html', signal: stop.signal });
    stop.abort();
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    expect((await parseFile(html('<p>still there</p>'), { name: 'a.html' })).text).toBe('still there');
  });

  it('refuses bad arguments before any work', async () => {
    const codeOf = (...args: unknown[]): Promise<string> =>
      parseFile(...(args as [string])).then(
        () => 'none',
        (error) => error.code,
      );
    expect(await codeOf(new Uint8Array())).toBe('INVALID_ARGUMENT');
    expect(await codeOf(7)).toBe('INVALID_ARGUMENT');
    expect(await codeOf('a.md', { timeout: 0 })).toBe('INVALID_ARGUMENT');
    expect(await codeOf('a.md', { encoding: 'none' })).toBe('INVALID_ARGUMENT');
    expect(await codeOf('a.md', { size: 1 })).toBe('UNKNOWN_OPTION');
    expect(await codeOf(join(folder, 'nowhere.md'))).toBe('IO');
    expect(await codeOf(folder, { name: 'a.md' })).toBe('IO');
  });
});
