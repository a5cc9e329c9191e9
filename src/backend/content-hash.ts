import { createHash, hash as hashOnce } from 'node:crypto';
import { addon } from '../addon/addon.js';

const separator = '\u0000';

/**
 * Names a content: the first 128 bits of the SHA-256 (FIPS 180-4) of its parts, as base64url. Two contents by chance get
 * one name once in about 2^64 contents.
 */
export function contentHash(...parts: readonly (string | Uint8Array)[]): string {
  const [first] = parts;
  // One call for a text alone, the common case: it takes two thirds of the time.
  if (parts.length === 1 && typeof first === 'string')
    return hashOnce('sha256', first, 'buffer').toString('base64url', 0, 16);
  const hash = createHash('sha256');
  parts.forEach((part, position) => {
    if (position > 0) hash.update(separator);
    hash.update(part);
  });
  return hash.digest().toString('base64url', 0, 16);
}

/** The content hash of each text, in a third of the time. */
export function contentHashes(texts: readonly string[]): string[] {
  return addon().contentHashes(texts);
}
