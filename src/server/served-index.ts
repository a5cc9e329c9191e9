import { type SemanticIndex, SemanticIndexError } from '../index.js';

/** The index behind a service: on its way, there, or going. */
export class ServedIndex {
  #index: SemanticIndex | undefined;
  #failure: unknown;
  #draining = false;
  readonly loaded: Promise<void>;

  constructor(open: () => Promise<SemanticIndex>) {
    this.loaded = open().then(
      (index) => {
        this.#index = index;
      },
      (error: unknown) => {
        this.#failure = error;
        throw error;
      },
    );
    // Callers that await it get the error; the routes report it as well.
    this.loaded.catch(() => {});
  }

  get state(): 'loading' | 'ok' | 'failed' | 'closing' {
    if (this.#draining) return 'closing';
    if (this.#failure !== undefined) return 'failed';
    return this.#index === undefined ? 'loading' : 'ok';
  }

  /** @throws UNAVAILABLE until it is loaded. */
  get index(): SemanticIndex {
    if (this.#index !== undefined) return this.#index;
    throw new SemanticIndexError('UNAVAILABLE', 'The index is not loaded');
  }

  drain(): void {
    this.#draining = true;
  }

  async close(): Promise<void> {
    this.#draining = true;
    await this.loaded.catch(() => {});
    await this.#index?.close();
  }
}
