import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  type DuplicateMeasure,
  type Duplicates,
  findDuplicates,
  type LongWorkOptions,
  type Representative,
  SemanticIndex,
  SemanticIndexError,
} from '../../index.js';
import type { InvalidRecord } from './record-checks.js';
import { quoted, RecordFile, type RecordReading, writeLines } from './rewrite-records.js';

/** How a file of records is read and de-duplicated. */
export interface FileDedupe extends RecordReading {
  readonly output: string | undefined;
  readonly report: string | undefined;
  readonly threshold: number | undefined;
  readonly measure: DuplicateMeasure | undefined;
  readonly near: boolean;
  readonly representative: Representative;
  readonly onProgress: LongWorkOptions['onProgress'];
}

/** What was found; `duplicates` is valid while `inspect` runs. */
export interface FileDedupeResult {
  readonly rows: number;
  readonly duplicates: number;
  readonly groups: number;
  /** Records written to the output. */
  readonly kept: number | undefined;
  /** Records that were left out: neither compared nor written. */
  readonly invalid: readonly InvalidRecord[];
}

const rowsPerBatch = 4096;

/**
 * Finds duplicates among the records of a file by the text of one column, in an index in a temporary directory. Writes the records that
 * stay, as they are and in order, and a report of the others. `inspect` sees the duplicates, whose ids are numbers of records, and the
 * lines that these begin on.
 */
export async function dedupeFile(
  path: string,
  options: FileDedupe,
  inspect: (duplicates: Duplicates, lines: readonly number[]) => Promise<void>,
): Promise<FileDedupeResult> {
  const { output, report, signal, onProgress } = options;
  for (const target of [output, report]) {
    if (target === '-') {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'dedupe: expected the path of a file, got -', {
        hint: 'The standard output has what was found. Name a file, such as out.csv.',
      });
    }
    if (target === undefined || resolve(target) !== resolve(path)) continue;
    throw new SemanticIndexError('INVALID_ARGUMENT', `${target} is the file that is read`, {
      hint: 'Name another file.',
    });
  }
  const file = await RecordFile.open(path, options);
  const folder = await mkdtemp(join(tmpdir(), 'semantic-index-dedupe-'));
  try {
    await using index = await SemanticIndex.open(folder, { ann: { background: false } });
    const lines: number[] = [0];
    await index.addDocuments(documentsOf(file, lines, onProgress), { batchSize: rowsPerBatch, signal });
    await index.optimize({ signal, onProgress });
    const { threshold, measure, near, representative } = options;
    const found = await findDuplicates(index, { threshold, measure, near, representative, signal, onProgress });
    await inspect(found as unknown as Duplicates, lines);
    if (report !== undefined) {
      await writeLines(report, signal, () => reportOf(found as unknown as Duplicates, lines, onProgress));
    }
    const gone = new Set(found.ids);
    const total = lines.length - 1;
    const onRow = (row: number): void => onProgress?.({ stage: 'write', done: row, total });
    const kept = output === undefined ? undefined : await file.write(output, (row) => !gone.has(row), onRow);
    return { rows: total, duplicates: gone.size, groups: found.groups.length, kept, invalid: [...file.invalid] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Records with a text as documents; their numbers are the ids. A record without text stays. */
async function* documentsOf(
  file: RecordFile,
  lines: number[],
  onProgress: LongWorkOptions['onProgress'],
): AsyncGenerator<{ id: number; text: string }> {
  for await (const { row, line, text } of file.records()) {
    lines.push(line);
    if (row % rowsPerBatch === 0) onProgress?.({ stage: 'read', done: row, total: row });
    if (text.trim() !== '') yield { id: row, text };
  }
}

/** One row per duplicate: where it is, of which record, how likely, and what differs. */
async function* reportOf(
  found: Duplicates,
  lines: readonly number[],
  onProgress: LongWorkOptions['onProgress'],
): AsyncGenerator<string> {
  yield 'line,duplicate_of_line,kind,value,removed,added,text,duplicate_of_text';
  const total = found.ids.length;
  let done = 0;
  for (const { representative, duplicates } of found.groups) {
    for (const { id, kind, value } of duplicates) {
      const { first, second, removed, added } = await found.explain(id);
      const cells = [removed.join(' … '), added.join(' … '), second.text, first.text].map(quoted);
      const [own, other] = [lines[id as number], lines[representative as number]];
      yield [own, other, kind, value.toFixed(3), ...cells].join(',');
      onProgress?.({ stage: 'report', done: ++done, total });
    }
  }
}
