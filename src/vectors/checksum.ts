import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/**
 * The SHA-256 (FIPS 180-4) of a file, as 64 hexadecimal digits. Reads it in pieces. Rejects with the error of the system, or
 * the reason of the signal.
 */
export async function checksumFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 18 }), hash, { signal });
  return hash.digest('hex');
}
