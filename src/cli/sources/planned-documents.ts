import { chunkDocuments, type DocumentInput, type SemanticIndex } from '../../index.js';
import { isSkipped, readSource } from '../../rag/file-source.js';
import { storedNotes } from '../../semantic-index.js';
import { namedFiles } from './added-sources.js';
import type { FieldFlags } from './document-fields.js';
import { readRecords } from './read-records.js';
import { sourceOf } from './read-source.js';
import { type OnInvalid, RecordChecks } from './record-checks.js';
import { type RecordFormat, stdinFormat } from './record-format.js';
import { SourcePaths } from './source-paths.js';

/** Flags that name the sources and how they are read. */
export interface SourceFlags extends FieldFlags {
  readonly format?: RecordFormat;
  readonly ext: readonly string[];
  readonly collection?: string;
  /** Standard name of the encoding of files that are not Unicode. */
  readonly encoding?: string;
  readonly onInvalid: OnInvalid;
}

/**
 * The documents that `add` would make of sources: the chunks of texts, the records of tables and of stdin. What could not be
 * read or is not text goes to `note`.
 *
 * @throws IO, INVALID_ARGUMENT, INVALID_FILE, INVALID_TEXT.
 */
export async function* plannedDocuments(
  index: SemanticIndex,
  folder: string,
  names: readonly string[],
  flags: SourceFlags,
  note: (line: string) => void,
  signal: AbortSignal,
): AsyncGenerator<DocumentInput> {
  const { format, collection, encoding, onInvalid } = flags;
  const { files, unreadable } = await namedFiles(names, flags);
  const paths = await SourcePaths.of(index, folder, await index[storedNotes].sources(collection));
  for (const { path, reason } of unreadable) note(`Could not read ${path}: ${reason}`);
  const records = (origin: Parameters<typeof readRecords>[0], name: string, kind: RecordFormat) => {
    const checks = new RecordChecks(onInvalid, undefined);
    return readRecords(origin, { name, format: kind, fields: flags, encoding, checks, signal });
  };
  for (const file of files) {
    signal.throwIfAborted();
    if (file.format !== undefined) {
      yield* records({ path: file.real }, file.path, file.format);
      continue;
    }
    const found = await sourceOf(file, paths.nameOf(file.real), encoding, signal);
    const source = isSkipped(found) ? found : await readSource(found);
    if (isSkipped(source)) note(`Skipped ${file.path}: ${source.reason}`);
    else yield* chunkDocuments(source, undefined, collection);
  }
  if (names.includes('-')) yield* records({ stream: process.stdin }, 'stdin', stdinFormat(format));
}
