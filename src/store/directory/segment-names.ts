import { randomBytes } from 'node:crypto';

const pattern = /^[0-9a-z]{1,16}-[0-9a-f]{12}\.ann$/;
const belonging = /^\.(?:ann(?:\.meta\.json|\.accel)?|terms|columns|tail)(?:\.\d{1,20}\.tmp)?$/;

/**
 * Whether a name is one that `freshSegmentName` gives. A catalog may come from someone else: any other name, such as one
 * that leads out of segments/, is never opened, copied or removed.
 */
export function isSegmentName(file: string): boolean {
  return pattern.test(file);
}

/** A name that no segment had before: a file that may be mapped is never overwritten. */
export function freshSegmentName(): string {
  return `${Date.now().toString(36)}-${randomBytes(6).toString('hex')}.ann`;
}

/** The name of the terms file of a segment. */
export function termsFile(file: string): string {
  return `${stemOf(file)}.terms`;
}

/** The name of the columns file of a segment. */
export function columnsFile(file: string): string {
  return `${stemOf(file)}.columns`;
}

/** The name of a tail image, which has the stem of a segment of its own. */
export function tailFile(file: string): string {
  return `${stemOf(file)}.tail`;
}

/** The files that belong to a segment: the forest, and what is derived; or a tail image alone. */
export function segmentFiles(file: string): string[] {
  return [file, `${file}.meta.json`, `${file}.accel`, termsFile(file), columnsFile(file), tailFile(file)];
}

/** Whether a directory entry belongs to a segment: one of its files, or one that was not finished. */
export function belongsTo(file: string, entry: string): boolean {
  const stem = stemOf(file);
  return entry.startsWith(stem) && belonging.test(entry.slice(stem.length));
}

function stemOf(file: string): string {
  return file.replace(/\.ann$/, '');
}
