import { addAbortSignal, Readable } from 'node:stream';
import type { CsvError } from 'csv-parse';
import { SemanticIndexError } from '../../index.js';

/** A row of a table. */
export interface TableRow {
  readonly record: Readonly<Record<string, string>>;
  /** The line that it begins on, from 1. */
  readonly line: number;
}

/**
 * The rows of comma- or tab-separated values, by the names in the first line. In CSV quotes are as in RFC 4180; in TSV, as
 * text/tab-separated-values has it, they are data. Rows that cannot be read go to `onInvalid`.
 *
 * @throws INVALID_FILE when the first line names a column twice.
 */
export async function* readTable(
  characters: AsyncIterable<string>,
  name: string,
  format: 'csv' | 'tsv',
  onInvalid: (line: number, message: string, cause: unknown) => void,
  signal: AbortSignal,
): AsyncGenerator<TableRow> {
  const { parse } = await import('csv-parse');
  const skipped: CsvError[] = [];
  let header: readonly string[] = [];
  const parser = parse({
    columns: (names: string[]) => {
      header = names;
      return names;
    },
    delimiter: format === 'tsv' ? '\t' : ',',
    ...(format === 'tsv' && { quote: false }),
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: (error: CsvError | undefined) => {
      if (error !== undefined) skipped.push(error);
      return undefined;
    },
    info: true,
  });
  addAbortSignal(signal, parser);
  const source = Readable.from(characters, { objectMode: false, encoding: 'utf8' });
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  // What is thrown within the parser would be skipped too.
  const report = (): void => {
    checkHeader(header, name);
    for (const error of skipped.splice(0)) onInvalid(Number(error.lines ?? 0), withoutPlace(error.message), error);
  };
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: Record<string, string>;
      info: { lines: number };
    }>) {
      report();
      // The parser counts to the end of a row.
      const within = Object.values(record).reduce((sum, cell) => sum + (cell.match(/\r\n|\n|\r/g)?.length ?? 0), 0);
      yield { record, line: info.lines - within };
    }
    report();
  } finally {
    source.destroy();
  }
}

function checkHeader(header: readonly string[], name: string): void {
  const twice = header.find((column, position) => header.indexOf(column) !== position);
  if (twice === undefined) return;
  throw new SemanticIndexError('INVALID_FILE', `${name}, line 1: the column "${twice}" is there twice`, {
    hint: 'Give each column a name of its own in the first line.',
  });
}

function withoutPlace(message: string): string {
  return message.replace(/,? (?:at|on) line \d+/g, '');
}
