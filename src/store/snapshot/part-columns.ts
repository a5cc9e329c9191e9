import type { NativeColumns } from '../../addon/native-columns.js';
import { compactColumns, createColumns } from '../../columns/columns.js';
import type { MetadataBatch } from '../catalog/metadata/metadata-table.js';
import { itemOf, type SortedKeys } from '../catalog/sorted-keys.js';

/** The metadata columns of a run of documents, item for item. */
export class PartColumns {
  readonly native: NativeColumns;
  /** Keys of the items so far, ascending, and of those that follow. */
  #keys: SortedKeys;
  #count = 0;
  #from: number | undefined;
  #through = 0;
  #version = 0;

  constructor(keys: SortedKeys, native: NativeColumns = createColumns()) {
    this.#keys = keys;
    this.native = native;
  }

  /** The columns in a file, which has an item for each key and all changes of metadata up to this one. */
  static ofFile(native: NativeColumns, keys: SortedKeys, change: number): PartColumns {
    const columns = new PartColumns(keys, native);
    columns.#count = keys.offsets.length;
    columns.caughtUp(change);
    return columns;
  }

  /** Changes of metadata up to this one are in the columns. */
  get from(): number {
    return this.#from ?? 0;
  }

  /** Changes of metadata after this one are not. */
  get through(): number {
    return this.#through;
  }

  /** Number of items so far. */
  get count(): number {
    return this.#count;
  }

  /** Differs whenever the metadata does. */
  get version(): number {
    return this.#version;
  }

  /** Whether the documents with these keys are those that the columns have, perhaps with others behind them. */
  isBeginOf({ first, offsets }: SortedKeys): boolean {
    if (this.#count === 0) return true;
    const last = this.#count - 1;
    const [begin, end] = [
      this.#keys.first + (this.#keys.offsets[0] ?? 0),
      this.#keys.first + (this.#keys.offsets[last] ?? 0),
    ];
    return begin === first + (offsets[0] ?? 0) && end === first + (offsets[last] ?? Number.NaN);
  }

  /** Keys of the next documents that the columns lack, of those given. */
  next({ first, offsets }: SortedKeys, limit: number): Float64Array {
    return Float64Array.from(offsets.subarray(this.#count, this.#count + limit), (offset) => first + offset);
  }

  /** Adds the documents of `next`. */
  append(keys: SortedKeys, count: number, batch: MetadataBatch): void {
    this.native.append(batch.data, batch.firstKey, undefined);
    this.#appended(keys, count, batch);
  }

  /** The same on the thread pool. */
  async appendLater(keys: SortedKeys, count: number, batch: MetadataBatch): Promise<void> {
    await this.native.appendLater(batch.data, batch.firstKey, undefined);
    this.#appended(keys, count, batch);
  }

  #appended(keys: SortedKeys, count: number, { lastChange }: MetadataBatch): void {
    this.#keys = keys;
    this.#count += count;
    this.#version++;
    this.#from ??= lastChange;
    this.#through = Math.max(this.#through, lastChange);
  }

  /** Replaces the metadata of those documents of a batch that are items here. */
  replace(keys: Float64Array, batch: MetadataBatch): void {
    const items = this.#itemsOf(keys);
    if (items !== undefined) {
      this.native.replace(batch.data, batch.firstKey, keys, items);
      this.#version++;
    }
    this.#through = Math.max(this.#through, batch.lastChange);
  }

  /** The same on the thread pool. */
  async replaceLater(keys: Float64Array, batch: MetadataBatch): Promise<void> {
    const items = this.#itemsOf(keys);
    if (items !== undefined) {
      await this.native.replaceLater(batch.data, batch.firstKey, keys, items);
      this.#version++;
    }
    this.#through = Math.max(this.#through, batch.lastChange);
  }

  /** Changes of metadata up to this one are in the columns now, or concern other documents. */
  caughtUp(lastChange: number): void {
    this.#from = lastChange;
    this.#through = Math.max(this.#through, lastChange);
  }

  /** The item of each key, -1 for other documents; undefined when there are only those. */
  #itemsOf(keys: Float64Array): Int32Array | undefined {
    const items = Int32Array.from(keys, (key) => {
      const item = itemOf(this.#keys, key);
      return item < this.#count ? item : -1;
    });
    return items.some((item) => item >= 0) ? items : undefined;
  }

  /** Merges what changes have left, in the background. */
  compact(): void {
    compactColumns(this.native).catch(() => {});
  }
}
