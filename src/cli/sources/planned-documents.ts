import { createReadStream } from 'node:fs';
import { chunkDocuments, type DocumentInput } from '../../index.js';
import type { FieldFlags } from './document-fields.js';
import { findFiles, readSource } from './find-files.js';
import { type RecordFormat, readRecords, stdinFormat } from './read-records.js';

/** Flags that tell what the sources are. */
export interface SourceFlags extends FieldFlags {
  readonly format?: RecordFormat;
  readonly ext: readonly string[];
  readonly collection?: string;
}

/**
 * The documents that `add` would make of sources: the chunks of texts, the records of tables and of stdin.
 *
 * @throws IO, INVALID_ARGUMENT, INVALID_FILE, INVALID_TEXT.
 */
export async function* plannedDocuments(
  names: readonly string[],
  flags: SourceFlags,
  signal: AbortSignal,
): AsyncGenerator<DocumentInput> {
  const { ext, format, collection } = flags;
  const paths = names.filter((name) => name !== '-');
  for (const file of await findFiles(paths, ext, format === 'text' ? undefined : format)) {
    if (file.format !== undefined) {
      yield* readRecords(createReadStream(file.path), file.path, file.format, flags, signal);
      continue;
    }
    signal.throwIfAborted();
    const source = await readSource(file.path);
    if (source !== undefined) yield* chunkDocuments(source, undefined, collection);
  }
  if (paths.length < names.length) yield* readRecords(process.stdin, 'stdin', stdinFormat(format), flags, signal);
}
