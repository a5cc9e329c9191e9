import { ContentBuilder, properties } from '../content/content-builder.js';
import type { FileContent, ReadLimits } from '../content/file-content.js';
import { invalidFile, loadPackage } from '../content/invalid-file.js';
import { usefulTitle } from './office-properties.js';
import { linesOfPage, type PdfLine, paragraphsOf } from './pdf-lines.js';

/**
 * The text of a PDF file, page by page, as PDF.js extracts it. Lines are joined to paragraphs; lines in larger type are
 * headings. Scanned pages have no text.
 */
export async function readPdf(bytes: Uint8Array, { maxCharacters }: ReadLimits): Promise<FileContent> {
  const { getDocumentProxy } = await loadPackage(() => import('unpdf'), 'PDF', 'unpdf');
  let document: Awaited<ReturnType<typeof getDocumentProxy>>;
  try {
    document = await getDocumentProxy(bytes, { verbosity: 0, isEvalSupported: false, stopAtErrors: false });
  } catch (cause) {
    if ((cause as Error).name === 'PasswordException') {
      throw invalidFile('it is encrypted with a password', 'Save it without a password.', cause);
    }
    throw invalidFile(`it is damaged: ${(cause as Error).message}`, 'Open it in a viewer, and save it again.', cause);
  }
  const pages: PdfLine[][] = [];
  let characters = 0;
  for (let number = 1; number <= document.numPages; number++) {
    try {
      const page = await document.getPage(number);
      const { items } = await page.getTextContent();
      pages.push(linesOfPage(items.filter((item) => 'str' in item)));
      page.cleanup();
    } catch (cause) {
      throw invalidFile(`page ${number} is damaged: ${(cause as Error).message}`, 'Save it again.', cause);
    }
    characters += (pages.at(-1) as PdfLine[]).reduce((sum, { text }) => sum + text.length, 0);
    // The builder would find out at the end only.
    if (characters > maxCharacters) break;
  }
  const builder = new ContentBuilder(maxCharacters);
  for (const { page, text, depth } of paragraphsOf(pages)) {
    builder.add(depth > 0 ? 'heading' : 'text', text, { depth, page });
  }
  if (builder.isEmpty) {
    throw invalidFile(
      `it has no text on its ${document.numPages === 1 ? 'page' : `${document.numPages} pages`}`,
      'It is probably scanned: run text recognition (OCR) first, such as ocrmypdf.',
    );
  }
  const { info } = (await document.getMetadata()) as unknown as { info: Readonly<Record<string, unknown>> };
  const text = (name: string): string | undefined => (typeof info[name] === 'string' ? info[name] : undefined);
  const content = builder.finish(
    properties({
      title: usefulTitle(text('Title')),
      author: text('Author'),
      language: text('Language'),
      created: pdfDate(text('CreationDate')),
      modified: pdfDate(text('ModDate')),
    }),
    { pageKind: 'page', pages: document.numPages },
  );
  await document.destroy();
  return content;
}

/** A date of the form `D:20240131120000+01'00'` (ISO 32000-1, 7.9.4) as ISO 8601. */
function pdfDate(date: string | undefined): string | undefined {
  const parts = /^D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z)|([+-])(\d\d)'?(\d\d)?)?/.exec(date ?? '');
  if (parts === null) return undefined;
  const [, year, month = '01', day = '01', hour = '00', minute = '00', second = '00', , sign, h = '00', m = '00'] =
    parts;
  const zone = sign === undefined ? 'Z' : `${sign}${h}:${m}`;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
