import type { Store } from '../../store/store.js';
import type { LongWorkOptions } from '../../types.js';
import type { EmbeddingSpace } from '../embedding-space.js';

const documentsPerReading = 256;

/** The way from the stored texts back to vectors: every text is embedded again and its vector replaced. */
export class RebuildJourney {
  readonly #store: Store;
  readonly #space: EmbeddingSpace;

  constructor(store: Store, space: EmbeddingSpace) {
    this.#store = store;
    this.#space = space;
  }

  async run({ signal, onProgress }: LongWorkOptions): Promise<void> {
    const total = await this.#store.count(undefined);
    // What comes later is embedded by its own add; to wait for it would be to run after a writer for ever.
    const lastKey = this.#store.lastKey();
    let done = 0;
    for (let after = 0; ; ) {
      signal?.throwIfAborted();
      const rows = await this.#store.textsAfter(after, documentsPerReading);
      const last = rows.at(-1);
      if (last === undefined || after >= lastKey) return;
      const texts = rows.map(({ text }) => text);
      for await (const landed of this.#space.embed(texts, { role: 'document', signal })) {
        for (const vector of landed.vectors) this.#space.checkDimensions(vector.length);
        const keys = landed.indices.map((index) => (rows[index] as { key: number }).key);
        if (landed.space !== undefined) await this.#store.replaceVectors(landed.space, keys, landed.vectors);
      }
      done += rows.length;
      after = last.key;
      onProgress?.({ stage: 'embed', done, total });
    }
  }
}
