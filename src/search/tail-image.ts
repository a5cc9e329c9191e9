import { availableParallelism } from 'node:os';
import { addon } from '../addon/addon.js';
import { runNativeReading, runNativeTask } from '../addon/native-task.js';
import type { NativeTermsTail, WrittenTerms } from '../addon/native-terms.js';
import { createTermsTail } from '../terms/terms-files.js';
import type { Metric } from '../types.js';
import type { Bitset } from '../vectors/bitset.js';
import { nativeVectorsOf } from '../vectors/native-vectors.js';
import { VectorBuffer } from '../vectors/vector-buffer.js';

/** Documents in memory: the first of the vectors and of the terms, whose keys are given, ascending. */
export interface TailContents {
  readonly vectors: VectorBuffer;
  readonly terms: NativeTermsTail;
  readonly keys: Float64Array;
  /** Those that exist; undefined when all do. */
  readonly alive: Bitset | undefined;
}

/** What was read, and the checksum of the header, which covers those of all sections. Vectors stay in the file. */
export interface ReadTail extends TailContents {
  readonly checksum: string;
}

/**
 * Writes vectors and terms in the form that `readTailImage` takes. Durable when the promise resolves; after a failure or crash,
 * `path` is the complete old or new file. The bytes depend on the documents alone.
 *
 * @throws IO, OUT_OF_MEMORY, or the signal's reason.
 */
export function writeTailImage(
  path: string,
  { vectors, terms, keys, alive }: TailContents,
  signal?: AbortSignal | undefined,
): Promise<WrittenTerms> {
  const native = nativeVectorsOf(vectors);
  return runNativeTask('tail', { signal }, (task) => addon().writeTailImage(path, native, terms, keys, alive, task));
}

/**
 * Reads an image in a fraction of the time that analyzed rows take; all checksums are compared. Terms are read into memory. Vectors are
 * searched in the mapped file: `vectors.hasChanged()` is to be asked after each use. The caller closes `vectors` and `terms`.
 *
 * @throws INVALID_FILE when it is damaged, of another kind or version, or has other vectors; IO.
 */
export async function readTailImage(path: string, metric: Metric, dimensions: number): Promise<ReadTail> {
  const vectors = new VectorBuffer(dimensions, metric);
  const terms = createTermsTail();
  try {
    const native = nativeVectorsOf(vectors);
    // The thread of the event loop opens segments meanwhile.
    const threads = Math.max(1, availableParallelism() - 1);
    const read = await runNativeReading('tail', {}, (task) =>
      addon().readTailImage(path, native, terms, threads, task),
    );
    return { vectors, terms, keys: read.keys, alive: read.alive, checksum: read.checksum };
  } catch (error) {
    vectors.close();
    terms.close();
    throw error;
  }
}
