import type { NativeTermsTail } from '../../addon/native-terms.js';
import { documentsPerRead } from '../../backend/batch-sizes.js';
import { SemanticIndexError } from '../../errors.js';
import { createTermsTail } from '../../terms/terms-files.js';
import { countBelow } from '../catalog/sorted-keys.js';
import type { TermsBatch } from '../catalog/terms-table.js';
import type { CatalogClient } from '../writer/catalog-client.js';
import type { LostState, SegmentTerms, StoredState, TermsSource } from './stored-file.js';

/** Documents that are not in memory yet. */
interface Pending {
  /** Those left of them, ascending. */
  keys: Float64Array;
  /** Their stored terms; undefined to read them from the catalog. */
  batches: readonly TermsBatch[] | undefined;
}

/** Called with the keys of documents whose terms are not stored, or cannot be read. */
export type OnLacking = (keys: Float64Array, state: LostState) => void;

/**
 * Terms in memory: of the tail, and of a segment without a sound terms file. They come from stored batches, and from the texts
 * where nothing is stored. Documents are appended by the thread pool, in the order in which they are added here; texts are
 * analyzed when a search needs them.
 */
export class TermsInMemory implements SegmentTerms {
  readonly #reader: CatalogClient;
  readonly #onLacking: OnLacking;
  readonly #terms: NativeTermsTail;
  readonly #pending: Pending[] = [];
  #state: StoredState = 'stored';
  #working: Promise<void> | undefined;
  #lacking: Float64Array[] = [];
  #count = 0;
  #isClosed = false;

  /** @param terms documents that are there already, of an image of the tail */
  constructor(reader: CatalogClient, onLacking: OnLacking = () => {}, terms: NativeTermsTail = createTermsTail()) {
    this.#reader = reader;
    this.#onLacking = onLacking;
    this.#terms = terms;
    this.#count = terms.items;
  }

  /** The terms of a segment without a sound terms file: its texts are analyzed. */
  static ofSegment(reader: CatalogClient, keys: Float64Array, state: LostState): TermsInMemory {
    const terms = new TermsInMemory(reader);
    terms.#state = state;
    terms.#pending.push({ keys, batches: [] });
    terms.#count = keys.length;
    return terms;
  }

  get state(): StoredState {
    return this.#state;
  }

  /** Number of documents added so far. */
  get count(): number {
    return this.#count;
  }

  /** Keys of documents whose terms are not stored, or cannot be read; ascending lists. */
  get lacking(): readonly Float64Array[] {
    return this.#lacking;
  }

  /** The terms of documents that were lacking are stored now. */
  restored(lists: readonly Float64Array[]): void {
    this.#lacking = this.#lacking.filter((keys) => !lists.includes(keys));
    if (this.#lacking.length > 0) return;
    this.#state = 'stored';
    for (const pending of this.#pending) pending.batches = undefined;
    this.#work().catch(() => {});
  }

  /** Adds documents (ascending) with their stored batches; without `batches` they are read from the catalog. */
  add(keys: Float64Array, batches: readonly TermsBatch[] | undefined): void {
    if (keys.length === 0) return;
    this.#pending.push({ keys, batches });
    this.#count += keys.length;
    if (batches !== undefined) this.#addLacking(uncovered(keys, batches), 'missing');
    // What has to be analyzed waits until a search needs it.
    if (this.#lacking.length === 0) this.#work().catch(() => {});
  }

  get known(): NativeTermsTail | undefined {
    return this.#pending.length === 0 ? this.#terms : undefined;
  }

  async source(): Promise<NativeTermsTail> {
    while (this.#pending.length > 0) await this.#work();
    return this.#terms;
  }

  async isSound(source: TermsSource): Promise<boolean> {
    return source === this.#terms;
  }

  async verify(): Promise<void> {}

  close(): void {
    this.#isClosed = true;
    this.#pending.length = 0;
    this.#terms.close();
  }

  #work(): Promise<void> {
    this.#working ??= this.#appendAll().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  async #appendAll(): Promise<void> {
    for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
      await this.#append(next);
      this.#pending.shift();
    }
  }

  async #append(pending: Pending): Promise<void> {
    const { keys } = pending;
    const batches = pending.batches ?? (await this.#reader.terms.between((keys[0] ?? 0) - 1, keys.at(-1) ?? 0));
    for (const batch of batches) {
      await this.#analyze(pending, countBelow(pending.keys, batch.firstKey));
      const covered = countBelow(pending.keys, batch.lastKey + 1);
      if (covered > 0) await this.#appendStored(pending, batch, covered);
    }
    await this.#analyze(pending, pending.keys.length);
  }

  async #appendStored(pending: Pending, batch: TermsBatch, count: number): Promise<void> {
    const keys = pending.keys.slice(0, count);
    try {
      await this.#appendBatch(pending, batch, keys);
    } catch (error) {
      if (!SemanticIndexError.is(error, 'INVALID_FILE')) throw error;
      this.#addLacking(keys, 'damaged');
      await this.#analyze(pending, count);
    }
  }

  /** Analyzes the texts of the first `count` documents again. */
  async #analyze(pending: Pending, count: number): Promise<void> {
    for (let left = count; left > 0 && !this.#isClosed; ) {
      const keys = pending.keys.slice(0, Math.min(left, documentsPerRead));
      await this.#appendBatch(pending, await this.#reader.terms.analyze(Array.from(keys)), keys);
      left -= keys.length;
    }
  }

  /** Appends the first documents of `pending`: all of them or none. */
  async #appendBatch(pending: Pending, { firstKey, data }: TermsBatch, keys: Float64Array): Promise<void> {
    if (this.#isClosed) return;
    await this.#terms.appendLater(data, firstKey, keys);
    pending.keys = pending.keys.subarray(keys.length);
  }

  #addLacking(keys: Float64Array, state: LostState): void {
    if (keys.length === 0) return;
    this.#lacking = [...this.#lacking, keys];
    this.#state = state;
    this.#onLacking(keys, state);
  }
}

/** The keys that no batch covers. */
function uncovered(keys: Float64Array, batches: readonly TermsBatch[]): Float64Array {
  let next = 0;
  return keys.filter((key) => {
    while (next < batches.length && (batches[next] as TermsBatch).lastKey < key) next++;
    const batch = batches[next];
    return batch === undefined || batch.firstKey > key;
  });
}
