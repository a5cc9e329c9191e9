import { givenTextOf } from '../../analysis/fields/stored-text.js';
import type { ExportedBatch, ExportFacts, TextLine } from '../../backend/export-format.js';
import { parseMetadata } from '../../backend/stored-json.js';
import type { LostDocuments } from '../../types.js';
import { isWhole, lostParts, SalvagedDocuments } from './salvaged-documents.js';

/** The documents of a damaged index that can be read, and notes of those that cannot. */
export class SalvagedExport {
  readonly #damaged: SalvagedDocuments;
  readonly #lost: LostDocuments[] = [];
  /** Documents whose vector alone is lost. */
  readonly texts: TextLine[] = [];

  /** @throws IO, NOT_AN_INDEX, CORRUPT when nothing can be read. */
  constructor(directory: string) {
    this.#damaged = SalvagedDocuments.open(directory);
  }

  get facts(): ExportFacts {
    const { metric, space } = this.#damaged;
    return { ...space, metric };
  }

  async *batches(): AsyncGenerator<ExportedBatch> {
    const { dimensions } = this.#damaged.space;
    for await (const salvaged of this.#damaged.documents()) {
      const whole = salvaged.filter(isWhole);
      const vectors = new Float32Array(whole.length * dimensions);
      for (const [row, { vector }] of whole.entries()) vectors.set(vector, row * dimensions);
      const documents = whole.map(({ id, text, metadata, given }) => ({ id, text, metadata: metadata ?? null, given }));
      for (const document of salvaged) {
        const parts = lostParts(document);
        if (parts.length === 0) continue;
        const { key, id, text, metadata } = document;
        const named = id === undefined ? {} : { id };
        const reason = `Cannot be read, or differs from its checksum: ${parts.join(', ')}`;
        this.#lost.push({ ...named, firstKey: key, lastKey: key, reason });
        if (isWhole(document) || id === undefined || text === undefined) continue;
        this.texts.push({
          id,
          ...givenTextOf(text),
          ...(metadata != null && { metadata: parseMetadata(metadata, id) }),
        });
      }
      if (documents.length > 0) yield { documents, vectors };
    }
  }

  /** What could not be read, by key. Complete after the last batch. */
  get lost(): LostDocuments[] {
    const reason = 'The pages of index.db that may hold documents with these keys cannot be read';
    const ranges = this.#damaged.unreadable.map((range) => ({ ...range, reason }));
    return [...this.#lost, ...ranges].sort((a, b) => a.firstKey - b.firstKey);
  }

  close(): void {
    this.#damaged.close();
  }
}
