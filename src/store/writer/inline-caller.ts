import type { Catalog } from '../catalog/catalog.js';
import { fromSqliteError } from '../sqlite/sqlite-error.js';
import {
  type ArgumentsOf,
  type CatalogCaller,
  type CatalogTargets,
  type MethodOf,
  type ResultOf,
  targetsOf,
} from './catalog-calls.js';

/** Calls a catalog right here: the only way to a database in memory, which belongs to one connection. */
export class InlineCaller implements CatalogCaller {
  readonly #targets: CatalogTargets;

  constructor(catalog: Catalog) {
    this.#targets = targetsOf(catalog);
  }

  async call<T extends keyof CatalogTargets, M extends MethodOf<CatalogTargets[T]>>(
    target: T,
    method: M,
    ...given: ArgumentsOf<CatalogTargets[T], M>
  ): Promise<ResultOf<CatalogTargets[T], M>> {
    const callee = this.#targets[target] as unknown as Record<string, (...given: unknown[]) => unknown>;
    try {
      return (await callee[method]?.(...(given as unknown[]))) as ResultOf<CatalogTargets[T], M>;
    } catch (error) {
      throw fromSqliteError(error);
    }
  }

  async callUntil<T extends keyof CatalogTargets, M extends MethodOf<CatalogTargets[T]>>(
    signal: AbortSignal | undefined,
    target: T,
    method: M,
    ...given: ArgumentsOf<CatalogTargets[T], M>
  ): Promise<ResultOf<CatalogTargets[T], M>> {
    signal?.throwIfAborted();
    return this.call(target, method, ...given);
  }

  async close(): Promise<void> {}
}
