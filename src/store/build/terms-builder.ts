import { join } from 'node:path';
import { documentsPerRead, tailVectorsPerRead } from '../../backend/batch-sizes.js';
import { SemanticIndexError } from '../../errors.js';
import { createTermsTail, type TermsPart, writeTerms } from '../../terms/terms-files.js';
import type { Catalog } from '../catalog/catalog.js';
import type { NewTermsFile, SegmentRow } from '../catalog/segment-table.js';
import { countBelow } from '../catalog/sorted-keys.js';
import type { TermsBatch } from '../catalog/terms-table.js';
import { openTermsFile } from '../directory/derived-files.js';
import { setModified } from '../directory/files.js';
import { termsFile } from '../directory/segment-names.js';
import { checkItems, deadItems, type FileBuildRequest, soundSource, sourceRuns } from './source-runs.js';

/** Documents in memory before they are a part of their own. */
const documentsPerPart = 2 ** 16;

/**
 * Derives the terms file of a segment: from those of the segments that it replaces, from the stored terms of the tail, and where
 * there is neither, or it is damaged, from the texts.
 */
export class TermsBuilder {
  readonly #catalog: Catalog;
  readonly #signal: AbortSignal;
  #parts: TermsPart[] = [];
  #memory: { readonly tail: ReturnType<typeof createTermsTail>; items: number } | undefined;

  constructor(catalog: Catalog, signal: AbortSignal) {
    this.#catalog = catalog;
    this.#signal = signal;
  }

  /** Writes the file, durable on return. */
  async write(request: FileBuildRequest): Promise<NewTermsFile> {
    const { directory, file, modified, sources, keys, threads } = request;
    const path = join(directory, termsFile(file));
    try {
      await this.#addAll(keys, sources, directory);
      const { bytes, checksum, items } = await writeTerms(path, this.#parts, { threads, signal: this.#signal });
      checkItems(termsFile(file), keys, items);
      await setModified(path, modified);
      return { terms_size: bytes, terms_checksum: checksum };
    } finally {
      this.#endMemory();
      for (const { source } of this.#parts) source.close();
    }
  }

  async #addAll(keys: Float64Array, sources: readonly SegmentRow[], directory: string): Promise<void> {
    for (const run of sourceRuns(keys, sources)) {
      if (run.row === undefined) await this.#addStored(run.keys);
      else await this.#addSegment(run.row, run.keys, directory);
    }
    this.#endMemory();
  }

  /** Adds documents of a segment: from its file if that is sound and has all of them. */
  async #addSegment(row: SegmentRow, keys: Float64Array, directory: string): Promise<void> {
    if (keys.length === 0) return;
    const dead = deadItems(row, this.#catalog.segments.offsets(row.segment), keys);
    const file = dead === undefined ? undefined : await soundSource(openTermsFile, directory, row, this.#signal);
    if (file === undefined) await this.#analyze(keys);
    else this.#addPart({ source: file, items: row.items, dead });
  }

  /** Adds documents of the tail: from the rows of the catalog, where they cover them. */
  async #addStored(keys: Float64Array): Promise<void> {
    let rest = keys;
    while (rest.length > 0) {
      const some = rest.subarray(0, tailVectorsPerRead);
      rest = rest.subarray(some.length);
      await this.#addRows(some, this.#catalog.terms.between((some[0] as number) - 1, some.at(-1) as number));
    }
  }

  async #addRows(keys: Float64Array, batches: readonly TermsBatch[]): Promise<void> {
    let rest = keys;
    for (const batch of batches) {
      const [before, covered] = [countBelow(rest, batch.firstKey), countBelow(rest, batch.lastKey + 1)];
      await this.#analyze(rest.subarray(0, before));
      await this.#addBatch(batch, rest.slice(before, covered)).catch((error: unknown) => {
        if (!SemanticIndexError.is(error, 'INVALID_FILE')) throw error;
        return this.#analyze(rest.subarray(before, covered));
      });
      rest = rest.subarray(covered);
    }
    await this.#analyze(rest);
  }

  async #analyze(keys: Float64Array): Promise<void> {
    for (let first = 0; first < keys.length; first += documentsPerRead) {
      const some = keys.slice(first, first + documentsPerRead);
      await this.#addBatch(this.#catalog.terms.analyze(some), some);
      // Other calls to this thread come in between.
      await new Promise(setImmediate);
    }
  }

  async #addBatch({ firstKey, data }: TermsBatch, keys: Float64Array): Promise<void> {
    if (keys.length === 0) return;
    this.#signal.throwIfAborted();
    this.#memory ??= { tail: createTermsTail(), items: 0 };
    const { tail } = this.#memory;
    await tail.appendLater(data, firstKey, keys);
    this.#memory.items += keys.length;
    if (this.#memory.items >= documentsPerPart) this.#endMemory();
  }

  #addPart(part: TermsPart): void {
    this.#endMemory();
    this.#parts.push(part);
  }

  #endMemory(): void {
    if (this.#memory === undefined) return;
    const { tail, items } = this.#memory;
    this.#parts.push({ source: tail, items });
    this.#memory = undefined;
  }
}
