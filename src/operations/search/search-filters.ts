import type { Backend } from '../../backend/backend.js';
import type { DeclaredTypes, FilterTree } from '../../backend/filter-tree.js';
import { parseFilter } from '../parse-filter.js';

/**
 * The filters of one search. They are checked by the declared fields as these were read last, and once more if those of the search's
 * snapshot are others: to read them before takes a transaction of its own, a tenth of a short search.
 */
export class SearchFilters {
  readonly #backend: Backend;
  readonly #parsed: unknown[] = [];
  #fields: DeclaredTypes | undefined;
  #isFromLast = false;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** @throws INVALID_FILTER */
  async parse(where: unknown): Promise<FilterTree> {
    this.#fields ??= this.#last() ?? (await this.#backend.fields());
    const tree = this.#isFromLast ? await this.#parseByLast(where, this.#fields) : parseFilter(where, this.#fields);
    this.#parsed.push(where);
    return tree;
  }

  /** For the request of the snapshot; undefined if there is nothing to check again. */
  get checkFields(): ((fields: DeclaredTypes) => void) | undefined {
    if (!this.#isFromLast) return undefined;
    return (fields) => {
      if (fields === this.#fields) return;
      for (const where of this.#parsed) parseFilter(where, fields);
    };
  }

  #last(): DeclaredTypes | undefined {
    const { lastFields } = this.#backend;
    this.#isFromLast = lastFields !== undefined;
    return lastFields;
  }

  /** What fields of before refuse may be right by now. */
  async #parseByLast(where: unknown, last: DeclaredTypes): Promise<FilterTree> {
    try {
      return parseFilter(where, last);
    } catch (error) {
      const fields = await this.#backend.fields();
      if (fields === last) throw error;
      return parseFilter(where, fields);
    }
  }
}
