import type { Condition } from '../tables/document-reads.js';
import { Parameters } from '../tables/parameters.js';
import type { Selection } from './selection.js';

/** Filters that are kept: those used longest ago are dropped first. */
const maxFilters = 64;

/**
 * What filters select, of an open index: as long as nothing is written, a filter is evaluated once. Each write gives the index another
 * version.
 */
export class SelectionCache {
  /** Least recently used first. */
  readonly #known = new Map<string, { readonly version: number; readonly selection: Selection }>();

  /** What a condition selects in a version of the index: as it was selected before, or now. */
  async of(condition: Condition, version: number, select: () => Promise<Selection>): Promise<Selection> {
    const parameters = new Parameters();
    const filter = `${condition(parameters)} ${JSON.stringify(parameters.values)}`;
    const known = this.#known.get(filter);
    const selection = known?.version === version ? known.selection : await select();
    this.#known.delete(filter);
    this.#known.set(filter, { version, selection });
    if (this.#known.size > maxFilters) this.#known.delete(this.#known.keys().next().value as string);
    return selection;
  }
}
