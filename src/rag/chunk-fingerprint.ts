import { createHash } from 'node:crypto';
import type { Metadata } from '../types.js';
import { canonicalJson } from './canonical-json.js';

/** A hash of the metadata without its link to a duplicate. */
export function fingerprint({ duplicateOf: _, ...metadata }: Metadata): string {
  return createHash('sha256').update(canonicalJson(metadata)).digest('base64url').slice(0, 22);
}
