import { join } from 'node:path';
import type { NativeTermsFile } from '../../addon/native-terms.js';
import { SemanticIndexError } from '../../errors.js';
import { openTerms, validateTerms, verifyTerms } from '../../terms/terms-files.js';
import { entryAt, kindOf } from './files.js';
import { isSegmentName, termsFile } from './segment-names.js';

/** The terms file of a segment as the catalog names it. */
export interface ExpectedTerms {
  /** Name of the .ann file of the segment. */
  readonly file: string;
  readonly items: number;
  /** Modification time of all files of the segment, in whole milliseconds. */
  readonly file_mtime: number;
  /** Null for a segment that has none yet. */
  readonly terms_size: number | null;
  readonly terms_checksum: string | null;
}

/** How closely a terms file is looked at: one that was not touched is trusted, its checksums are compared, or its structure too. */
export type TermsCheck = 'untouched' | 'checksums' | 'structure';

/**
 * Opens the terms file of a segment. The checksums of one that was touched are always compared. Undefined when the segment has
 * none, or it was removed.
 *
 * @throws INVALID_FILE when it is not the file that was written, IO, or the reason of the signal.
 */
export async function openTermsFile(
  directory: string,
  expected: ExpectedTerms,
  check: TermsCheck,
  signal?: AbortSignal | undefined,
): Promise<NativeTermsFile | undefined> {
  const { file, items, file_mtime, terms_size, terms_checksum } = expected;
  if (terms_size === null || !isSegmentName(file)) return undefined;
  const name = termsFile(file);
  const path = join(directory, name);
  const found = await entryAt(path);
  if (found === undefined) return undefined;
  if (!found.isFile()) throw invalid(name, `expected a file, got ${kindOf(found)}`);
  if (found.size !== terms_size) throw invalid(name, `expected ${terms_size} bytes, got ${found.size}`);
  if (check !== 'untouched' || Math.floor(found.mtimeMs) !== file_mtime) {
    const fault = await (check === 'structure' ? validateTerms(path, signal) : verifyTerms(path, signal));
    if (fault !== undefined) throw invalid(name, fault);
  }
  const terms = openTerms(path);
  if (terms.checksum === terms_checksum && terms.items === items) return terms;
  terms.close();
  throw invalid(name, 'it is not the file that was written for this segment');
}

function invalid(name: string, fault: string): SemanticIndexError {
  return new SemanticIndexError('INVALID_FILE', `Terms file ${name}: ${fault}`, {
    hint: 'No action needed: the texts of the segment are analyzed again until the file is rebuilt.',
  });
}
