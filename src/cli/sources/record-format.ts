import { SemanticIndexError } from '../../index.js';

/** Kinds of files that hold many documents; `text` is one document as a whole. */
export const recordFormats = ['jsonl', 'csv', 'tsv', 'lines', 'text'] as const;

/** One of {@link recordFormats}. */
export type RecordFormat = (typeof recordFormats)[number];

/** The format that the name of a file implies; undefined for texts to be cut into chunks. */
export function formatOf(path: string): RecordFormat | undefined {
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  if (ending === 'jsonl' || ending === 'ndjson') return 'jsonl';
  return ending === 'csv' || ending === 'tsv' ? ending : undefined;
}

/**
 * The format of what comes through stdin: only the flag names it.
 *
 * @throws INVALID_ARGUMENT when it is not named.
 */
export function stdinFormat(format: RecordFormat | undefined): RecordFormat {
  if (format !== undefined) return format;
  throw new SemanticIndexError('INVALID_ARGUMENT', 'The format of what comes through stdin is not known', {
    hint: 'Name it: --format jsonl, csv, tsv, lines (each line a document) or text (one document).',
  });
}
