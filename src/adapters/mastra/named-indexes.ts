import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Metric, type OpenOptions, SemanticIndex, SemanticIndexError } from '../../index.js';
import { describe } from '../../options.js';
import { storedNotes } from '../../semantic-index.js';

/** An index, and the length of the vectors that it was created for. */
export interface NamedIndex {
  readonly index: SemanticIndex;
  readonly dimension: number;
}

/** What an index is created for. */
export interface IndexShape {
  readonly dimension: number;
  readonly metric: Metric;
}

/** Note of an index that has no vector yet, from which its dimension could be read. */
const dimensionNote = 'mastra: dimension';
const longestFolder = 200;

/** The indexes of one directory by name, each in a folder of its own, opened at their first use. */
export class NamedIndexes {
  readonly #directory: string;
  readonly #options: OpenOptions;
  readonly #opened = new Map<string, Promise<NamedIndex>>();

  constructor(directory: string, options: OpenOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  /** @throws NOT_FOUND without such an index, and the errors of `SemanticIndex.open`. */
  open(name: string): Promise<NamedIndex> {
    return this.#opening(name, () => this.#openExisting(name));
  }

  /**
   * Creates an index, or does nothing where it exists with that dimension and metric.
   *
   * @throws DIMENSION_MISMATCH or INVALID_ARGUMENT where it has others.
   */
  async create(name: string, shape: IndexShape): Promise<void> {
    const { index, dimension } = await this.#opening(name, async () => {
      if (await this.#exists(name)) return this.#openExisting(name);
      const created = await this.#openFolder(name, { create: true, metric: shape.metric });
      await created[storedNotes].remember(dimensionNote, String(shape.dimension));
      return { index: created, dimension: shape.dimension };
    });
    const hint = 'Delete the index first, or choose another name.';
    if (dimension !== shape.dimension) {
      throw new SemanticIndexError(
        'DIMENSION_MISMATCH',
        `The index ${JSON.stringify(name)} exists with ${dimension} dimensions; expected ${shape.dimension}`,
        { hint, details: { expected: dimension, actual: shape.dimension } },
      );
    }
    const { metric } = await index.stats();
    if (metric === shape.metric) return;
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `The index ${JSON.stringify(name)} exists with the metric ${metric}; expected ${shape.metric}`,
      { hint },
    );
  }

  /** The names of all indexes, sorted. */
  async names(): Promise<string[]> {
    const folders = await readdir(this.#directory).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return [];
      throw new SemanticIndexError('IO', `Cannot read ${this.#directory}: ${cause.message}`, { cause });
    });
    const names: string[] = [];
    for (const folder of folders) {
      const name = nameOf(folder);
      if (name !== undefined && (await this.#exists(name))) names.push(name);
    }
    return names.sort();
  }

  /** Closes an index and deletes its folder. @throws NOT_FOUND without such an index. */
  async delete(name: string): Promise<void> {
    const { index } = await this.open(name);
    const folder = this.#folderOf(name);
    this.#opened.delete(folder);
    await index.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Closes all indexes. */
  async close(): Promise<void> {
    const opened = [...this.#opened.values()];
    this.#opened.clear();
    await Promise.all(opened.map(async (one) => (await one.catch(() => undefined))?.index.close()));
  }

  /** One opening of a folder at a time, and one that failed is repeated by the next call. */
  #opening(name: string, open: () => Promise<NamedIndex>): Promise<NamedIndex> {
    const folder = this.#folderOf(name);
    const known = this.#opened.get(folder);
    if (known !== undefined) return known;
    const opening = open();
    this.#opened.set(folder, opening);
    opening.catch(() => this.#opened.delete(folder));
    return opening;
  }

  async #openExisting(name: string): Promise<NamedIndex> {
    if (!(await this.#exists(name))) {
      throw new SemanticIndexError('NOT_FOUND', `There is no index ${JSON.stringify(name)} in ${this.#directory}`, {
        hint: 'Create it with createIndex({ indexName, dimension }); listIndexes() returns those that exist.',
        details: { indexName: name },
      });
    }
    const index = await this.#openFolder(name, { create: false });
    const noted = await index[storedNotes].remembered(dimensionNote);
    return { index, dimension: noted === undefined ? ((await index.stats()).dimensions ?? 0) : Number(noted) };
  }

  #openFolder(name: string, options: OpenOptions): Promise<SemanticIndex> {
    return SemanticIndex.open(this.#folderOf(name), { ...this.#options, ...options, provider: null });
  }

  #exists(name: string): Promise<boolean> {
    return stat(join(this.#folderOf(name), 'index.db')).then(
      () => true,
      () => false,
    );
  }

  #folderOf(name: string): string {
    const folder = typeof name === 'string' ? folderName(name) : '';
    if (folder !== '' && folder.length <= longestFolder) return join(this.#directory, folder);
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `Expected the name of an index, a string of up to ${longestFolder} characters, got ${describe(name)}`,
    );
  }
}

/** Capitals are written as their code as well: file systems differ in whether they tell `Docs` from `docs`. */
function folderName(name: string): string {
  const code = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return name.replace(/[^a-z0-9_-]/gu, (character) => [...Buffer.from(character)].map(code).join(''));
}

/** The name whose folder this is, if any. */
function nameOf(folder: string): string | undefined {
  try {
    const name = decodeURIComponent(folder);
    return folderName(name) === folder ? name : undefined;
  } catch {
    return undefined;
  }
}
