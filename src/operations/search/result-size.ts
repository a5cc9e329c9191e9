import { SemanticIndexError } from '../../errors.js';

/** Adds up the size of the hits of a search, and refuses too many before they are read. */
export class HitBytes {
  readonly #max: number | undefined;
  #bytes = 0;

  /** @param max bytes of texts and metadata; undefined for no limit. */
  constructor(max: number | undefined) {
    this.#max = max;
  }

  /** @throws TOO_LARGE when these hits and all earlier ones exceed the limit. */
  async add(measure: () => Promise<number>): Promise<void> {
    if (this.#max === undefined) return;
    this.#bytes += await measure();
    if (this.#bytes <= this.#max) return;
    throw new SemanticIndexError(
      'TOO_LARGE',
      `Expected hits with at most ${this.#max} bytes of text and metadata, got at least ${this.#bytes}`,
      { hint: 'Ask for fewer hits, or send fewer queries at a time.' },
    );
  }
}
