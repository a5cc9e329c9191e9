import type { NativeTermsTail } from '../../../addon/native-terms.js';
import type { KeyedVectors } from '../../../backend/documents.js';
import { TimeSlice } from '../../../time-slice.js';
import { countItems, hasItem } from '../../../vectors/bitset.js';
import { VectorBuffer } from '../../../vectors/vector-buffer.js';
import type { CatalogChanges } from '../../catalog/catalog.js';
import { NativeParts, RefCounted, type SearchableSegment, withoutKeys } from '../searchable-segment.js';
import type { Damage, ImageFile, OpenedTail, SegmentContext } from '../segment-context.js';
import type { LostState } from '../stored-file.js';
import { TermsInMemory } from '../terms-in-memory.js';
import { tailVectors } from './tail-vectors.js';

/** Vectors copied before the event loop has its turn: a fraction of a millisecond. */
const rowsPerCopy = 256;

/** The documents that no segment has yet. */
export interface TailSegment extends SearchableSegment {
  readonly terms: TermsInMemory;
}

/** The vectors and terms of the tail: grows at its end by commits, shrinks at its beginning by seals. */
export class TailRows {
  readonly #context: SegmentContext;
  #buffer: VectorBuffer | undefined;
  #terms: TermsInMemory | undefined;
  #shared = new RefCounted(() => {});
  #keys: Float64Array = new Float64Array(0);
  /** The image that the first vectors are in. */
  #image: OpenedTail | undefined;
  #isLost = false;

  constructor(context: SegmentContext) {
    this.#context = context;
  }

  get isEmpty(): boolean {
    return this.#keys.length === 0;
  }

  /** Whether the file that vectors are in is not what was written any more: all of the tail is to be read again. */
  get isLost(): boolean {
    return this.#isLost || this.#buffer?.hasChanged() === true;
  }

  /** Takes over vectors and terms that were read from an image, in place of rows; to be called while it is empty. */
  restore(image: OpenedTail): TailSegment {
    const { vectors, terms, keys, alive } = image;
    this.#image = image;
    this.#buffer = this.#adopt(vectors, terms);
    this.#keys = keys;
    const segment = this.#segment(vectors, this.#terms as TermsInMemory);
    return alive === undefined ? segment : { ...segment, alive, dead: keys.length - countItems(alive) };
  }

  async advance(
    { tail, terms, sealedThrough, deletedKeys }: CatalogChanges,
    previous: TailSegment | undefined,
  ): Promise<TailSegment | undefined> {
    const sealed = this.#keys.findIndex((key) => key > sealedThrough);
    const dropped = sealed < 0 ? this.#keys.length : sealed;
    if (dropped > 0) this.#drop(dropped);
    await this.#append(this.#unknown(tail));
    if (this.#buffer === undefined || this.#terms === undefined || this.#keys.length === 0) return undefined;
    this.#terms.add(this.#keys.slice(this.#terms.count), terms);
    const segment = this.#segment(this.#buffer, this.#terms);
    // Deleted documents stay deleted, whatever moved; then come those that were deleted since.
    const deadBefore = previous === undefined ? new Float64Array(0) : deadKeysOf(previous);
    return withoutKeys(await withoutKeys(segment, deadBefore), deletedKeys);
  }

  #segment(vectors: VectorBuffer, terms: TermsInMemory): TailSegment {
    const keys = { first: 0, offsets: this.#keys };
    const [firstKey, lastKey] = [this.#keys[0] ?? 0, this.#keys.at(-1) ?? 0];
    return {
      segment: 0,
      firstKey,
      lastKey,
      keys,
      alive: undefined,
      dead: 0,
      vectors: tailVectors({ vectors, keys, firstKey, lastKey, file: this.#imageFile() }, this.#context),
      terms,
      columns: undefined,
      parts: new NativeParts(keys),
      shared: this.#shared,
    };
  }

  #imageFile(): ImageFile | undefined {
    const image = this.#image;
    if (image === undefined) return undefined;
    const onLost = (): void => {
      if (this.#image === image) this.#isLost = true;
      image.onLost();
    };
    return { isIntact: () => image.isIntact(), onLost };
  }

  /** A read that failed half-way is repeated from its beginning: some rows are already here. */
  #unknown({ keys, vectors }: KeyedVectors): KeyedVectors {
    const last = this.#keys.at(-1) ?? 0;
    const first = keys.findIndex((key) => key > last);
    if (first === 0) return { keys, vectors };
    const known = first < 0 ? keys.length : first;
    const dimensions = vectors.length / Math.max(1, keys.length);
    return { keys: keys.subarray(known), vectors: vectors.subarray(known * dimensions) };
  }

  async #append({ keys, vectors }: KeyedVectors): Promise<void> {
    const { dimensions, metric } = this.#context;
    const slice = new TimeSlice();
    for (let row = 0; row < keys.length; row += rowsPerCopy) {
      if (slice.due()) await slice.yieldIfDue();
      this.#buffer ??= this.#adopt(new VectorBuffer(dimensions, metric));
      this.#buffer.append(vectors.subarray(row * dimensions, (row + rowsPerCopy) * dimensions));
      const joined = new Float64Array(this.#keys.length + Math.min(rowsPerCopy, keys.length - row));
      joined.set(this.#keys);
      joined.set(keys.subarray(row, row + rowsPerCopy), this.#keys.length);
      this.#keys = joined;
    }
  }

  #drop(count: number): void {
    const rest = this.#buffer?.drop(count);
    this.#keys = this.#keys.slice(count);
    this.#shared.release();
    this.#buffer = rest === undefined ? undefined : this.#adopt(rest);
    // Terms cannot be removed from memory: the rest is read again.
    if (rest !== undefined) this.#terms?.add(this.#keys, undefined);
  }

  #adopt(buffer: VectorBuffer, stored?: NativeTermsTail): VectorBuffer {
    const onLacking = (keys: Float64Array, state: LostState): void => this.#context.onDamage(lacking(keys, state));
    const terms = new TermsInMemory(this.#context.reader, onLacking, stored);
    this.#terms = terms;
    this.#shared = new RefCounted(() => {
      buffer.close();
      terms.close();
    });
    return buffer;
  }

  close(): void {
    if (this.#buffer !== undefined) this.#shared.release();
    this.#buffer = undefined;
    this.#image = undefined;
    this.#isLost = false;
    this.#keys = new Float64Array(0);
  }
}

function lacking({ length }: Float64Array, state: LostState): Damage {
  const message = `The stored terms of ${length} documents are ${state}; their texts are analyzed before the next search for words`;
  if (state === 'missing') return { type: 'terms-missing', file: 'index.db', message };
  return {
    type: 'damage',
    file: 'index.db',
    reason: `the stored terms of ${length} documents cannot be read`,
    message,
  };
}

function deadKeysOf({ alive, keys }: SearchableSegment): Float64Array {
  if (alive === undefined) return new Float64Array(0);
  const dead: number[] = [];
  for (let item = 0; item < keys.offsets.length; item++) {
    if (!hasItem(alive, item)) dead.push(keys.first + (keys.offsets[item] as number));
  }
  return Float64Array.from(dead);
}
