import type { FileReader, ParsedContent, ReadLimits } from './content/file-content.js';
import { type FileFormat, zipFormats } from './content/file-formats.js';
import { invalidFile } from './content/invalid-file.js';
import { placeBlocks } from './content/place-blocks.js';

/** Loads the reader of a format; each is loaded when its first file is read. */
const readers: Readonly<Record<FileFormat, () => Promise<FileReader>>> = {
  markdown: async () => (await import('./readers/text.js')).readMarkdown,
  text: async () => (await import('./readers/text.js')).readText,
  html: async () => (await import('./readers/html.js')).readHtml,
  notebook: async () => (await import('./readers/notebook.js')).readNotebook,
  code: async () => (await import('./readers/code.js')).readCode,
  csv: async () => (await import('./readers/table.js')).readCsv,
  jsonl: async () => (await import('./readers/table.js')).readJsonl,
  pdf: async () => (await import('./readers/pdf.js')).readPdf,
  docx: async () => (await import('./readers/docx.js')).readDocx,
  pptx: async () => (await import('./readers/pptx.js')).readPptx,
  xlsx: async () => (await import('./readers/xlsx.js')).readXlsx,
  epub: async () => (await import('./readers/epub.js')).readEpub,
  email: async () => (await import('./readers/email.js')).readEmail,
};

/**
 * The text of a file with the place of every block, by the reader of its format.
 *
 * @throws INVALID_FILE (damaged, encrypted, without text, of another format), TOO_LARGE, MISSING_PEER.
 */
export async function readContent(
  bytes: Uint8Array,
  format: FileFormat,
  name: string,
  limits: ReadLimits,
): Promise<ParsedContent> {
  checkFirstBytes(bytes, format);
  const read = await readers[format]();
  return placeBlocks(format, await read(bytes, limits, name));
}

/** First bytes of formats that are not text. */
const signatures: readonly (readonly [what: string, bytes: string])[] = [
  ['a PDF file', '%PDF-'],
  ['a ZIP archive, as DOCX, PPTX, XLSX and EPUB files are', 'PK\x03\x04'],
  ['an encrypted or old Office file (.doc, .xls, .ppt)', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'],
  ['a PNG image', '\x89PNG'],
  ['a JPEG image', '\xff\xd8\xff'],
  ['a GIF image', 'GIF8'],
  ['a gzip file', '\x1f\x8b\x08'],
  ['a program', '\x7fELF'],
];

/** @throws INVALID_FILE when the first bytes are those of another format. */
function checkFirstBytes(bytes: Uint8Array, format: FileFormat): void {
  const first = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 1024)).toString('latin1');
  const found = signatures.find(([, signature]) => first.startsWith(signature))?.[0];
  const rename = 'Name it after its format, or leave it out.';
  if (bytes.byteLength === 0 && (format === 'pdf' || zipFormats.includes(format))) {
    throw invalidFile('it is empty', rename);
  }
  if (format === 'pdf') {
    // Some begin with other bytes: the header is in the first kilobyte.
    if (!first.includes('%PDF-')) throw invalidFile(`it is not a PDF file but ${found ?? 'something else'}`, rename);
  } else if (zipFormats.includes(format)) {
    if (!first.startsWith('PK')) {
      const hint = found?.includes('Office') === true ? 'Save it without a password in the current format.' : rename;
      const article = /^[ex]/.test(format) ? 'an' : 'a';
      throw invalidFile(`it is not ${article} ${format.toUpperCase()} file but ${found ?? 'something else'}`, hint);
    }
  } else if (found !== undefined) throw invalidFile(`it is not text but ${found}`, rename, undefined, 'binary');
}
