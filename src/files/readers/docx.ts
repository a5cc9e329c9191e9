import { optionalXml, unpack, xmlOf } from '../content/archive.js';
import { ContentBuilder } from '../content/content-builder.js';
import type { FileContent, ReadLimits } from '../content/file-content.js';
import { invalidFile } from '../content/invalid-file.js';
import { attributeOf, parseXml } from '../content/xml.js';
import { dublinCore } from './office-properties.js';

/** Elements whose text is not part of the document as it is shown. */
const hidden = new Set(['del', 'moveFrom', 'Fallback', 'instrText', 'delText', 'rPr', 'sectPr', 'pPrChange']);

/**
 * The text of a Word document (ECMA-376, WordprocessingML): headings by their styles, paragraphs, lists, tables with a
 * line a row, footnotes. Deleted text, headers and footers of pages are left out. Pages exist only when it is printed.
 */
export function readDocx(bytes: Uint8Array, { maxCharacters }: ReadLimits): FileContent {
  const parts = [
    'word/document.xml',
    'word/styles.xml',
    'word/footnotes.xml',
    'word/endnotes.xml',
    'docProps/core.xml',
  ];
  const entries = unpack(bytes, (name) => parts.includes(name));
  const styles = headingStyles(optionalXml(entries, 'word/styles.xml'));
  const builder = new ContentBuilder(maxCharacters);
  addParagraphs(builder, xmlOf(entries, 'word/document.xml'), styles);
  for (const notes of ['word/footnotes.xml', 'word/endnotes.xml']) {
    addParagraphs(builder, optionalXml(entries, notes), new Map());
  }
  if (builder.isEmpty)
    throw invalidFile('it has no text', 'It may consist of images: run text recognition (OCR) first.');
  return builder.finish(dublinCore(optionalXml(entries, 'docProps/core.xml')));
}

/** The level of headings by the id of a style: from its name, its outline level, or the style that it is based on. */
function headingStyles(xml: string): Map<string, number> {
  const levels = new Map<string, number>();
  const bases = new Map<string, string>();
  let style: string | undefined;
  parseXml(xml, {
    open: (name, attributes) => {
      if (name === 'style') style = attributeOf(attributes, 'styleId');
      if (style === undefined) return;
      const value = attributeOf(attributes, 'val') ?? '';
      if (name === 'name') {
        const level = /^heading (\d)$/i.exec(value)?.[1];
        if (level !== undefined) levels.set(style, Number(level));
        else if (/^title$/i.test(value)) levels.set(style, 1);
      } else if (name === 'basedOn') bases.set(style, value);
      else if (name === 'outlineLvl' && Number(value) < 9) levels.set(style, Number(value) + 1);
    },
    close: (name) => {
      if (name === 'style') style = undefined;
    },
  });
  for (const id of bases.keys()) {
    let base: string | undefined = id;
    for (let step = 0; base !== undefined && !levels.has(base) && step < 20; step++) base = bases.get(base);
    if (base !== undefined && levels.has(base)) levels.set(id, levels.get(base) as number);
  }
  return levels;
}

function addParagraphs(builder: ContentBuilder, xml: string, styles: ReadonlyMap<string, number>): void {
  let [skipped, tables, inText] = [0, 0, false];
  let [text, level, isItem] = ['', 0, false];
  let list: string[] = [];
  let cells: string[] = [];
  let cell: string[] = [];
  const endList = (): void => {
    if (list.length > 0) builder.add('list', list.join('\n'));
    list = [];
  };
  const endParagraph = (): void => {
    const paragraph = text.trim();
    if (tables > 0) cell.push(paragraph);
    else if (paragraph !== '') {
      if (level > 0) {
        endList();
        builder.add('heading', paragraph, { depth: level });
      } else if (isItem) list.push(`- ${paragraph}`);
      else {
        endList();
        builder.add('text', paragraph);
      }
    }
    [text, level, isItem] = ['', 0, false];
  };
  parseXml(xml, {
    open: (name, attributes) => {
      if (skipped > 0 || hidden.has(name)) {
        skipped++;
        return;
      }
      if (name === 't') inText = true;
      else if (name === 'tab') text += '\t';
      else if (name === 'br' || name === 'cr') text += '\n';
      else if (name === 'noBreakHyphen') text += '-';
      else if (name === 'pStyle') level = styles.get(attributeOf(attributes, 'val') ?? '') ?? level;
      else if (name === 'outlineLvl') level = (Number(attributeOf(attributes, 'val')) % 9) + 1;
      else if (name === 'numPr') isItem = true;
      else if (name === 'tbl') {
        if (tables++ === 0) endList();
      } else if (name === 'tr' && tables === 1) cells = [];
      else if (name === 'tc' && tables === 1) cell = [];
    },
    text: (piece) => {
      if (skipped === 0 && inText) text += piece;
    },
    close: (name) => {
      if (skipped > 0) {
        skipped--;
        return;
      }
      if (name === 't') inText = false;
      else if (name === 'p') endParagraph();
      else if (name === 'tc' && tables === 1) cells.push(cell.join(' ').replace(/\s+/g, ' ').trim());
      else if (name === 'tr' && tables === 1) {
        if (cells.some((one) => one !== '')) builder.add('table', cells.join(' | '));
      } else if (name === 'tbl') tables = Math.max(0, tables - 1);
    },
  });
  endList();
}
