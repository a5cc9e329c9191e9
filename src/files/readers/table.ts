import { parse } from 'csv-parse/sync';
import { ContentBuilder } from '../content/content-builder.js';
import type { FileContent, ReadLimits } from '../content/file-content.js';
import { endingOf } from '../content/file-formats.js';
import { invalidFile } from '../content/invalid-file.js';
import { textOf } from './text.js';

/** A row, and its first and last line in the file. */
export interface TableRow {
  readonly cells: readonly string[];
  readonly startLine: number;
  readonly endLine: number;
}

/** The rows of a CSV or TSV file. */
export function readCsv(bytes: Uint8Array, limits: ReadLimits, name: string): FileContent {
  const text = textOf(bytes, limits);
  const delimiter = endingOf(name) === 'tsv' ? '\t' : [',', ';', '\t'];
  const rows: TableRow[] = [];
  let line = 1;
  try {
    const options = { delimiter, info: true, relax_column_count: true, skip_empty_lines: true, bom: true } as const;
    const found = parse(text, options) as unknown as { record: string[]; info: { lines: number } }[];
    for (const { record, info } of found) {
      rows.push({ cells: record, startLine: line, endLine: Math.max(line, info.lines) });
      line = info.lines + 1;
    }
  } catch (cause) {
    throw invalidFile((cause as Error).message, 'Check its quotes and delimiters.', cause);
  }
  const builder = new ContentBuilder(limits.maxCharacters);
  addRows(builder, rows);
  return builder.finish({});
}

/** The records of a JSONL file, one block each. */
export function readJsonl(bytes: Uint8Array, limits: ReadLimits): FileContent {
  const builder = new ContentBuilder(limits.maxCharacters);
  textOf(bytes, limits)
    .split(/\r?\n/)
    .forEach((line, position) => {
      if (line.trim() === '') return;
      const at = position + 1;
      builder.add('table', recordText(line, at), { startLine: at, endLine: at });
    });
  return builder.finish({});
}

function recordText(line: string, at: number): string {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch (cause) {
    throw invalidFile(`line ${at}: ${(cause as Error).message}`, 'Each line is one JSON value.', cause);
  }
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    return typeof record === 'string' ? record : line;
  }
  const fields = Object.entries(record).filter(([, value]) => value !== null && value !== '');
  return fields
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('; ');
}

/**
 * Appends the rows of a table, each a block. Where the first row has a name for every column, each later row is written
 * as `name: value; name: value`, so that it can be understood alone.
 */
export function addRows(builder: ContentBuilder, rows: readonly TableRow[], page?: number): void {
  const [header] = rows;
  const names = header !== undefined && rows.length > 1 && isHeader(header.cells) ? header.cells : undefined;
  rows.forEach(({ cells, startLine, endLine }, position) => {
    const text =
      names === undefined || position === 0
        ? cells.filter((cell) => cell.trim() !== '').join(' | ')
        : cells
            .map((cell, column) => [names[column] ?? '', cell.trim()] as const)
            .filter(([, cell]) => cell !== '')
            .map(([name, cell]) => (name === '' ? cell : `${name.trim()}: ${cell}`))
            .join('; ');
    builder.add('table', text, { page, startLine, endLine });
  });
}

/** Whether cells are names of columns: all different, and none a number. */
function isHeader(cells: readonly string[]): boolean {
  const names = cells.map((cell) => cell.trim());
  return (
    names.length > 1 &&
    new Set(names).size === names.length &&
    names.every((name) => name !== '' && name.length <= 80 && !Number.isFinite(Number(name)))
  );
}
