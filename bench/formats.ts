// What comes out of files of every format: small ones, large ones, hostile ones, and ones with a wrong extension; and whether five
// answers planted in each are cited by the right page or line. The files are made here; more can be named.
// Run: npx tsx bench/formats.ts --help
import { readFileSync } from 'node:fs';
import { strToU8, zipSync } from 'fflate';
import { chunkDocuments, parseFile, SemanticIndexError } from 'semantic-index';
import { type Sample, samples } from '../test/files/format-samples.js';
import { archive, docx, epub, html, pdf } from '../test/files/sample-files.js';
import { benchFlags } from './flags.js';

const flags = benchFlags(
  'Reads files of every format and prints a table: what came out, and how many of five citations are right.',
  { small: [6, 'parts of the small files'], large: [2000, 'parts of the large files'] },
  { operands: '[files...]', notes: 'Files that are named are read as well, and printed with their time.' },
);

const bomb = zipSync({ 'word/document.xml': [new Uint8Array(300_000_000), { level: 9 }] });
/** A file of each format that is meant to break its reader. */
const hostile: Readonly<Record<string, readonly [what: string, bytes: Uint8Array]>> = {
  '.md': ['a NUL byte', strToU8('# A\0\n')],
  '.txt': ['another encoding', Buffer.from('Größe', 'latin1')],
  '.eml': ['no message', strToU8('Hello\n')],
  '.html': ['200,000 nested elements', html(`${'<div>'.repeat(200_000)}x${'</div>'.repeat(200_000)}`)],
  '.pdf': ['scanned: no text', pdf([[], []])],
  '.docx': ['bomb of 300 MB', bomb],
  '.pptx': ['bomb of 300 MB', bomb],
  '.xlsx': ['XML without end', archive({ 'xl/workbook.xml': '<workbook>'.repeat(20_000) })],
  '.epub': ['copy-protected', epub([['a', 'b']], true)],
  '.ipynb': ['damaged JSON', strToU8('{"cells":[')],
  '.csv': ['an open quote', strToU8('a,b\n"c,d\n')],
  '.jsonl': ['a line that is not JSON', strToU8('{}\n{\n')],
  '.py': ['another encoding', Buffer.from('a = "ß"', 'latin1')],
};

async function outcome(bytes: Uint8Array, name: string): Promise<string> {
  const began = performance.now();
  const time = (): string => `${Math.round(performance.now() - began)} ms`;
  try {
    const { text, blocks, pages, pageKind } = await parseFile(bytes, { name });
    const counted = pages === undefined ? '' : `, ${pages} ${pageKind}s`;
    return `${text.length} characters, ${blocks.length} blocks${counted}, ${time()}`;
  } catch (error) {
    if (!SemanticIndexError.is(error)) throw error;
    return `${error.code}: ${(error.details.reason as string | undefined) ?? error.message}, ${time()}`;
  }
}

/** How many of five planted answers are in exactly one chunk, with the page or lines that they are on. */
async function rightCitations({ name, make, page, line, heading }: Sample, count: number): Promise<number> {
  const chunks = chunkDocuments(await parseFile(make(count), { name }));
  const planted = [0, 1, count >> 2, count >> 1, count - 1];
  return planted.filter((n) => {
    const cited = chunks.filter(({ text }) => new RegExp(`Answer ${n}\\b`).test(text));
    const place = cited[0]?.metadata?.chunk;
    if (cited.length !== 1 || place === undefined) return false;
    const isIn = (at: number, first = 0, last = first): boolean => first <= at && at <= last;
    return (
      // Short neighbors in source code share a chunk.
      (line !== undefined || place.headings.join(' › ').includes(heading(n))) &&
      (page === undefined || isIn(page(n), place.page, place.endPage)) &&
      (line === undefined || isIn(line(n), place.startLine, place.endLine))
    );
  }).length;
}

const rows = [['format', 'small', 'large', 'hostile', 'wrong extension', 'citations']];
for (const sample of samples) {
  const ending = sample.name.slice(sample.name.lastIndexOf('.'));
  const [what, bytes] = hostile[ending] as readonly [string, Uint8Array];
  const wrong = ending === '.docx' ? pdf([['a']]) : docx([['a', 'b']]);
  rows.push([
    sample.name,
    await outcome(sample.make(flags.small), sample.name),
    await outcome(sample.make(flags.large), sample.name),
    `${what}: ${await outcome(bytes, `x${ending}`)}`,
    await outcome(wrong, `x${ending}`),
    `${await rightCitations(sample, flags.small)} and ${await rightCitations(sample, flags.large)} of 5`,
  ]);
}
for (const [at, row] of rows.entries()) {
  console.log(`| ${row.join(' | ')} |`);
  if (at === 0) console.log(`|${' --- |'.repeat(row.length)}`);
}
for (const path of flags.operands) console.log(`${path}: ${await outcome(readFileSync(path), path)}`);
