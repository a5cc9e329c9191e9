import { optionalXml, resolvePart, unpack, xmlOf } from '../content/archive.js';
import { ContentBuilder } from '../content/content-builder.js';
import type { FileContent, ReadLimits } from '../content/file-content.js';
import { invalidFile } from '../content/invalid-file.js';
import { attributeOf, parseXml, relationships } from '../content/xml.js';
import { dateFormats, dateText } from './cell-dates.js';
import { dublinCore } from './office-properties.js';
import { addRows, type TableRow } from './table.js';

const maxColumns = 16_384;

/**
 * The cells of a workbook (ECMA-376, SpreadsheetML), sheet by sheet: its name as a heading, and each row a block.
 * Formulas count with their last result, dates as ISO 8601. Its pages are its sheets, and its lines are the rows.
 */
export function readXlsx(bytes: Uint8Array, { maxCharacters }: ReadLimits): FileContent {
  const wanted =
    /^(?:xl\/(?:workbook\.xml|sharedStrings\.xml|styles\.xml|_rels\/|worksheets\/sheet)|docProps\/core\.xml)/;
  const entries = unpack(bytes, (name) => wanted.test(name) || /^xl\/worksheets\/[^/]+\.xml$/.test(name));
  const main = 'xl/workbook.xml';
  const links = relationships(optionalXml(entries, 'xl/_rels/workbook.xml.rels'));
  const strings = sharedStrings(optionalXml(entries, 'xl/sharedStrings.xml'));
  const isDate = dateFormats(optionalXml(entries, 'xl/styles.xml'));
  const builder = new ContentBuilder(maxCharacters);
  const sheets = sheetsOf(xmlOf(entries, main));
  sheets.forEach(({ name, id }, position) => {
    const target = links.get(id)?.target;
    if (target === undefined) return;
    const rows = rowsOf(optionalXml(entries, resolvePart(main, target)), strings, isDate);
    if (rows.length === 0) return;
    const page = position + 1;
    builder.add('heading', name, { depth: 1, page, startLine: rows[0]?.startLine });
    addRows(builder, rows, page);
  });
  if (builder.isEmpty) throw invalidFile('it has no cells with text or numbers', 'Check that it is the right file.');
  return builder.finish(dublinCore(optionalXml(entries, 'docProps/core.xml')), {
    pageKind: 'sheet',
    pages: sheets.length,
  });
}

function sheetsOf(xml: string): { readonly name: string; readonly id: string }[] {
  const sheets: { name: string; id: string }[] = [];
  parseXml(xml, {
    open: (element, attributes) => {
      const id = attributes['r:id'] ?? Object.entries(attributes).find(([key]) => key.endsWith(':id'))?.[1];
      const { name, state } = attributes;
      if (element === 'sheet' && name !== undefined && id !== undefined && state !== 'veryHidden') {
        sheets.push({ name, id });
      }
    },
  });
  return sheets;
}

function sharedStrings(xml: string): string[] {
  const strings: string[] = [];
  let [text, inText, phonetic] = ['', false, false];
  parseXml(xml, {
    open: (name) => {
      if (name === 'si') text = '';
      else if (name === 'rPh') phonetic = true;
      else if (name === 't') inText = !phonetic;
    },
    text: (piece) => {
      if (inText) text += piece;
    },
    close: (name) => {
      if (name === 't') inText = false;
      else if (name === 'rPh') phonetic = false;
      else if (name === 'si') strings.push(text);
    },
  });
  return strings;
}

function rowsOf(xml: string, strings: readonly string[], isDate: (style: number) => boolean): TableRow[] {
  const rows: TableRow[] = [];
  let row: { number: number; cells: string[] } = { number: 0, cells: [] };
  let [type, column, style, value, inValue] = ['', 0, 0, '', false];
  parseXml(xml, {
    open: (name, attributes) => {
      if (name === 'row') {
        row = { number: Number(attributeOf(attributes, 'r')) || row.number + 1, cells: [] };
        column = 0;
      } else if (name === 'c') {
        const place = /^[A-Z]{1,3}/.exec(attributeOf(attributes, 'r') ?? '')?.[0];
        column = Math.min(maxColumns, place === undefined ? column + 1 : columnNumber(place));
        type = attributeOf(attributes, 't') ?? 'n';
        style = Number(attributeOf(attributes, 's') ?? 0);
        value = '';
      } else if (name === 'v' || name === 't') inValue = true;
    },
    text: (piece) => {
      if (inValue) value += piece;
    },
    close: (name) => {
      if (name === 'v' || name === 't') inValue = false;
      else if (name === 'c') {
        const text = cellText(type, value, strings, isDate(style));
        if (text !== '') {
          while (row.cells.length < column - 1) row.cells.push('');
          row.cells[column - 1] = text;
        }
      } else if (name === 'row' && row.cells.length > 0) {
        rows.push({ cells: row.cells, startLine: row.number, endLine: row.number });
      }
    },
  });
  return rows;
}

function cellText(type: string, value: string, strings: readonly string[], isDate: boolean): string {
  if (type === 's') return (strings[Number(value)] ?? '').replace(/\s+/g, ' ').trim();
  if (type === 'b') return value === '1' ? 'true' : value === '0' ? 'false' : '';
  if (type === 'n' && isDate && value !== '') return dateText(Number(value)) ?? value;
  return value.replace(/\s+/g, ' ').trim();
}

function columnNumber(letters: string): number {
  return [...letters].reduce((number, letter) => number * 26 + letter.charCodeAt(0) - 64, 0);
}
