import { optionalXml, resolvePart, unpack, xmlOf } from '../content/archive.js';
import { ContentBuilder } from '../content/content-builder.js';
import type { FileContent, ReadLimits } from '../content/file-content.js';
import { invalidFile } from '../content/invalid-file.js';
import { attributeOf, parseXml, relationships } from '../content/xml.js';
import { dublinCore } from './office-properties.js';

/**
 * The text of a presentation (ECMA-376, PresentationML), slide by slide in the order in which they are shown: the title
 * as a heading, the text of its shapes and tables, and the notes. Its pages are its slides.
 */
export function readPptx(bytes: Uint8Array, { maxCharacters }: ReadLimits): FileContent {
  const wanted = /^(?:ppt\/(?:presentation\.xml|_rels\/|slides\/|notesSlides\/)|docProps\/core\.xml)/;
  const entries = unpack(bytes, (name) => wanted.test(name) && /\.(?:xml|rels)$/.test(name));
  const main = 'ppt/presentation.xml';
  const links = relationships(optionalXml(entries, 'ppt/_rels/presentation.xml.rels'));
  const slides = slideIds(xmlOf(entries, main)).flatMap((id) => {
    const target = links.get(id)?.target;
    return target === undefined ? [] : [resolvePart(main, target)];
  });
  const builder = new ContentBuilder(maxCharacters);
  slides.forEach((slide, position) => {
    const page = position + 1;
    addShapes(builder, optionalXml(entries, slide), page, false);
    const own = relationships(optionalXml(entries, slide.replace(/([^/]+)$/, '_rels/$1.rels')));
    const notes = [...own.values()].find(({ type }) => type === 'notesSlide');
    if (notes !== undefined) addShapes(builder, optionalXml(entries, resolvePart(slide, notes.target)), page, true);
  });
  if (builder.isEmpty)
    throw invalidFile('it has no text', 'It may consist of images: run text recognition (OCR) first.');
  return builder.finish(dublinCore(optionalXml(entries, 'docProps/core.xml')), {
    pageKind: 'slide',
    pages: slides.length,
  });
}

function slideIds(xml: string): string[] {
  const ids: string[] = [];
  parseXml(xml, {
    open: (name, attributes) => {
      const id = attributes['r:id'] ?? Object.entries(attributes).find(([key]) => key.endsWith(':id'))?.[1];
      if (name === 'sldId' && id !== undefined) ids.push(id);
    },
  });
  return ids;
}

/** Placeholders with the number of the slide, the date and other text that every slide repeats. */
const repeated = new Set(['sldNum', 'dt', 'ftr', 'hdr', 'sldImg']);

function addShapes(builder: ContentBuilder, xml: string, page: number, areNotes: boolean): void {
  let [placeholder, inText, inTable] = ['', false, false];
  let paragraph = '';
  let paragraphs: string[] = [];
  let cells: string[] = [];
  const endShape = (): void => {
    const text = paragraphs.filter((one) => one !== '').join('\n');
    paragraphs = [];
    if (text === '' || repeated.has(placeholder)) return;
    if (areNotes) builder.add('text', `Notes: ${text}`, { page });
    else if (placeholder === 'title' || placeholder === 'ctrTitle') builder.add('heading', text, { depth: 1, page });
    else builder.add(text.includes('\n') ? 'list' : 'text', text, { page });
  };
  parseXml(xml, {
    open: (name, attributes) => {
      if (name === 'sp') [placeholder, paragraphs] = ['', []];
      else if (name === 'ph') placeholder = attributeOf(attributes, 'type') ?? 'body';
      else if (name === 'tbl') inTable = true;
      else if (name === 'tr') cells = [];
      else if (name === 'tc') paragraphs = [];
      else if (name === 't') inText = true;
      else if (name === 'br') paragraph += '\n';
      else if (name === 'tab') paragraph += '\t';
    },
    text: (piece) => {
      if (inText) paragraph += piece;
    },
    close: (name) => {
      if (name === 't') inText = false;
      else if (name === 'p') {
        paragraphs.push(paragraph.trim());
        paragraph = '';
      } else if (name === 'sp') endShape();
      else if (name === 'tc' && inTable) cells.push(paragraphs.join(' ').replace(/\s+/g, ' ').trim());
      else if (name === 'tr' && inTable && cells.some((cell) => cell !== '')) {
        builder.add('table', cells.join(' | '), { page });
      } else if (name === 'tbl') [inTable, paragraphs] = [false, []];
    },
  });
}
