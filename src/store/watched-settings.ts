import type { Catalog } from './catalog/catalog.js';

/** Reads a setting as of the last commit of any connection. */
export type ReadStoredSetting = (name: string) => string | number | undefined;

/**
 * The settings of an index. `check` says what is wrong with its file, where reading fails; `isWatched`: the connection that reads does
 * not write.
 */
export function storedSettings(catalog: Catalog, check: () => void, isWatched: boolean): ReadStoredSetting {
  const watched = new WatchedSettings(catalog);
  return (name) => {
    try {
      return isWatched ? watched.get(name) : catalog.settings.get(name);
    } catch (error) {
      check();
      throw error;
    }
  };
}

/** Settings as of the last commit of any connection: read once after each. For a connection that does not write. */
class WatchedSettings {
  readonly #catalog: Catalog;
  readonly #known = new Map<string, string | number | undefined>();
  #version: number | undefined;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  get(name: string): string | number | undefined {
    const catalog = this.#catalog;
    const version = catalog.dataVersion();
    if (version !== this.#version) this.#known.clear();
    this.#version = version;
    if (!this.#known.has(name)) this.#known.set(name, catalog.settings.get(name));
    return this.#known.get(name);
  }
}
