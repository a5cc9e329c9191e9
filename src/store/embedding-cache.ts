import { resolve } from 'node:path';
import type { CacheKeys, Space, VectorCache } from '../backend/space.js';
import { SemanticIndexError } from '../errors.js';
import { packVectors } from '../vectors/pack-vectors.js';
import type { CatalogClient } from './writer/catalog-client.js';
import { catalogThread } from './writer/catalog-thread.js';

/** How the file of a cache is used. */
export interface EmbeddingCacheOptions {
  readonly durability: 'process' | 'full';
  readonly busyTimeout: number;
  readonly maxBytes: number;
}

/**
 * A file of vectors by (space, role, content hash) that several indexes and processes share: a text that one of them
 * has paid for is free for the others. It has the tables of an index without any document. Deleting it costs money,
 * never answers. It keeps to a size: what was used longest ago goes first.
 */
export class EmbeddingCache implements VectorCache {
  readonly path: string;
  readonly #thread: CatalogClient;
  readonly #maxBytes: number;
  readonly #spaces = new Map<string, Space>();

  /** The file is opened, or made, at the first call. */
  constructor(path: string, { durability, busyTimeout, maxBytes }: EmbeddingCacheOptions) {
    this.path = resolve(path);
    this.#maxBytes = maxBytes;
    this.#thread = catalogThread({ path: this.path, readonly: false, durability, busyTimeout });
  }

  async findSpace(fingerprint: string): Promise<Space | undefined> {
    const space = this.#spaces.get(fingerprint) ?? (await this.#ask(this.#thread.vectors.findSpace(fingerprint)));
    if (space !== undefined) this.#spaces.set(fingerprint, space);
    return space;
  }

  addSpace(fingerprint: string, dimensions: number, canaries: string): Promise<Space> {
    return this.#ask(this.#thread.vectors.ensureSpace(fingerprint, dimensions, canaries));
  }

  async find({ space, dimensions }: Space, { role, hashes }: CacheKeys): Promise<(Float32Array | undefined)[]> {
    const asked = this.#thread.shared.lookUp(space, role, hashes, dimensions);
    const { numbers, vectors } = await this.#ask(asked);
    return numbers.map((number, position) =>
      number === 0 ? undefined : vectors.slice(position * dimensions, (position + 1) * dimensions),
    );
  }

  async keep({ space }: Space, { role, hashes }: CacheKeys, vectors: readonly Float32Array[]): Promise<void> {
    await this.#ask(this.#thread.shared.put(space, role, hashes, packVectors(vectors), this.#maxBytes));
  }

  /** Damage of this file is not damage of the index; the hint explains it. */
  async #ask<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (!SemanticIndexError.is(error, 'CORRUPT') && !SemanticIndexError.is(error, 'NOT_AN_INDEX')) throw error;
      const { code, details, message } = error;
      throw new SemanticIndexError(code, `The embedding cache ${this.path} cannot be used: ${message}`, {
        hint: 'The index itself is not affected. Delete this file: what it held is embedded again.',
        cause: error,
        details,
      });
    }
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}
