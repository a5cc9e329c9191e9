import { join } from 'node:path';
import type { NativeColumns } from '../../addon/native-columns.js';
import type { NativeTermsFile } from '../../addon/native-terms.js';
import { openColumns, validateColumns, verifyColumns } from '../../columns/columns.js';
import { SemanticIndexError } from '../../errors.js';
import { openTerms, validateTerms, verifyTerms } from '../../terms/terms-files.js';
import { entryNow, kindOf } from './files.js';
import { columnsFile, isSegmentName, termsFile } from './segment-names.js';

/** A segment and its derived files as the catalog names them. */
export interface ExpectedFiles {
  /** Name of the .ann file of the segment. */
  readonly file: string;
  readonly items: number;
  /** Modification time of all files of the segment, in whole milliseconds. */
  readonly file_mtime: number;
  /** Null for a segment that has none yet. */
  readonly terms_size: number | null;
  readonly terms_checksum: string | null;
  readonly columns_size: number | null;
  readonly columns_checksum: string | null;
}

/** Depth of the check of a file: trust an unmodified one, compare its checksums, or also check its structure. */
export type FileCheck = 'untouched' | 'checksums' | 'structure';

/** What files of one kind have in common. */
interface FileKind<File> {
  readonly title: string;
  /** What happens until a wrong file is replaced. */
  readonly hint: string;
  readonly name: (file: string) => string;
  readonly size: (expected: ExpectedFiles) => number | null;
  readonly checksum: (expected: ExpectedFiles) => string | null;
  readonly open: (path: string) => File;
  readonly checksumOf: (file: File) => string | undefined;
  readonly validate: (path: string, signal?: AbortSignal) => Promise<string | undefined>;
  readonly verify: (path: string, signal?: AbortSignal) => Promise<string | undefined>;
}

const terms: FileKind<NativeTermsFile> = {
  title: 'Terms file',
  hint: 'No action needed: the texts of the segment are analyzed again until the file is rebuilt.',
  name: termsFile,
  size: ({ terms_size }) => terms_size,
  checksum: ({ terms_checksum }) => terms_checksum,
  open: openTerms,
  checksumOf: ({ checksum }) => checksum,
  validate: validateTerms,
  verify: verifyTerms,
};

const columns: FileKind<NativeColumns> = {
  title: 'Columns file',
  hint: 'No action needed: the metadata of the segment is read from the catalog until the file is rebuilt.',
  name: columnsFile,
  size: ({ columns_size }) => columns_size,
  checksum: ({ columns_checksum }) => columns_checksum,
  open: openColumns,
  checksumOf: (columns) => columns.file()?.checksum,
  validate: validateColumns,
  verify: verifyColumns,
};

/**
 * Opens the terms file of a segment. The checksums of one that was touched are always compared. Undefined when the segment has
 * none, or it was removed.
 *
 * @throws INVALID_FILE when it is not the file that was written, IO, or the reason of the signal.
 */
export function openTermsFile(
  directory: string,
  expected: ExpectedFiles,
  check: FileCheck,
  signal?: AbortSignal | undefined,
): Promise<NativeTermsFile | undefined> {
  return openDerived(terms, directory, expected, check, signal);
}

/** The same for the columns file of a segment. */
export function openColumnsFile(
  directory: string,
  expected: ExpectedFiles,
  check: FileCheck,
  signal?: AbortSignal | undefined,
): Promise<NativeColumns | undefined> {
  return openDerived(columns, directory, expected, check, signal);
}

async function openDerived<File extends { readonly items: number; close(): void }>(
  kind: FileKind<File>,
  directory: string,
  expected: ExpectedFiles,
  check: FileCheck,
  signal: AbortSignal | undefined,
): Promise<File | undefined> {
  const { file, items, file_mtime } = expected;
  const size = kind.size(expected);
  if (size === null || !isSegmentName(file)) return undefined;
  const name = kind.name(file);
  const path = join(directory, name);
  const invalid = (fault: string): SemanticIndexError =>
    new SemanticIndexError('INVALID_FILE', `${kind.title} ${name}: ${fault}`, { hint: kind.hint });
  const found = entryNow(path);
  if (found === undefined) return undefined;
  if (!found.isFile()) throw invalid(`expected a file, got ${kindOf(found)}`);
  if (found.size !== size) throw invalid(`expected ${size} bytes, got ${found.size}`);
  if (check !== 'untouched' || Math.floor(found.mtimeMs) !== file_mtime) {
    const fault = await (check === 'structure' ? kind.validate(path, signal) : kind.verify(path, signal));
    if (fault !== undefined) throw invalid(fault);
  }
  const opened = kind.open(path);
  if (kind.checksumOf(opened) === kind.checksum(expected) && opened.items === items) return opened;
  opened.close();
  throw invalid('it is not the file that was written for this segment');
}
