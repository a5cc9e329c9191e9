import { join } from 'node:path';
import { crashPoint } from '../crash-points.js';
import { SemanticIndexError } from '../errors.js';
import { readTailImage, writeTailImage } from '../search/tail-image.js';
import type { Metric } from '../types.js';
import { VectorBuffer } from '../vectors/vector-buffer.js';
import type { Lease } from './catalog/lease-table.js';
import { keyAt, type SortedKeys } from './catalog/sorted-keys.js';
import type { TailImageRow } from './catalog/tail/tail-images-table.js';
import { entryNow, kindOf } from './directory/files.js';
import { removeSegmentFiles } from './directory/segment-directory.js';
import { freshSegmentName, isSegmentName, tailFile } from './directory/segment-names.js';
import type { Damage, OpenedTail } from './snapshot/segment-context.js';
import type { Snapshot } from './snapshot/snapshot.js';
import { tailImageFault } from './validate/tail-image-check.js';
import type { CatalogClient } from './writer/catalog-client.js';

/** Dependencies of `TailImages`. */
export interface TailImagesContext {
  /** segments/ */
  readonly directory: string;
  readonly metric: Metric;
  readonly space: number;
  readonly dimensions: number;
  /** Documents at which a tail becomes a segment. */
  readonly sealAt: number;
  readonly writer: CatalogClient;
  readonly onDamage: (damage: Damage) => void;
}

/**
 * So many documents are read from the catalog in some 30 ms; where segments are small, tails are as well. While an index is open, a
 * new image is written when it is larger than the one before by half: the whole tail is written again.
 */
const maxWithoutImage = 1_024;
const sharesOfSeal = 4;
const growth = 0.5;

/** Writes images of the tail and reads them at open. Derived: what is missing or wrong is read from the catalog instead. */
export class TailImages {
  readonly #context: TailImagesContext;
  /** Key of the last document that the newest known image covers. */
  #through = 0;

  constructor(context: TailImagesContext) {
    this.#context = context;
  }

  /** Whether enough documents of the tail lie behind the newest image; `isLast`: the index is being closed. */
  wants({ tail }: Snapshot, isLast = false): boolean {
    if (tail === undefined || tail.vectors.state !== 'stored' || tail.terms.lacking.length > 0) return false;
    const count = tail.keys.offsets.length;
    const covered = itemsThrough(tail.keys, this.#through);
    const most = Math.min(maxWithoutImage, Math.floor(this.#context.sealAt / sharesOfSeal));
    return count - covered > Math.max(most, isLast ? 0 : covered * growth);
  }

  /** Writes the tail of a snapshot. Returns false, with nothing changed, when the lease was lost or the tail has changed. */
  async write(snapshot: Snapshot, lease: Lease): Promise<boolean> {
    const { directory, space, writer } = this.#context;
    const { tail, position } = snapshot;
    const source = tail?.vectors.known;
    if (tail === undefined || source?.keys !== tail.keys || !(source.vectors instanceof VectorBuffer)) return false;
    const { vectors } = source;
    const { keys, alive, dead } = tail;
    snapshot.shared.retain();
    try {
      const terms = await tail.terms.source();
      const file = freshSegmentName();
      if (!(await writer.segments.plan(lease, file))) return false;
      const count = keys.offsets.length;
      const ownKeys = Float64Array.from(keys.offsets, (offset) => keys.first + offset);
      const contents = { vectors, terms, keys: ownKeys, alive };
      const { bytes, checksum } = await writeTailImage(join(directory, tailFile(file)), contents);
      crashPoint('tail-image.written');
      const row: TailImageRow = { file, bytes, checksum, space, documents: count - dead, position };
      // Vectors may be in the image before this one, whose file may have changed.
      if ((await tail.vectors.isSound(source)) && (await writer.tailImages.publish(lease, row))) {
        this.#through = keyAt(keys, count - 1);
        return true;
      }
      await removeSegmentFiles(directory, file);
      return false;
    } finally {
      snapshot.shared.release();
    }
  }

  /** Reads an image. Undefined when it is missing, as in a backup, or is not what was written, which is reported. */
  async read(row: TailImageRow): Promise<OpenedTail | undefined> {
    const { directory, metric, dimensions } = this.#context;
    if (!isSegmentName(row.file)) return undefined;
    const name = tailFile(row.file);
    const path = join(directory, name);
    try {
      // Not awaited: reading begins before the caller of `open` goes on.
      const found = entryNow(path);
      if (found === undefined) return undefined;
      if (!found.isFile()) throw wrong(name, `expected a file, got ${kindOf(found)}`);
      if (found.size !== row.bytes) throw wrong(name, `expected ${row.bytes} bytes, got ${found.size}`);
      const read = await readTailImage(path, metric, dimensions);
      if (read.checksum === row.checksum && read.keys.length > 0) {
        this.#through = read.keys.at(-1) as number;
        const onLost = (): void => this.#report(name, wrong(name, 'it was changed while it was open'));
        return { ...read, isIntact: () => this.#isIntact(row), onLost };
      }
      read.vectors.close();
      read.terms.close();
      throw wrong(name, 'it is not the file that was written');
    } catch (error) {
      this.#report(name, error);
      return undefined;
    }
  }

  async #isIntact(row: TailImageRow): Promise<boolean> {
    const { directory, metric, dimensions } = this.#context;
    try {
      return (await tailImageFault(row, directory, { level: 'full', metric, dimensions })) === undefined;
    } catch {
      return false;
    }
  }

  #report(name: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `${reason}; the documents without a segment are read from the catalog`;
    const typed = SemanticIndexError.is(error) ? error : new SemanticIndexError('IO', reason, { cause: error });
    this.#context.onDamage({ type: 'damage', file: `segments/${name}`, reason, message, error: typed });
  }
}

/** Number of keys up to this one. */
function itemsThrough(keys: SortedKeys, last: number): number {
  const offset = last - keys.first;
  let [low, high] = [0, keys.offsets.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys.offsets[middle] as number) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function wrong(name: string, fault: string): SemanticIndexError {
  return new SemanticIndexError('INVALID_FILE', `Tail image ${name}: ${fault}`, {
    hint: 'No action needed: the image is written again when the tail has grown.',
  });
}
