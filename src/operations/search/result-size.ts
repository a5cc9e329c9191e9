import { SemanticIndexError } from '../../errors.js';
import type { Store } from '../../store/store.js';

/** Adds up what the hits of a search hold, and refuses it before it is read. */
export class HitBytes {
  readonly #most: number | undefined;
  #bytes = 0;

  /** @param most bytes of texts and metadata; undefined is no limit. */
  constructor(most: number | undefined) {
    this.#most = most;
  }

  /** @throws TOO_LARGE when the texts and metadata of these and all earlier documents are more than the limit. */
  add(keys: readonly number[], store: Store): void {
    if (this.#most === undefined) return;
    this.#bytes += store.bytesByKeys(keys);
    if (this.#bytes <= this.#most) return;
    throw new SemanticIndexError(
      'TOO_LARGE',
      `Expected hits with at most ${this.#most} bytes of text and metadata, got at least ${this.#bytes}`,
      { hint: 'Ask for fewer hits, or send fewer queries at a time.' },
    );
  }
}
