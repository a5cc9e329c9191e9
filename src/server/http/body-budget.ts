import type { IncomingMessage } from 'node:http';
import { SemanticIndexError } from '../../index.js';
import type { ResolvedServerOptions } from '../../options/server.js';

/** Bodies of the largest size that are held at once, where no option says otherwise. */
const bodiesAtOnce = 4;

/**
 * Bounds the memory of all request bodies together. A request takes its part before its body is read and gives it back when it has
 * been answered.
 */
export class BodyBudget {
  readonly #limit: number;
  readonly #bodyLimit: number;
  #taken = 0;

  /**
   * One body always has room. A body of unknown length counts as the largest.
   */
  constructor({ bodyMemory, bodyLimit }: Pick<ResolvedServerOptions, 'bodyMemory' | 'bodyLimit'>) {
    this.#limit = Math.max(bodyMemory ?? bodiesAtOnce * bodyLimit, bodyLimit);
    this.#bodyLimit = bodyLimit;
  }

  /**
   * Takes the part of a request; call the result to give it back.
   *
   * @throws UNAVAILABLE when the bodies of other requests leave no room.
   */
  take({ headers }: IncomingMessage): () => void {
    const length = headers['content-length'];
    const isChunked = headers['transfer-encoding'] !== undefined;
    const bytes = isChunked ? this.#bodyLimit : Math.min(Number(length ?? 0), this.#bodyLimit);
    if (bytes === 0) return () => {};
    if (this.#taken + bytes > this.#limit) {
      throw new SemanticIndexError(
        'UNAVAILABLE',
        `Bodies of other requests hold ${this.#taken} of ${this.#limit} bytes`,
        {
          hint: 'Send the request again in a moment, or send fewer large requests at once.',
        },
      );
    }
    this.#taken += bytes;
    let isHeld = true;
    return () => {
      if (isHeld) this.#taken -= bytes;
      isHeld = false;
    };
  }
}
