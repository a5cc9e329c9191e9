import { documentsPerRead } from '../../backend/batch-sizes.js';
import { contentHash } from '../../backend/content-hash.js';
import type { VectorRole } from '../../backend/documents.js';
import type { DocumentId } from '../../types.js';
import type { Catalog } from '../catalog/catalog.js';
import type { StoredContent } from '../catalog/document-table.js';
import { isComparable, isSound } from '../catalog/sound-vectors.js';
import { vectorRoles } from '../catalog/vector-table.js';

/** Documents with damaged content, by the kind of damage. */
export interface ContentFaults {
  /** The text, or a given vector with its text, does not have the content hash of the document. */
  readonly texts: readonly DocumentId[];
  /** The metadata are not a JSON object. */
  readonly metadata: readonly DocumentId[];
  /** The vector has a wrong length, a component that is not finite, or, from a model, another length than 1. */
  readonly vectors: readonly DocumentId[];
}

const roleNames = Object.keys(vectorRoles) as VectorRole[];

/** Checks the text, metadata and vector of every document. Missing rows are found by another check. */
export async function checkContents(catalog: Catalog): Promise<ContentFaults> {
  const dimensions = catalog.space()?.dimensions ?? 0;
  const faults = { texts: [] as DocumentId[], metadata: [] as DocumentId[], vectors: [] as DocumentId[] };
  for (let after = 0; ; ) {
    const rows = catalog.documents.contentsAfter(after, documentsPerRead);
    const last = rows.at(-1);
    if (last === undefined) return faults;
    for (const row of rows) {
      if (!hasItsContent(row)) faults.texts.push(row.id);
      if (!isMetadata(row.metadata)) faults.metadata.push(row.id);
      if (!hasSoundVector(row, dimensions)) faults.vectors.push(row.id);
    }
    after = last.key;
    await new Promise(setImmediate);
  }
}

/** Whether the text, or the given vector and the text, have the content hash of the document. */
export function hasItsContent({ hash, text, role, data }: StoredContent): boolean {
  if (text === null || (role === vectorRoles.given && data === null)) return true;
  const actual = role === vectorRoles.given && data !== null ? contentHash(data, text) : contentHash(text);
  return actual === hash;
}

/** Whether the vector of a document can be the one that was stored. */
export function hasSoundVector({ role, data }: StoredContent, dimensions: number): boolean {
  if (data === null || role === null) return true;
  const name = roleNames[role];
  return name === undefined ? isComparable(data, dimensions) : isSound(data, dimensions, name);
}

/** Whether stored metadata are valid: absent, or a JSON object. */
export function isMetadata(json: string | null): boolean {
  if (json === null) return true;
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
