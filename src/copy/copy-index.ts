import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkIndex } from '../check-arguments.js';
import { SemanticIndexError } from '../errors.js';
import { type CopyOptions, copyDefaults, resolveOptions } from '../options.js';
import type { SemanticIndex } from '../semantic-index.js';
import { TimeSlice } from '../time-slice.js';
import type { DocumentId } from '../types.js';

/** What a copy did. */
export interface CopyResult {
  /** Documents of the source. */
  readonly documents: number;
  /** Those that the target did not have. */
  readonly added: number;
  /** Those that it had with another text, vector or metadata. */
  readonly updated: number;
  readonly unchanged: number;
  /** Sum of the checksums of all copied documents, equal in both indexes: ids, texts, metadata and bytes of the vectors. */
  readonly checksum: string;
}

/** Documents of an index, and the sum of their checksums. */
interface Contents {
  readonly documents: number;
  readonly checksum: string;
}

/**
 * Copies all documents of an index into another one, for example from a directory into PostgreSQL or back, with their vectors: nothing is
 * embedded. Documents that the target has already are skipped, so a copy that was interrupted is repeated and goes on. Other documents of
 * the target stay. At the end the copied documents are read from both indexes and compared.
 *
 * The documents of one point in time are exported into a temporary directory first, which needs the room for them.
 *
 * @throws SPACE_MISMATCH, INVALID_ARGUMENT for what is not an open index, another metric or an empty source, READ_ONLY, IO; CORRUPT when the comparison finds a
 *   difference, which changes of the target meanwhile cause as well; the signal's reason.
 * @example
 * const { documents } = await copyIndex(source, target);
 */
export async function copyIndex(
  source: SemanticIndex,
  target: SemanticIndex,
  options?: CopyOptions,
): Promise<CopyResult> {
  const { signal, onProgress } = resolveOptions('copyIndex', options, copyDefaults);
  checkIndex('copyIndex: source', source);
  checkIndex('copyIndex: target', target);
  // A folder that only this user can read.
  const scratch = await mkdtemp(join(tmpdir(), 'semantic-index-copy-'));
  const folder = join(scratch, 'export');
  try {
    await source.exportTo(folder, { signal, onProgress });
    const { added, updated, unchanged, ids } = await target.importFrom(folder, { signal, onProgress });
    const copied = new Set<DocumentId>(ids);
    const [before, after] = [await contentsOf(source, copied, signal), await contentsOf(target, copied, signal)];
    if (before.documents !== after.documents || before.checksum !== after.checksum) {
      throw new SemanticIndexError(
        'CORRUPT',
        `The copy differs: expected ${before.documents} documents with checksum ${before.checksum}, got ${after.documents} with ${after.checksum}`,
        {
          hint: 'Another program may have changed one of the indexes meanwhile: copy again.',
          details: { before, after },
        },
      );
    }
    return { documents: after.documents, added, updated, unchanged, checksum: after.checksum };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The documents with some ids; their order does not matter. */
async function contentsOf(
  index: SemanticIndex,
  ids: ReadonlySet<DocumentId>,
  signal: AbortSignal | undefined,
): Promise<Contents> {
  const slice = new TimeSlice();
  let [documents, sum] = [0, 0n];
  for await (const { id, text, metadata, vector } of index.documents()) {
    if (slice.due()) await slice.yieldIfDue(signal);
    if (!ids.has(id)) continue;
    documents++;
    const hash = createHash('sha256').update(JSON.stringify([id, text, metadata]));
    hash.update(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
    sum += hash.digest().readBigUInt64LE(0);
  }
  return { documents, checksum: BigInt.asUintN(64, sum).toString(16).padStart(16, '0') };
}
