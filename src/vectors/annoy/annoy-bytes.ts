import { kMaxLength } from 'node:buffer';
import { promisify } from 'node:util';
import { deflate, gunzip, gzip, inflate } from 'node:zlib';
import type { NativeIndex } from '../../addon/native-index.js';
import { SemanticIndexError } from '../../errors.js';
import { describe, type ResolvedAnnoySerializeOptions } from '../../options.js';

const compressors = { gzip: promisify(gzip), zlib: promisify(deflate) };
const expanders = { gzip: promisify(gunzip), zlib: promisify(inflate) };

/** @throws INVALID_ARGUMENT unless `compress` is one of the three. */
export function checkCompression(method: string, compress: unknown): ResolvedAnnoySerializeOptions['compress'] {
  if (compress === 'none' || compress === 'gzip' || compress === 'zlib') return compress;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `${method}: expected compress "none", "gzip" or "zlib", got ${describe(compress)}`,
    {
      hint: 'Leave it out for none.',
    },
  );
}

/** A copy of the bytes of a forest. @throws OUT_OF_MEMORY when they are more than one array can hold. */
export async function copyBytes(method: string, native: NativeIndex): Promise<Uint8Array> {
  const { fileBytes } = native.facts();
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(fileBytes);
  } catch (cause) {
    throw new SemanticIndexError('OUT_OF_MEMORY', `${method}: ${fileBytes} bytes do not fit into one array`, {
      cause,
      hint: 'Use save(path), which has no limit.',
    });
  }
  await native.toBytes(bytes);
  return bytes;
}

/** Compresses bytes on the thread pool. */
export async function compressBytes(
  bytes: Uint8Array,
  compress: ResolvedAnnoySerializeOptions['compress'],
): Promise<Uint8Array> {
  return compress === 'none' ? bytes : plainBytes(await compressors[compress](bytes));
}

/** Vectors compress to half their size at best; higher ratios mean skipped items, or a decompression bomb. */
const MAXIMUM_RATIO = 32;
const ALWAYS_EXPANDED = 64 * 1024 * 1024;

/**
 * Decompresses bytes of `compressBytes`; returns others unchanged. An Annoy file begins with 0 or 1, gzip (RFC 1952) with 1f 8b,
 * zlib (RFC 1950) with 78. Stops at `maxBytes`.
 *
 * @throws INVALID_FILE when compressed bytes are damaged, or expand to more; INVALID_ARGUMENT for another `maxBytes`.
 */
export async function expandBytes(method: string, bytes: Uint8Array, maxBytes?: number): Promise<Uint8Array> {
  if (maxBytes !== undefined && !(Number.isSafeInteger(maxBytes) && maxBytes > 0)) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: expected maxBytes above 0, got ${describe(maxBytes)}`);
  }
  const compress = bytes[0] === 0x1f && bytes[1] === 0x8b ? 'gzip' : bytes[0] === 0x78 ? 'zlib' : undefined;
  if (compress === undefined) return bytes;
  const limit = maxBytes ?? Math.max(ALWAYS_EXPANDED, MAXIMUM_RATIO * bytes.length);
  try {
    return plainBytes(await expanders[compress](bytes, { maxOutputLength: Math.min(limit, kMaxLength) }));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new SemanticIndexError(
        'INVALID_FILE',
        `${method}: expected at most ${limit} bytes, got ${bytes.length} bytes of ${compress} that expand to more`,
        { cause, hint: 'If you trust the data, pass a larger maxBytes.', details: { given: bytes.length, limit } },
      );
    }
    throw new SemanticIndexError('INVALID_FILE', `${method}: expected ${compress} data, got damaged bytes`, { cause });
  }
}

/** Views a Buffer as a plain Uint8Array: `slice` and `toJSON` of Buffer behave differently. */
function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
