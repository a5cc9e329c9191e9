import { createRequire } from 'node:module';

/** What an engine is given to build from. */
export interface BuildInput {
  /** Rows of unit length, one after another. */
  readonly vectors: Float32Array;
  readonly count: number;
  readonly dimensions: number;
  readonly threads: number;
  /** An empty folder of the trial's own. */
  readonly folder: string;
  /** Settings of the trial that are none of the search's. */
  readonly settings: Readonly<Record<string, number | string>>;
}

/** An engine that has been built and can be asked. */
export interface Built<Query = unknown> {
  /** The query in the form that costs this engine least; not timed. */
  prepare(query: Float32Array): Query;
  /** Rows of the nearest `k`; `effort` is a value of the engine's knob. */
  search(query: Query, k: number, effort: number): ArrayLike<number> | Promise<ArrayLike<number>>;
  /** Called before the searches with an effort, not timed. */
  turn?(effort: number): void | Promise<void>;
  /** Bytes on disk, by part. */
  readonly bytes: Readonly<Record<string, number>>;
  close(): void | Promise<void>;
}

/** A library that searches vectors. */
export interface Engine {
  build(input: BuildInput): Promise<Built>;
  /** Name and version of the library, for the report. */
  readonly library: string;
}

const bench = createRequire(new URL('../peers/package.json', import.meta.url));

/** A package of peers/package.json. */
export async function loadPeer<T>(name: string): Promise<T> {
  const module = (await import(bench.resolve(name))) as { default?: unknown };
  return (module.default ?? module) as T;
}

export function versionOf(name: string): string {
  const folders = bench.resolve.paths(name) ?? [];
  for (const folder of folders) {
    try {
      return `${name} ${(bench(`${folder}/${name}/package.json`) as { version: string }).version}`;
    } catch {
      // It is in one of the next folders.
    }
  }
  return name;
}
